"""Open, change, lock and read accounts. This module alone writes `accounts`, except the balance (see `ledger`)."""

import asyncio
import contextlib
import datetime as dt
import weakref
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo

from renewals import config
from renewals.db import connection as database
from renewals.db import sql
from renewals.domain import errors, model


class AccountInsert(NamedTuple):
    """An account to be opened; its zone is by its name."""

    account_id: str
    name: str
    currency: str
    time_zone: str
    lead_days: int | None
    price_rise_cap_bps: int | None
    auto_renew_from: dt.datetime


class AccountPatch(NamedTuple):
    """The values of an account from now on."""

    account_id: str
    name: str
    lead_days: int | None
    price_rise_cap_bps: int | None
    auto_renew_from: dt.datetime


async def open_account(
    connection: database.Connection,
    *,
    account_id: str,
    name: str,
    zone: ZoneInfo,
    now: dt.datetime,
    currency: str = "CNY",
    lead_days: int | None = None,
    price_rise_cap_bps: int | None = None,
    auto_renew_from: dt.datetime | None = None,
) -> None:
    """Open an account with no money in it; its zone is fixed from here on (rule 5).

    Without `auto_renew_from` its automatic renewals begin now (rule 38).
    """
    opening = AccountInsert(
        account_id, name, currency, zone.key, lead_days, price_rise_cap_bps, auto_renew_from or now
    )
    await open_accounts(connection, [opening], now)


async def open_accounts(
    connection: database.Connection, openings: Iterable[AccountInsert], now: dt.datetime
) -> None:
    """The same of many, in id order, so that two who open the same wait for each other and do not block."""
    rows = sorted(openings, key=lambda each: each.account_id)
    await database.execute(
        connection,
        """INSERT INTO accounts
             (id, name, currency, time_zone, lead_days, price_rise_cap_bps, auto_renew_from,
              balance_cents, ledger_number, created_at)
           SELECT o.*, 0, 0, $8
           FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int[], $6::int[],
             $7::timestamptz[]) AS o""",
        *sql.transpose(rows, 7),
        now,
    )


async def change_account(
    connection: database.Connection,
    account_id: str,
    *,
    name: str,
    lead_days: int | None,
    price_rise_cap_bps: int | None,
    auto_renew_from: dt.datetime,
) -> None:
    """Change a locked account's name, lead time, cap or cut-over; its zone and currency stay (rule 5)."""
    change = AccountPatch(account_id, name, lead_days, price_rise_cap_bps, auto_renew_from)
    await change_accounts(connection, [change])


async def change_accounts(connection: database.Connection, changes: Sequence[AccountPatch]) -> None:
    """The same of many."""
    await database.execute(
        connection,
        """UPDATE accounts a SET name = u.name, lead_days = u.lead_days, price_rise_cap_bps = u.price_rise_cap_bps,
             auto_renew_from = u.auto_renew_from
           FROM unnest($1::text[], $2::text[], $3::int[], $4::int[], $5::timestamptz[])
             AS u(id, name, lead_days, price_rise_cap_bps, auto_renew_from)
           WHERE a.id = u.id""",
        *sql.transpose(changes, 5),
    )


async def mark_demo(connection: database.Connection, account_id: str) -> None:
    """Make an account that holds nothing yet the demo account, for good; the database refuses it of any other."""
    await database.execute(connection, "UPDATE accounts SET is_demo = true WHERE id = $1", account_id)


async def is_demo(connection: database.Connection, account_id: str) -> bool:
    """Return whether an account is the demo account."""
    sql = "SELECT FROM accounts WHERE id = $1 AND is_demo"
    return bool(await database.fetch(connection, sql, account_id))


async def has_accounts(connection: database.Connection) -> bool:
    """Return whether there is any account."""
    [row] = await database.fetch(connection, "SELECT EXISTS (SELECT FROM accounts)")
    return bool(row[0])


async def reopen_demo(
    connection: database.Connection, account_id: str, *, name: str, lead_days: int, now: dt.datetime
) -> None:
    """Give the demo account, whose entries were deleted, the values of one that was just opened."""
    await database.execute(
        connection,
        """UPDATE accounts SET name = $2, lead_days = $3, price_rise_cap_bps = NULL, balance_cents = 0,
             ledger_number = 0, auto_renew_from = $4, created_at = $4
           WHERE id = $1 AND is_demo""",
        account_id,
        name,
        lead_days,
        now,
    )


@contextlib.asynccontextmanager
async def locked_account(account_id: str) -> AsyncIterator[tuple[database.Connection, model.Account]]:
    """A transaction that has locked one account.

    Calls of the same account in this process wait for each other before they take a connection, so
    that those of a busy account leave the pool to the others.
    """
    turn = _turns.setdefault(account_id, asyncio.Lock())
    async with turn, database.transaction() as connection:
        yield connection, (await lock_accounts(connection, [account_id]))[account_id]


_turns: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()


async def lock_accounts(
    connection: database.Connection, account_ids: Iterable[str]
) -> dict[str, model.Account]:
    """Locks the accounts in id order; after it everything is single-threaded for each of them."""
    return await _read(connection, account_ids, "FOR NO KEY UPDATE")


async def read_account(connection: database.Connection, account_id: str) -> model.Account:
    """Reads one account without a lock; raises InvalidInputError where there is none."""
    found = await _read(connection, [account_id])
    if account_id not in found:
        raise errors.InvalidInputError("account", f"there is no {account_id!r}")
    return found[account_id]


async def read_accounts(
    connection: database.Connection, account_ids: Iterable[str]
) -> dict[str, model.Account]:
    """Read accounts by id without a lock."""
    return await _read(connection, account_ids)


async def _read(
    connection: database.Connection, account_ids: Iterable[str], locking: str = ""
) -> dict[str, model.Account]:
    rows = await database.fetch(
        connection,
        f"""SELECT id, time_zone, balance_cents, ledger_number, coalesce(lead_days, $2)::int, price_rise_cap_bps,
              currency, auto_renew_from, $3::time
            FROM accounts WHERE id = ANY($1) ORDER BY id {locking}""",
        sorted(set(account_ids)),
        config.get_settings().auto_renew_lead_days,
        config.get_settings().auto_renew_time,
    )
    return {row[0]: model.Account(row[0], ZoneInfo(row[1]), *row[2:]) for row in map(tuple, rows)}
