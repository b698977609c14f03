"""Random accounts for property tests: instances of every kind near each boundary, and bundles.

@hypothesis.given(st.data())
async def test_something(world: World, data: st.DataObject) -> None:
    ids = await fill(world, data.draw(fleets()), account_id)
"""

import datetime as dt
import itertools
from typing import Any, NamedTuple

from hypothesis import strategies as st

from renewals import catalog
from renewals.db import connection as database
from tests.support.fixtures import NOW, World

SHORT = catalog.ProductRecord("short", "Short", "短", max_term_months=3, retention_days=400)
LONG = catalog.ProductRecord("long", "Long", "长", max_term_months=120, retention_days=3_650)
"""Products whose longest terms and retentions reach the limits of a renewal."""
_DAYS = st.one_of(st.integers(-40, 40), st.sampled_from([-1_500, -1_100, -400, -1, 0, 1, 60, 400, 1_200]))
_numbers = itertools.count()


class Fleet(NamedTuple):
    """The instances of an account. Those with the same bundle name are its members."""

    singles: list[dict[str, Any]]
    bundles: list[tuple[dict[str, Any], list[dict[str, Any]]]]
    """For each bundle, the options that all members share, and the options of each member."""


_OWN = {
    "product": st.sampled_from(["eip", "kec", "ebs", "short", "long", "ddos"]),
    "trial": st.sampled_from([False, False, False, False, True]),
    "price": st.sampled_from(["0.00", "0.01", "99.99", "300.00"]),
}
_SHARED = {
    "expires": _DAYS.map(lambda days: str(NOW.date() + dt.timedelta(days=days))),
    "mode": st.sampled_from(["MANUAL", "AUTO", "NONE"]),
    "months": st.sampled_from([1, 1, 3, 12, 36]),
}


def fleets() -> st.SearchStrategy[Fleet]:
    """Return a strategy of small fleets."""
    single = st.fixed_dictionaries({**_OWN, **_SHARED})
    without_expiry = st.fixed_dictionaries({**_OWN, "expires": st.none()})
    one_off = st.fixed_dictionaries({**_OWN, **_SHARED, "billing": st.just("ONE_OFF")})
    kinds = st.one_of(single, single, single, without_expiry, one_off)
    members = st.lists(st.fixed_dictionaries(_OWN), min_size=2, max_size=3)
    bundles = st.tuples(st.fixed_dictionaries(_SHARED), members)
    return st.builds(Fleet, st.lists(kinds, min_size=1, max_size=6), st.lists(bundles, max_size=2))


async def open_account(world: World, fleet: Fleet, *, balance: str = "9000000.00") -> tuple[str, list[str]]:
    """Open a new account with the instances; return its id and theirs."""
    async with database.transaction() as connection:
        await catalog.upsert_products(connection, [SHORT, LONG])
    account_id = await world.account(f"account-{next(_numbers)}", balance=balance)
    ids = []
    for number, options in enumerate(fleet.singles):
        ids.append(await world.instance(f"{account_id}-{number}", account=account_id, **_fitting(options)))
    for number, (shared, members) in enumerate(fleet.bundles):
        bundle = f"{account_id}-b{number}"
        for member_number, own in enumerate(members):
            options = _fitting({**shared, **own})
            member_id = f"{bundle}-{member_number}"
            ids.append(await world.instance(member_id, account=account_id, bundle=bundle, **options))
    return account_id, ids


async def state(world: World, account_id: str) -> list[tuple[Any, ...]]:
    """Return the instances of an account and the number of its events, so that a test can detect changes."""
    instances = "SELECT i::text FROM instances i WHERE account_id = $1 ORDER BY id"
    events = "SELECT last_sequence FROM event_streams WHERE account_id = $1"
    return [*await world.rows(instances, account_id), *await world.rows(events, account_id)]


def _fitting(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options with a status that is possible for the expiry."""
    expires = options["expires"]
    has_expired = expires is not None and expires < str(NOW.date())
    return {**options, "status": "EXPIRED" if has_expired else "RUNNING"}
