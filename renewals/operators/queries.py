"""Queries of the operator API for accounts, orders, keys and audit entries, across all accounts."""

import uuid
from collections.abc import Sequence

from renewals.db import models, pagination
from renewals.db import sql as db_sql
from renewals.db.connection import Connection, Row
from renewals.operators import audit_log

ACCOUNTS = pagination.SortOrder("accounts", (pagination.text_column("id", "a.id"),))
AUDIT_LOG = pagination.SortOrder("audit", (pagination.integer_column("id", "l.id"),), descending=True)

_ACCOUNT_COLUMNS = (
    "id", "name", "currency", "time_zone", "balance_cents", "lead_days", "price_rise_cap_bps", "auto_renew_from",
    "language", "test_clock", "created_at",
)  # fmt: skip
_ORDER_COLUMNS = (
    "id", "account_id", "kind", "created_at", "total_cents", "voucher_cents", "balance_cents",
)  # fmt: skip
_KEY_COLUMNS = (
    "id", "account_id", "role", "name", "prefix", "created_at", "expires_at", "revoked_at", "last_used_at",
)  # fmt: skip
_ENTRY_COLUMNS = (
    "id", "operator_key_id", "operator_name", "operator_issuer", "action", "account_ids", "idempotency_key",
    "created_at", "request", "before", "after",
)  # fmt: skip


async def fetch_accounts(
    connection: Connection, request: pagination.PageRequest, *, search: str | None, counted: bool
) -> pagination.Page:
    """Return a page of the accounts that match `search`, or of all accounts if it is None, sorted by id."""
    return await pagination.fetch_page(
        connection,
        select=_select("a", _ACCOUNT_COLUMNS),
        source="accounts a",
        conditions=_matching(search),
        ordering=ACCOUNTS,
        request=request,
        counted=counted,
    )


async def count_accounts(connection: Connection, *, search: str | None) -> int:
    """Return the number of accounts that match `search`, or of all accounts if it is None."""
    return await pagination.count_rows(connection, "accounts a", _matching(search))


def _matching(search: str | None) -> db_sql.WhereClause:
    conditions = db_sql.WhereClause()
    conditions.add("TRUE")
    if search is not None:
        db_sql.add_search(conditions, search, "a.id", "a.name")
    return conditions


async def find_account(connection: Connection, account_id: str) -> Row | None:
    """Return an account, or None if it does not exist."""
    if not db_sql.is_storable(account_id):
        return None
    return await models.Account.get_or_none(id=account_id, using_db=connection).values(*_ACCOUNT_COLUMNS)


async def fetch_accounts_by_id(connection: Connection, account_ids: Sequence[str]) -> dict[str, Row]:
    """Return the accounts with the given ids, by id."""
    accounts = models.Account.filter(id__in=db_sql.storable_texts(account_ids)).using_db(connection)
    return {row["id"]: row for row in await accounts.values(*_ACCOUNT_COLUMNS)}


async def find_order(connection: Connection, order_id: uuid.UUID) -> Row | None:
    """Return an order of any account, or None if it does not exist."""
    return await models.Order.get_or_none(id=order_id, using_db=connection).values(*_ORDER_COLUMNS)


async def list_keys(
    connection: Connection, *, account_id: str | None = None, prefix: str | None = None
) -> Sequence[Row]:
    """Return API keys without their secrets, the oldest first.

    `account_id` and `prefix` select keys by owner and by prefix. If both are None, the keys of operators are returned.
    """
    conditions: dict[str, object] = {}
    if prefix is not None:
        conditions["prefix__in"] = db_sql.storable_texts([prefix])
    if account_id is not None:
        conditions["account_id__in"] = db_sql.storable_texts([account_id])
    elif prefix is None:
        conditions["account_id__isnull"] = True
    keys = models.ApiKey.filter(**conditions).using_db(connection).order_by("created_at", "id")
    return await keys.values(*_KEY_COLUMNS)


async def get_key(connection: Connection, key_id: str) -> Row:
    """Return an API key that must exist."""
    return await models.ApiKey.get(id=key_id, using_db=connection).values(*_KEY_COLUMNS)


async def fetch_audit_log(
    connection: Connection,
    request: pagination.PageRequest,
    *,
    account_id: str | None,
    action: audit_log.Action | None,
    counted: bool,
) -> pagination.Page:
    """Return a page of the audit log, newest first. `account_id` and `action` select entries unless they are None."""
    return await pagination.fetch_page(
        connection,
        select=_select("l", _ENTRY_COLUMNS),
        source="audit_log l",
        conditions=_concerning(account_id, action),
        ordering=AUDIT_LOG,
        request=request,
        counted=counted,
    )


async def count_audit_log(
    connection: Connection, *, account_id: str | None, action: audit_log.Action | None
) -> int:
    """Return the number of entries that match the account and the action; an argument that is None matches all."""
    return await pagination.count_rows(connection, "audit_log l", _concerning(account_id, action))


def _concerning(account_id: str | None, action: audit_log.Action | None) -> db_sql.WhereClause:
    conditions = db_sql.WhereClause()
    conditions.add("TRUE")
    if account_id is not None and not db_sql.is_storable(account_id):
        conditions.add("FALSE")
    elif account_id is not None:
        conditions.add("l.account_ids @> {}::text[]", [account_id])
    if action is not None:
        conditions.add("l.action = {}", action)
    return conditions


def _select(alias: str, columns: Sequence[str]) -> str:
    return ", ".join(f"{alias}.{column}" for column in columns)
