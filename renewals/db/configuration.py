"""Tortoise's configuration for a PostgreSQL URL."""

from typing import Any

from tortoise.backends.base.config_generator import expand_db_url

from renewals.db import pool as db_pool

APP = "renewals"
DEFAULT_CONNECTION = "default"
IDLE_SECONDS_MAX = 60
"""Time after which PostgreSQL ends a transaction that is idle between two statements, to free its locks."""
CONNECT_SECONDS_MAX = 10


def build_configuration(
    url: str,
    pool_size: int = 10,
    *,
    pool_size_min: int = 1,
    connect_seconds_max: float = CONNECT_SECONDS_MAX,
    idle_seconds_max: float = 300,
    **seconds_max: int,
) -> dict[str, Any]:
    """Build Tortoise's configuration; `statement`, `transaction` and `lock` are limits in seconds, 0 for none."""
    address = url.partition("://")[2].partition("?")[0]
    connection = expand_db_url(f"asyncpg://{address}") | {"engine": db_pool.__name__}
    transaction_seconds_max = seconds_max.pop("transaction", 0)
    limits = {"idle_in_transaction_session": IDLE_SECONDS_MAX} | seconds_max
    connection["credentials"] |= {
        "dsn": url,
        "minsize": min(pool_size_min, pool_size),
        "maxsize": pool_size,
        "timeout": connect_seconds_max,
        "max_inactive_connection_lifetime": idle_seconds_max,
        "application_name": APP,
        "transaction_seconds_max": transaction_seconds_max,
        # PostgreSQL overestimates subqueries that rarely run, and would compile short statements for them.
        "server_settings": {"jit": "off"}
        | {f"{name}_timeout": f"{seconds}s" for name, seconds in limits.items()},
    }
    app = {
        "models": ["renewals.db.models"],
        "default_connection": DEFAULT_CONNECTION,
        "migrations": "renewals.db.migrations",
    }
    return {"connections": {DEFAULT_CONNECTION: connection}, "apps": {APP: app}}
