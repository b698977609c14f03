"""Accounts in the database. Only this module and `ledger` write `accounts`.

This module sets balances and ledger numbers only to 0, for a new account and for the reset of the demo account. All
other balances and ledger numbers are written by `ledger`.
"""

import asyncio
import contextlib
import dataclasses
import datetime as dt
import weakref
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import NamedTuple
from zoneinfo import ZoneInfo

from renewals import config
from renewals.db import connection as database
from renewals.db import models, sql
from renewals.domain import errors, model
from renewals.domain.messages import Message


class AccountInsert(NamedTuple):
    """Values of a new account; `time_zone` is an IANA name."""

    account_id: str
    name: str
    currency: str
    time_zone: str
    lead_days: int | None
    price_rise_cap_bps: int | None
    auto_renew_from: dt.datetime
    language: model.Language = model.Language.EN
    test_clock: dt.datetime | None = None


class AccountPatch(NamedTuple):
    """The id of an account and the new values of the columns that an operator can change."""

    account_id: str
    name: str
    lead_days: int | None
    price_rise_cap_bps: int | None
    auto_renew_from: dt.datetime
    language: model.Language


async def open_account(
    connection: database.Connection,
    *,
    account_id: str,
    name: str,
    zone: ZoneInfo,
    now: dt.datetime,
    currency: str = model.CURRENCY_DEFAULT,
    lead_days: int | None = None,
    price_rise_cap_bps: int | None = None,
    auto_renew_from: dt.datetime | None = None,
    language: model.Language = model.Language.EN,
    test_clock: dt.datetime | None = None,
) -> None:
    """Create an account with balance 0. Its time zone cannot be changed later (rule 5).

    If `auto_renew_from` is None, automatic renewals begin at `test_clock`, or at `now` without a test clock (rule 38).
    """
    begins_at = auto_renew_from or test_clock or now
    account = AccountInsert(
        account_id,
        name,
        currency,
        zone.key,
        lead_days,
        price_rise_cap_bps,
        begins_at,
        language,
        test_clock,
    )
    await open_accounts(connection, [account], now)


async def open_accounts(
    connection: database.Connection, accounts: Iterable[AccountInsert], now: dt.datetime
) -> None:
    """Create several accounts, in id order, so that concurrent calls do not deadlock."""
    rows = sorted(accounts, key=lambda account: account.account_id)
    await database.execute(
        connection,
        """INSERT INTO accounts
             (id, name, currency, time_zone, lead_days, price_rise_cap_bps, auto_renew_from, language, test_clock,
              balance_cents, ledger_number, created_at)
           SELECT o.*, 0, 0, coalesce(o.test_clock, $10)
           FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int[], $6::int[],
             $7::timestamptz[], $8::text[], $9::timestamptz[])
             AS o(id, name, currency, time_zone, lead_days, price_rise_cap_bps, auto_renew_from, language,
               test_clock)""",
        *sql.transpose(rows, 9),
        now,
    )


async def update_account(
    connection: database.Connection,
    account_id: str,
    *,
    name: str,
    lead_days: int | None,
    price_rise_cap_bps: int | None,
    auto_renew_from: dt.datetime,
    language: model.Language,
) -> None:
    """Update a locked account's name, lead days, price rise cap, cut-over and language."""
    patch = AccountPatch(account_id, name, lead_days, price_rise_cap_bps, auto_renew_from, language)
    await update_accounts(connection, [patch])


async def update_accounts(connection: database.Connection, patches: Sequence[AccountPatch]) -> None:
    """Update several locked accounts."""
    await database.execute(
        connection,
        """UPDATE accounts a SET name = u.name, lead_days = u.lead_days, price_rise_cap_bps = u.price_rise_cap_bps,
             auto_renew_from = u.auto_renew_from, language = u.language
           FROM unnest($1::text[], $2::text[], $3::int[], $4::int[], $5::timestamptz[], $6::text[])
             AS u(id, name, lead_days, price_rise_cap_bps, auto_renew_from, language)
           WHERE a.id = u.id""",
        *sql.transpose(patches, 6),
    )


async def move_test_clock(connection: database.Connection, account_id: str, instant: dt.datetime) -> None:
    """Set the test clock of a locked test account; the database refuses an earlier instant (rule 37)."""
    accounts = models.Account.filter(id=account_id, test_clock__isnull=False).using_db(connection)
    await accounts.update(test_clock=instant)


async def mark_demo(connection: database.Connection, account_id: str) -> None:
    """Mark an account as the demo account permanently.

    The database refuses an account that is not empty, or whose id is not `demo`.
    """
    await models.Account.filter(id=account_id).using_db(connection).update(is_demo=True)


async def is_demo(connection: database.Connection, account_id: str) -> bool:
    """Return whether an account is the demo account."""
    return await models.Account.filter(id=account_id, is_demo=True).using_db(connection).exists()


async def has_accounts(connection: database.Connection) -> bool:
    """Return whether any account exists."""
    return await models.Account.all().using_db(connection).exists()


async def reset_demo(
    connection: database.Connection,
    account_id: str,
    *,
    name: str,
    lead_days: int,
    language: model.Language,
    now: dt.datetime,
) -> None:
    """Set the demo account to the values of an account created at `now`, with balance 0 and test clock `now`.

    The caller must already have deleted its ledger entries.
    """
    await (
        models.Account.filter(id=account_id, is_demo=True)
        .using_db(connection)
        .update(
            name=name,
            lead_days=lead_days,
            language=language,
            price_rise_cap_bps=None,
            balance_cents=0,
            ledger_number=0,
            auto_renew_from=now,
            test_clock=now,
            created_at=now,
        )
    )


@contextlib.asynccontextmanager
async def locked_account(account_id: str) -> AsyncIterator[tuple[database.Connection, model.Account]]:
    """Open a transaction that locks one account, and yield the connection and the account.

    Raises KeyError if there is no such account.

    Calls for one account in this process queue before they take a connection, so that a busy account does not
    exhaust the pool.
    """
    turn = _turns.setdefault(account_id, asyncio.Lock())
    async with turn, database.transaction() as connection:
        yield connection, (await lock_accounts(connection, [account_id]))[account_id]


_turns: weakref.WeakValueDictionary[str, asyncio.Lock] = weakref.WeakValueDictionary()


async def lock_accounts(
    connection: database.Connection, account_ids: Iterable[str]
) -> dict[str, model.Account]:
    """Lock accounts in id order until the transaction ends; return those that exist, by id."""
    return await _read(connection, account_ids, "FOR NO KEY UPDATE")


async def read_account(connection: database.Connection, account_id: str) -> model.Account:
    """Return one account without a lock. Raises InvalidInputError if it does not exist."""
    accounts = await _read(connection, [account_id])
    if account_id not in accounts:
        raise errors.InvalidInputError("account", Message("there is no account {id!r}", id=account_id))
    return accounts[account_id]


async def read_accounts(
    connection: database.Connection, account_ids: Iterable[str]
) -> dict[str, model.Account]:
    """Return the accounts that exist, by id, without a lock."""
    return await _read(connection, account_ids)


async def _read(
    connection: database.Connection, account_ids: Iterable[str], locking: str = ""
) -> dict[str, model.Account]:
    settings = config.get_settings()
    rows = await database.fetch(
        connection,
        f"""SELECT id, time_zone, balance_cents, ledger_number, coalesce(lead_days, $2)::int, price_rise_cap_bps,
              currency, auto_renew_from, $3::time, language, test_clock, name
            FROM accounts WHERE id = ANY($1) ORDER BY id {locking}""",
        sorted(set(account_ids)),
        settings.auto_renew_lead_days,
        settings.auto_renew_time,
    )
    return {row[0]: _build_account(row) for row in rows}


def _build_account(row: database.Row) -> model.Account:
    account_id, time_zone, *values = row
    account = model.Account(account_id, ZoneInfo(time_zone), *values)
    return dataclasses.replace(account, language=model.Language(account.language))
