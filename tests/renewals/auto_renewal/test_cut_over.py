"""An account's automatic renewals begin at `auto_renew_from`; instances due before are left to its owner (rule 38)."""

import datetime as dt
import random
from zoneinfo import ZoneInfo

import hypothesis
import pytest
from hypothesis import strategies as st

from renewals.accounts import repository as accounts_repository
from renewals.alerts import balance_alerts
from renewals.auto_renewal import due, renew
from renewals.db import connection as database
from renewals.domain import dates, model
from renewals.forecasts import calendar_entries, forecast, instance_forecast
from renewals.instances import lifecycle
from renewals.instances import repository as instances_repository
from tests.renewals.factories import NEW_YORK, SHANGHAI, at, instance, unhurried
from tests.support import integrity
from tests.support.fixtures import World

ZONES = ("Asia/Shanghai", "America/New_York", "Australia/Lord_Howe", "Pacific/Kiritimati")
SECOND = dt.timedelta(seconds=1)


@pytest.fixture
async def imported(world: World) -> World:
    """An account whose renewals begin at noon of 20 January, with instances due before and after that."""
    await world.account("a", balance="900.00", auto_renew_from=dt.datetime(2027, 1, 20, 4, tzinfo=dt.UTC))
    await world.instance("before", expires="2027-01-20", mode="AUTO", price="100.00")
    await world.instance("after", expires="2027-01-21", mode="AUTO", price="50.00")
    return world


async def expiries(world: World) -> dict[str, str]:
    rows = await world.rows("SELECT id FROM instances ORDER BY id")
    return {id_: str(await world.expiry(id_)) for (id_,) in rows}


async def test_the_first_start_after_an_import_charges_nothing_that_was_due_before(imported: World) -> None:
    now = imported.at("2027-01-20 12:00")
    assert await due.count_due(database.pool(), now) == {}
    run = await renew.run_at(now)
    assert (run.renewed_count, run.refused_count, run.skipped_count) == (0, 0, 0)
    assert await imported.count("renewal_attempts") == 0
    assert await imported.balance() == "900.00"


async def test_the_first_night_renews_what_is_due_then(imported: World) -> None:
    night = imported.at("2027-01-21 00:30")
    assert await due.count_due(database.pool(), night) == {"a": 1}
    run = await renew.run_at(night)
    assert (run.renewed_count, run.amount_cents) == (1, 50_00)
    assert await expiries(imported) == {"after": "2027-02-21", "before": "2027-01-20"}


async def test_what_was_left_expires_unless_its_owner_renews_it_and_keeps_its_mode(imported: World) -> None:
    await lifecycle.expire_and_release(imported.at("2027-01-21 00:30"))
    left = await imported.read("before")
    assert (left.status, left.renewal_mode) == ("EXPIRED", "AUTO")


async def test_the_worker_takes_over_from_the_next_cycle(imported: World) -> None:
    await imported.put("before", expires_at=imported.end_of("2027-02-20"))
    assert (await renew.run_at(imported.at("2027-02-20 00:30"))).renewed_count >= 1
    assert await imported.expiry("before") == "2027-03-20"


@pytest.mark.parametrize(("begins", "count"), [("2027-01-20 00:30:00", 1), ("2027-01-20 00:30:01", 0)])
async def test_what_is_due_at_the_very_instant_of_the_cut_over_is_renewed(
    world: World, begins: str, count: int
) -> None:
    await world.account("a", balance="900.00", auto_renew_from=at(begins))
    await world.instance("i-1", expires="2027-01-20", mode="AUTO", price="100.00")
    assert (await renew.run_at(at("2027-01-20 12:00"))).renewed_count == count


async def test_a_bundle_is_left_as_a_whole(world: World) -> None:
    await world.account("a", balance="900.00", auto_renew_from=at("2027-01-20 12:00"))
    await world.instances(["k-1", "k-2"], expires="2027-01-20", mode="AUTO", bundle="k")
    assert (await renew.run_at(at("2027-01-20 12:30"))).renewed_count == 0


async def test_the_forecast_leaves_out_what_is_left(imported: World) -> None:
    found = await forecast.read_forecast("a", 3, imported.at("2027-01-20 12:00"))
    assert [(day.due_count, day.total_cents, day.at_risk_ids) for day in found.days] == [
        (0, 0, ()),
        (1, 50_00, ()),
        (0, 0, ()),
    ]
    assert found.days[-1].balance_after_cents == 850_00


async def test_the_outlook_says_that_it_is_left_and_why(imported: World) -> None:
    found = await instance_forecast.read_instance_forecasts(
        "a", ["before", "after"], imported.at("2027-01-20 12:00")
    )
    assert (found["after"].will_renew, found["after"].refusals) == (True, ())
    left = found["before"]
    assert (left.will_renew, left.due_at, left.price_cents) == (False, None, 100_00)
    assert [(each.code, str(each.message)) for each in left.refusals] == [
        (
            "BEFORE_CUT_OVER",
            "Its due time, 2027-01-20 00:30, is before 2027-01-20 12:00, when the account's automatic renewals start; renew it manually.",  # noqa: E501
        )
    ]


async def test_the_calendar_has_it_among_what_expires(imported: World) -> None:
    await imported.instance("by-hand", expires="2027-01-20")
    found = await calendar_entries.build_calendar("a", 3, imported.at("2027-01-20 12:00"))
    assert [(each.date.day, each.kind, [item.id for item in each.items]) for each in found.entries] == [
        (20, "EXPIRY", ["before", "by-hand"]),
        (21, "RENEWAL", ["after"]),
    ]


async def test_it_is_reminded_of_as_what_will_not_be_renewed(imported: World) -> None:
    now = imported.at("2027-01-20 12:00")
    await balance_alerts.check_changed_accounts(lambda: now)
    rows = await imported.rows(
        "SELECT instance_id, payload->>'code' FROM events WHERE type = 'instance.expiring'"
    )
    assert rows == [("before", "BEFORE_CUT_OVER")]


async def test_what_is_counted_and_what_is_read_as_due_is_what_each_instance_says(world: World) -> None:
    """Check 300 instances at random instants. Their accounts are in four zones, with random lead days and cut-overs."""
    drawn = random.Random(38)
    base = dt.datetime(2027, 4, 4, 3, tzinfo=dt.UTC)  # the clock is set back on Lord Howe Island that night
    for number in range(60):
        await world.account(
            f"a-{number:02}",
            zone=ZONES[number % len(ZONES)],
            lead_days=drawn.choice((None, 0, 1, 3, 9)),
            auto_renew_from=base + dt.timedelta(minutes=drawn.randrange(-12 * 24 * 60, 3 * 24 * 60)),
        )
        for each in range(5):
            expires = str(base.date() + dt.timedelta(days=drawn.randrange(-2, 11)))
            await world.instance(f"i-{number}-{each}", account=f"a-{number:02}", expires=expires, mode="AUTO")
    async with database.transaction() as connection:
        accounts = await accounts_repository.lock_accounts(
            connection, [f"a-{number:02}" for number in range(60)]
        )
        instances = [
            model.Instance._make(row)
            for row in await world.rows(f"SELECT {instances_repository.COLUMNS} FROM instances i")
        ]
        left_count = 0
        for _ in range(20):
            now = base + dt.timedelta(minutes=drawn.randrange(-3 * 24 * 60, 3 * 24 * 60))
            expected: dict[str, set[str]] = {}
            for one in instances:
                account = accounts[one.account_id]
                due_at = due.due_at(one, account)
                assert one.expires_at
                is_due = due_at <= now <= one.expires_at
                left_count += is_due and due_at < account.auto_renew_from
                if is_due and due_at >= account.auto_renew_from:
                    expected.setdefault(account.id, set()).add(one.id)
            read = await due.read_due_instances(connection, accounts, now)
            assert {id_: {one.id for one in found} for id_, found in read.items()} == expected
            assert await due.count_due(connection, now) == {id_: len(ids) for id_, ids in expected.items()}
        assert left_count > 100, "the cut-over matters"


@hypothesis.settings(unhurried, max_examples=300)
@hypothesis.given(
    st.integers(0, 33 * 24 * 3600).map(
        lambda seconds: at("2027-01-18 00:00") + dt.timedelta(seconds=seconds)
    ),
    st.integers(-40, 40),
    st.integers(0, 9),
    st.sampled_from([SHANGHAI, NEW_YORK]),
)
def test_left_said_of_the_expiry_is_left_said_of_the_due_time(
    begins: dt.datetime, days: int, lead_days: int, zone: ZoneInfo
) -> None:
    account = model.Account("a", zone, 0, 0, lead_days, auto_renew_from=begins)
    last_day = begins.date() + dt.timedelta(days=days)
    one = instance(expires=str(last_day), zone=zone)
    is_left = dates.end_of_day(last_day, zone) <= due.left_until(account)
    assert (
        is_left == (due.due_at(one, account) < account.auto_renew_from) == bool(due.refuse_left(one, account))
    )


@pytest.mark.parametrize("seed", range(6))
async def test_the_worker_does_what_was_foreseen_whenever_its_renewals_begin(world: World, seed: int) -> None:
    drawn = random.Random(seed)
    start = dt.date(2027, 1, 20)
    begins = at("2027-01-20 00:00") + dt.timedelta(minutes=drawn.randrange(-2 * 24 * 60, 20 * 24 * 60))
    zone = drawn.choice(ZONES)
    lead_days = drawn.choice((None, 0, 2))
    await world.account("a", balance="2000.00", zone=zone, lead_days=lead_days, auto_renew_from=begins)
    await world.voucher("150.00", expires="2027-02-02")
    for number in range(40):
        expires = str(start + dt.timedelta(days=drawn.randrange(28)))
        price, in_bundle = (
            f"{drawn.randrange(20, 160)}.00",
            {"bundle": f"b-{number}"} if number % 9 == 0 else {},
        )
        ids = [f"i-{number}", f"j-{number}"] if in_bundle else [f"i-{number}"]
        await world.instances(ids, expires=expires, mode="AUTO", price=price, **in_bundle)
    now = world.at(f"{start} 12:00")
    ids = [id_ for (id_,) in await world.rows("SELECT id FROM instances")]
    foreseen, outlooks = (
        await forecast.read_forecast("a", 30, now),
        await instance_forecast.read_instance_forecasts("a", ids, now),
    )
    renewed: dict[str, dt.date] = {}
    for each in foreseen.days:
        for time in ("00:30", "12:30"):
            moment = world.at(f"{each.date} {time}")
            if moment >= now:
                run = await renew.run_at(moment)
                await lifecycle.expire_and_release(moment)
                for attempt in await runs_of(world, run.id):
                    renewed.setdefault(attempt, each.date)
        assert await world.value("SELECT balance_cents FROM accounts") == each.balance_after_cents, each
    assert {id_ for id_, found in outlooks.items() if found.will_renew} == set(renewed)
    await integrity.assert_holds()


async def runs_of(world: World, run_id: int) -> list[str]:
    """Return the ids of the instances that a run renewed."""
    sql = "SELECT instance_id FROM renewal_attempts WHERE run_id = $1 AND succeeded"
    return [id_ for (id_,) in await world.rows(sql, run_id)]


def test_a_moment_before_the_cut_over_is_before_it() -> None:
    account = model.Account("a", SHANGHAI, 0, 0, 0, auto_renew_from=at("2027-01-20 00:30") + SECOND)
    refusal = due.refuse_left(instance(expires="2027-01-20"), account)
    assert refusal and refusal.code == "BEFORE_CUT_OVER"
