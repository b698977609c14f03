"""Queries for the API: an account, its ledger and its vouchers."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from renewals import config
from renewals.db import connection as database
from renewals.db import pagination
from renewals.db.connection import Connection, Row
from renewals.db.sql import IS_OF_ACCOUNT, WhereClause
from renewals.domain import model


async def fetch_account(connection: Connection, account_id: str) -> Row:
    """Return the account's row. Raises IndexError if there is no such account."""
    settings = config.get_settings()
    rows = await database.fetch(
        connection,
        """SELECT id, name, currency, time_zone, balance_cents, auto_renew_from, language, test_clock,
             coalesce(lead_days, $2)::int AS lead_days, $3::text AS auto_renew_time, price_rise_cap_bps
           FROM accounts WHERE id = $1""",
        account_id,
        settings.auto_renew_lead_days,
        f"{settings.auto_renew_time:%H:%M}",
    )
    return rows[0]


def build_row(account: model.Account) -> dict[str, object]:
    """Return the row that `fetch_account` would return, built from an account that was already read."""
    return {
        "id": account.id,
        "name": account.name,
        "currency": account.currency,
        "time_zone": account.zone.key,
        "balance_cents": account.balance_cents,
        "auto_renew_from": account.auto_renew_from,
        "language": account.language.value,
        "test_clock": account.test_clock,
        "lead_days": account.lead_days,
        "auto_renew_time": f"{account.auto_renew_time:%H:%M}",
        "price_rise_cap_bps": account.price_rise_cap_bps,
    }


async def fetch_vouchers(
    connection: Connection, account_id: str, now: dt.datetime, *, usable: bool | None = None
) -> Sequence[Row]:
    """Return the account's vouchers in the order in which they are redeemed (rule 15).

    If `usable` is True, return only the usable vouchers; if False, only those that are empty or
    expired; if None, all.
    """
    return await database.fetch(
        connection,
        """SELECT id, face_cents, available_cents, expires_at, product_codes FROM vouchers
           WHERE account_id = $1 AND ($3::boolean IS NULL OR (available_cents > 0 AND expires_at >= $2) = $3)
           ORDER BY expires_at, available_cents DESC, id::text""",
        account_id,
        now,
        usable,
    )


async def fetch_vouchers_by_id(
    connection: Connection, account_id: str | None, voucher_ids: Sequence[str]
) -> dict[str, Row]:
    """Return the vouchers with these ids, by id; if `account_id` is given, only the vouchers of that account."""
    rows = await database.fetch(
        connection,
        f"""SELECT id, face_cents, available_cents, expires_at, product_codes FROM vouchers v
            WHERE {IS_OF_ACCOUNT.format("v")} AND id = ANY($2::uuid[])""",
        account_id,
        voucher_ids,
    )
    return {str(row["id"]): row for row in rows}


@dataclass(frozen=True, slots=True)
class LedgerFilter:
    """Conditions on ledger entries; a field that is None sets no condition."""

    vouchers: bool | None = None
    """True selects entries of vouchers, False entries of the balance."""
    kinds: Sequence[model.LedgerEntryKind] | None = None
    """An empty list matches nothing."""
    created_from: dt.datetime | None = None
    created_before: dt.datetime | None = None


def ledger_conditions(account_id: str, ledger_filter: LedgerFilter) -> WhereClause:
    """Return the filter as conditions on `ledger_entries e` of one account."""
    conditions = WhereClause()
    conditions.add("e.account_id = {}", account_id)
    if ledger_filter.vouchers is not None:
        conditions.add(f"e.voucher_id IS {'NOT ' if ledger_filter.vouchers else ''}NULL")
    if ledger_filter.kinds is not None:
        conditions.add("e.kind = ANY({})", sorted(set(ledger_filter.kinds)))
        if model.LedgerEntryKind.RENEWAL not in ledger_filter.kinds:
            conditions.add("e.kind <> 'RENEWAL'")  # the condition of a partial index
    conditions.add_range("e.created_at", ledger_filter.created_from, ledger_filter.created_before)
    return conditions


LEDGER = pagination.SortOrder("ledger", (pagination.integer_column("number", "e.number"),), descending=True)


BALANCE_AFTER = """CASE WHEN e.voucher_id IS NULL THEN e.balance_after_cents ELSE coalesce((
  SELECT b.balance_after_cents FROM ledger_entries b
  WHERE b.account_id = e.account_id AND b.voucher_id IS NULL AND b.number < e.number
  ORDER BY b.number DESC LIMIT 1), 0) END"""
"""The account's balance after an entry `e`; an entry of a voucher does not change it."""
AVAILABLE_AFTER = "CASE WHEN e.voucher_id IS NOT NULL THEN e.balance_after_cents END"
"""The amount left on a voucher after an entry `e`; null for an entry of the balance."""


async def fetch_ledger(
    connection: Connection,
    account_id: str,
    ledger_filter: LedgerFilter,
    request: pagination.PageRequest,
    *,
    counted: bool,
) -> pagination.Page:
    """Return one page of the account's ledger entries that match a filter, newest first."""
    return await pagination.fetch_page(
        connection,
        select=f"""e.number, e.kind, e.amount_cents, {BALANCE_AFTER} AS balance_after_cents,
          {AVAILABLE_AFTER} AS available_after_cents, e.voucher_id::text, e.created_at, e.order_id, e.memo""",
        source="ledger_entries e",
        conditions=ledger_conditions(account_id, ledger_filter),
        ordering=LEDGER,
        request=request,
        counted=counted,
    )


async def find_test_clocks(
    connection: Connection, account_ids: Sequence[str]
) -> dict[str, dt.datetime | None]:
    """Return the test clock of each account that exists, by id; None if the account is in real time (rule 37)."""
    sql = "SELECT id, test_clock FROM accounts WHERE id = ANY($1)"
    return dict(map(tuple, await database.fetch(connection, sql, account_ids)))


async def count_ledger(connection: Connection, account_id: str, ledger_filter: LedgerFilter) -> int:
    """Return the number of the account's ledger entries that match a filter."""
    return await pagination.count_rows(
        connection, "ledger_entries e", ledger_conditions(account_id, ledger_filter)
    )
