"""Sums of the coming automatic renewals of each account, which an operator can check before a cut-over.

The accounts are read in groups, each group in its own snapshot, so memory does not grow with the number of accounts.
"""

import datetime as dt
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from renewals import catalog
from renewals.accounts import repository as accounts_repository
from renewals.accounts import vouchers
from renewals.db import connection as database
from renewals.domain import errors, limits, model, validation
from renewals.forecasts import simulation
from renewals.forecasts.simulation import AccountSnapshot
from renewals.instances import repository as instances_repository

DAYS = 2
"""The default number of days: today and tomorrow in each account's zone, which cover the next 24 hours."""
_ACCOUNTS_PER_READ = 200


class AccountNights(NamedTuple):
    """The sums over one account's coming days; amounts in cents.

    `required_top_up_cents` is the least top-up now that pays for all these renewals. `left_count` is the number of AUTO
    instances that are due by the last of these days, but are left to their owner, because their due time is before
    `auto_renew_from` (rule 38).
    """

    account_id: str
    currency: str
    auto_renew_from: dt.datetime
    first_due_on: dt.date | None
    due_count: int
    total_cents: int
    voucher_cents: int
    balance_cents: int
    required_top_up_cents: int
    at_risk_count: int
    left_count: int


@dataclass(slots=True)
class Totals:
    """The sums over accounts of one currency; amounts in cents."""

    account_count: int = 0
    due_count: int = 0
    total_cents: int = 0
    voucher_cents: int = 0
    balance_cents: int = 0
    required_top_up_cents: int = 0
    at_risk_count: int = 0
    left_count: int = 0

    def add(self, nights: AccountNights) -> None:
        """Add the sums of an account."""
        self.account_count += 1
        self.due_count += nights.due_count
        self.total_cents += nights.total_cents
        self.voucher_cents += nights.voucher_cents
        self.balance_cents += nights.balance_cents
        self.required_top_up_cents += nights.required_top_up_cents
        self.at_risk_count += nights.at_risk_count
        self.left_count += nights.left_count


def read(days: int, now: dt.datetime) -> AsyncIterator[AccountNights]:
    """Return an iterator over the sums of the accounts with instances due in the next `days` days, sorted by id.

    An account whose due instances are all left to their owner is included. Test accounts are left out, because the
    worker's runs omit them (rule 37).
    Raises InvalidInputError if `days` is out of bounds (rule 26).
    """
    if not 1 <= days <= limits.FORECAST_DAYS_MAX:
        raise errors.InvalidInputError("days", validation.between(days, 1, limits.FORECAST_DAYS_MAX))
    return _read(days, now)


async def _read(days: int, now: dt.datetime) -> AsyncIterator[AccountNights]:
    after = ""
    while account_ids := await _read_ids(after):
        for nights in await _read_group(account_ids, days, now):
            yield nights
        after = account_ids[-1]


async def _read_ids(after: str) -> list[str]:
    sql = "SELECT id FROM accounts WHERE id > $1 AND test_clock IS NULL ORDER BY id LIMIT $2"
    return [row["id"] for row in await database.fetch(database.pool(), sql, after, _ACCOUNTS_PER_READ)]


async def _read_group(account_ids: Sequence[str], days: int, now: dt.datetime) -> list[AccountNights]:
    async with database.read_snapshot() as connection:
        accounts = await accounts_repository.read_accounts(connection, account_ids)
        instances = await _read_instances(connection, accounts, days, now)
        usable = await vouchers.read_usable(connection, list(instances), now)
        products = await catalog.read_products(connection)
    return [
        sum_days(
            AccountSnapshot(accounts[account_id], products, of_account, usable[account_id]),
            days,
            now,
        )
        for account_id, of_account in sorted(instances.items())
    ]


async def _read_instances(
    connection: database.Connection, accounts: Mapping[str, model.Account], days: int, now: dt.datetime
) -> dict[str, list[model.Instance]]:
    """Return the AUTO instances due in the next `days` days by account id, including those left to their owner."""
    rows = await database.fetch(
        connection,
        f"""SELECT {instances_repository.COLUMNS} FROM unnest($1::text[], $2::timestamptz[]) AS a(id, last_expiry)
            JOIN instances i ON i.account_id = a.id AND i.status = 'RUNNING' AND i.renewal_mode = 'AUTO'
              AND coalesce(i.expires_at, 'infinity') >= $3 AND coalesce(i.expires_at, 'infinity') <= a.last_expiry""",
        list(accounts),
        [simulation.last_expiry(account, days, now) for account in accounts.values()],
        now,
    )
    return instances_repository.group_by_account(rows)


def sum_days(snapshot: AccountSnapshot, days: int, now: dt.datetime) -> AccountNights:
    """Return the sums of an account's forecast over its next `days` days."""
    forecast = simulation.simulate(snapshot, days, now)
    busy = [day for day in forecast.days if day.due_count]
    return AccountNights(
        snapshot.account.id,
        snapshot.account.currency,
        snapshot.account.auto_renew_from,
        busy[0].date if busy else None,
        due_count=sum(day.due_count for day in busy),
        total_cents=forecast.total_cents,
        voucher_cents=sum(day.voucher_cents for day in busy),
        balance_cents=sum(day.balance_cents for day in busy),
        required_top_up_cents=forecast.required_top_up_cents,
        at_risk_count=sum(len(day.at_risk_ids) for day in busy),
        left_count=len(snapshot.instances_left_to_owner),
    )
