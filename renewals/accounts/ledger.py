"""Ledger entries and balances.

Only the reset of the demo account (`demo.reset`) also changes `ledger_entries` and `accounts.balance_cents`: it deletes
the entries and sets the balance to 0.

Every other change of a balance has an entry, and entries are never changed. The sum of an account's entries without a
voucher equals its balance (rule 16).
"""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from renewals.accounts import repository
from renewals.db import connection as database
from renewals.db import sql, statements
from renewals.domain import model


class NewLedgerEntry(NamedTuple):
    """A change of a balance, or of a voucher if `voucher_id` is set, with the amount left afterwards, in cents."""

    account_id: str
    amount_cents: int
    balance_after_cents: int
    voucher_id: str | None
    memo: str
    order_id: uuid.UUID | None = None


async def top_up(
    connection: database.Connection, account_id: str, amount_cents: int, *, memo: str, now: dt.datetime
) -> None:
    """Add an amount to an account's balance, with a ledger entry."""
    account = (await repository.lock_accounts(connection, [account_id]))[account_id]
    after_cents = account.balance_cents + amount_cents
    entry = NewLedgerEntry(account_id, amount_cents, after_cents, None, memo)
    await post_top_ups(connection, {account_id: account}, [entry], now)


async def post_top_ups(
    connection: database.Connection,
    accounts: Mapping[str, model.Account],
    entries: Sequence[NewLedgerEntry],
    now: dt.datetime,
) -> None:
    """Insert entries of the kind TOP_UP and update the balances, as described in `build_entries`.

    Each entry has the current time of its account, which can be a test clock.
    """
    by_instant: dict[dt.datetime, list[NewLedgerEntry]] = {}
    for entry in entries:
        by_instant.setdefault(accounts[entry.account_id].instant(now), []).append(entry)
    for instant, simultaneous in by_instant.items():
        change = build_entries(accounts, model.LedgerEntryKind.TOP_UP, simultaneous, instant)
        await statements.execute_together(connection, change)


def build_entries(
    accounts: Mapping[str, model.Account],
    kind: model.LedgerEntryKind,
    entries: Sequence[NewLedgerEntry],
    now: dt.datetime,
    refund_id: uuid.UUID | None = None,
) -> statements.Change:
    """Return the change that inserts entries in order, numbered without gaps, and updates the balances.

    The accounts must come from `repository.lock_accounts` in the same transaction; `now` is their current time.
    """
    numbers = {account_id: account.ledger_number for account_id, account in accounts.items()}
    balances = {account_id: account.balance_cents for account_id, account in accounts.items()}
    rows = []
    for entry in entries:
        numbers[entry.account_id] += 1
        if entry.voucher_id is None:
            assert entry.balance_after_cents == balances[entry.account_id] + entry.amount_cents
            balances[entry.account_id] = entry.balance_after_cents
        rows.append((*entry, numbers[entry.account_id]))
    account_ids = sorted({entry.account_id for entry in entries})
    return statements.Change(
        {"ledger_entries": _INSERT_ENTRIES, "balances": _UPDATE_BALANCES},
        [
            kind,
            refund_id,
            now,
            *sql.transpose(rows, 7),
            account_ids,
            [balances[account_id] for account_id in account_ids],
            [numbers[account_id] for account_id in account_ids],
        ],
    )


_INSERT_ENTRIES = """
  INSERT INTO ledger_entries
    (account_id, amount_cents, balance_after_cents, voucher_id, memo, order_id, number, kind, refund_id, created_at)
  SELECT e.*, $1, $2, $3
  FROM unnest($4::text[], $5::bigint[], $6::bigint[], $7::uuid[], $8::text[], $9::uuid[], $10::bigint[])
    AS e(account_id, amount_cents, balance_after_cents, voucher_id, memo, order_id, number)"""
_UPDATE_BALANCES = """
  UPDATE accounts a SET balance_cents = u.balance_cents, ledger_number = u.number
  FROM unnest($11::text[], $12::bigint[], $13::bigint[]) AS u(id, balance_cents, number) WHERE a.id = u.id"""
