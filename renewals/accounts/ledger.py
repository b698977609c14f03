"""Ledger entries and balances.

Only the reset of the demo account (`demo.reset`) also writes `ledger_entries` and `accounts.balance_cents`: it deletes
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
    kind: model.LedgerEntryKind
    amount_cents: int
    balance_after_cents: int
    order_id: uuid.UUID | None
    voucher_id: str | None
    memo: str
    refund_id: uuid.UUID | None = None
    """Set for the kind REFUND."""


async def top_up(
    connection: database.Connection, account_id: str, amount_cents: int, *, memo: str, now: dt.datetime
) -> None:
    """Add an amount to an account's balance, with a ledger entry."""
    account = (await repository.lock_accounts(connection, [account_id]))[account_id]
    after_cents = account.balance_cents + amount_cents
    entry = NewLedgerEntry(
        account_id, model.LedgerEntryKind.TOP_UP, amount_cents, after_cents, None, None, memo
    )
    await post_entries(connection, {account_id: account}, [entry], now)


async def post_entries(
    connection: database.Connection,
    accounts: Mapping[str, model.Account],
    entries: Sequence[NewLedgerEntry],
    now: dt.datetime,
) -> None:
    """Insert entries and update the balances, as described in `build_entries`."""
    await statements.execute_together(connection, build_entries(accounts, entries, now))


def build_entries(
    accounts: Mapping[str, model.Account], entries: Sequence[NewLedgerEntry], now: dt.datetime
) -> statements.Change:
    """Return the change that inserts entries in order, numbered without gaps, and updates the balances.

    Each entry has the current time of its account, which may be a test clock. The accounts must come from
    `repository.lock_accounts` in the same transaction.
    """
    numbers = {account_id: account.ledger_number for account_id, account in accounts.items()}
    balances = {account_id: account.balance_cents for account_id, account in accounts.items()}
    rows = []
    for entry in entries:
        numbers[entry.account_id] += 1
        if entry.voucher_id is None:
            assert entry.balance_after_cents == balances[entry.account_id] + entry.amount_cents
            balances[entry.account_id] = entry.balance_after_cents
        rows.append((*entry, numbers[entry.account_id], accounts[entry.account_id].instant(now)))
    account_ids = sorted({entry.account_id for entry in entries})
    return statements.Change(
        {"ledger_entries": _INSERT_ENTRIES, "balances": _UPDATE_BALANCES},
        [
            *sql.transpose(rows, 10),
            account_ids,
            [balances[account_id] for account_id in account_ids],
            [numbers[account_id] for account_id in account_ids],
        ],
    )


_INSERT_ENTRIES = """
  INSERT INTO ledger_entries
    (account_id, kind, amount_cents, balance_after_cents, order_id, voucher_id, memo, refund_id, number, created_at)
  SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::uuid[], $6::uuid[], $7::text[],
    $8::uuid[], $9::bigint[], $10::timestamptz[])"""
_UPDATE_BALANCES = """
  UPDATE accounts a SET balance_cents = u.balance_cents, ledger_number = u.number
  FROM unnest($11::text[], $12::bigint[], $13::bigint[]) AS u(id, balance_cents, number) WHERE a.id = u.id"""
