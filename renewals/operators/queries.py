"""Reads for operators, who see every account."""

import uuid
from collections.abc import Sequence

from renewals.db import connection as database
from renewals.db import pagination
from renewals.db import sql as db_sql
from renewals.db.connection import Connection, Row
from renewals.operators import audit_log
from renewals.orders import queries as orders_queries

ACCOUNTS = pagination.SortOrder("accounts", (pagination.text_column("id", "a.id"),))

_ACCOUNT = """a.id, a.name, a.currency, a.time_zone, a.balance_cents, a.lead_days, a.price_rise_cap_bps,
  a.auto_renew_from, a.created_at"""


async def fetch_accounts(
    connection: Connection, request: pagination.PageRequest, *, search: str | None, counted: bool
) -> pagination.Page:
    """One page of accounts, by id."""
    return await pagination.fetch_page(
        connection,
        select=_ACCOUNT,
        source="accounts a",
        conditions=_matching(search),
        ordering=ACCOUNTS,
        request=request,
        counted=counted,
    )


async def count_accounts(connection: Connection, *, search: str | None) -> int:
    conditions = _matching(search)
    sql = f"SELECT count(*) FROM accounts a WHERE {conditions.where}"
    return int((await database.fetch(connection, sql, *conditions.values))[0][0])


def _matching(search: str | None) -> db_sql.WhereClause:
    conditions = db_sql.WhereClause()
    conditions.add("TRUE")
    if search is not None:
        db_sql.add_search(conditions, search, "a.id", "a.name")
    return conditions


async def fetch_accounts_by_id(connection: Connection, account_ids: Sequence[str]) -> dict[str, Row]:
    """Those of the accounts that are there, by id."""
    sql = f"SELECT {_ACCOUNT} FROM accounts a WHERE a.id = ANY($1)"
    rows = await database.fetch(connection, sql, db_sql.storable_texts(account_ids))
    return {row["id"]: row for row in rows}


async def fetch_order(connection: Connection, order_id: uuid.UUID) -> Row | None:
    """An order of whatever account, if it is there."""
    sql = f"SELECT {orders_queries.ORDER_COLUMNS} FROM orders o WHERE o.id = $1"
    rows = await database.fetch(connection, sql, order_id)
    return rows[0] if rows else None


async def fetch_keys(
    connection: Connection, *, account_id: str | None = None, prefix: str | None = None
) -> Sequence[Row]:
    """The keys of an account, or with a prefix of whomever, or else of operators; never their secrets."""
    conditions = db_sql.WhereClause()
    if prefix is not None:
        conditions.add("k.prefix = ANY({})", db_sql.storable_texts([prefix]))
    if account_id is not None:
        conditions.add("k.account_id = ANY({})", db_sql.storable_texts([account_id]))
    elif prefix is None:
        conditions.add("k.account_id IS NULL")
    return await _fetch_keys(connection, conditions)


async def fetch_key(connection: Connection, key_id: str) -> Row:
    """A key that is there."""
    conditions = db_sql.WhereClause()
    conditions.add("k.id = {}", key_id)
    return (await _fetch_keys(connection, conditions))[0]


async def _fetch_keys(connection: Connection, conditions: db_sql.WhereClause) -> Sequence[Row]:
    return await database.fetch(
        connection,
        f"""SELECT k.id, k.account_id, k.role, k.name, k.prefix, k.created_at, k.expires_at, k.revoked_at,
              k.last_used_at
            FROM api_keys k WHERE {conditions.where} ORDER BY k.created_at, k.id""",
        *conditions.values,
    )


AUDIT_LOG = pagination.SortOrder("audit", (pagination.integer_column("id", "l.id"),), descending=True)

_ENTRY = """l.id, l.operator_key_id, l.operator_name, l.operator_issuer, l.action, l.account_ids,
  l.idempotency_key, l.created_at, l.request, l.before, l.after"""


async def fetch_audit_log(
    connection: Connection,
    request: pagination.PageRequest,
    *,
    account_id: str | None,
    action: audit_log.Action | None,
    counted: bool,
) -> pagination.Page:
    """One page of what operators did, the newest first."""
    return await pagination.fetch_page(
        connection,
        select=_ENTRY,
        source="audit_log l",
        conditions=_done(account_id, action),
        ordering=AUDIT_LOG,
        request=request,
        counted=counted,
    )


async def count_audit_log(
    connection: Connection, *, account_id: str | None, action: audit_log.Action | None
) -> int:
    conditions = _done(account_id, action)
    sql = f"SELECT count(*) FROM audit_log l WHERE {conditions.where}"
    return int((await database.fetch(connection, sql, *conditions.values))[0][0])


def _done(account_id: str | None, action: audit_log.Action | None) -> db_sql.WhereClause:
    conditions = db_sql.WhereClause()
    conditions.add("TRUE")
    if account_id is not None and not db_sql.is_storable(account_id):
        conditions.add("FALSE")
    elif account_id is not None:
        conditions.add("l.account_ids @> {}::text[]", [account_id])
    if action is not None:
        conditions.add("l.action = {}", action)
    return conditions
