"""Tortoise's configuration for a PostgreSQL URL."""

from typing import Any

from tortoise.backends.base.config_generator import expand_db_url

from renewals.db import pool as db_pool
from renewals.db import sessions

APP = "renewals"
DEFAULT_CONNECTION = "default"
REPLICA_CONNECTION = "replica"
CONNECT_SECONDS_MAX = 10
STATEMENT_CACHE_SIZE = 100
"""The maximum number of prepared statements that a connection keeps; asyncpg has the same default."""


def build_configuration(
    url: str,
    pool_size: int = 10,
    *,
    pool_size_min: int = 1,
    connect_seconds_max: float = CONNECT_SECONDS_MAX,
    idle_seconds_max: float = 300,
    replica_url: str | None = None,
    **seconds_max: int,
) -> dict[str, Any]:
    """Build Tortoise's configuration; `statement`, `transaction` and `lock` are limits in seconds (0: no limit)."""
    transaction_seconds_max = seconds_max.pop("transaction", 0)
    credentials = {
        "minsize": min(pool_size_min, pool_size),
        "maxsize": pool_size,
        "timeout": connect_seconds_max,
        "max_inactive_connection_lifetime": idle_seconds_max,
        "application_name": APP,
        "transaction_seconds_max": transaction_seconds_max,
        "server_settings": sessions.build_settings(**seconds_max),
        "statement_cache_size": STATEMENT_CACHE_SIZE,
        # Without a limit (0), asyncpg gives long statements a name, too. A pooler may send the messages of an unnamed
        # statement to different sessions.
        "max_cacheable_statement_size": 0,
    }
    app = {
        "models": ["renewals.db.models"],
        "default_connection": DEFAULT_CONNECTION,
        "migrations": "renewals.db.migrations",
    }
    connections = {DEFAULT_CONNECTION: _build_connection(url, credentials)}
    if replica_url is not None:
        of_replica = credentials | {"minsize": 0, "is_replica": True}
        connections[REPLICA_CONNECTION] = _build_connection(replica_url, of_replica)
    return {"connections": connections, "apps": {APP: app}}


def _build_connection(url: str, credentials: dict[str, object]) -> dict[str, object]:
    address = url.partition("://")[2].partition("?")[0]
    connection = expand_db_url(f"asyncpg://{address}") | {"engine": db_pool.__name__}
    connection["credentials"] |= {"dsn": url, **credentials}
    return connection
