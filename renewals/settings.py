"""Settings from the environment, read once. The README lists them all with their defaults."""

import datetime as dt
from functools import cache
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

INSTANCES_PER_SELECTION_MAX = 10_000
PAGE_ROWS_DEFAULT = 10
PAGE_ROWS_MAX = 1_000
MONTHS_MAX = 36
IDEMPOTENCY_KEY_LENGTH_MAX = 64
LEAD_DAYS_MAX = 9
INSTANCES_PER_CHUNK = 1_000


class Settings(BaseSettings):
    """What an operator may choose; every limit of rule 26 among them."""

    model_config = SettingsConfigDict(env_prefix="RENEWALS_", extra="ignore")

    database_url: Annotated[str | None, Field(validation_alias="DATABASE_URL")] = None
    """PostgreSQL, as in postgres://user:password@host:5432/renewals."""
    redis_url: Annotated[str | None, Field(validation_alias="REDIS_URL")] = None
    """Redis or Valkey, as in redis://host:6379/0."""
    database_pool_size: Annotated[int, Field(ge=1, le=100)] = 10
    data_dir: Path = Path(".renewals")
    """Where `renewals up` keeps the embedded servers' data, the GraphiQL files and the demo key."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    graphiql: bool = False
    """Serves GraphiQL at /graphql; `renewals up` turns it on."""
    log_level: str = "INFO"

    time_zone: ZoneInfo = ZoneInfo("Asia/Shanghai")
    """The zone of new accounts, and of instants given to the command line without an offset."""
    auto_renew_time: dt.time = dt.time(0, 30)
    """When, in the account's zone, the worker starts to renew on the day of expiry."""
    auto_renew_lead_days: Annotated[int, Field(ge=0, le=LEAD_DAYS_MAX)] = 0
    """So many days before the day of expiry, where the account says nothing of its own."""
    instances_per_chunk: Annotated[int, Field(ge=1)] = INSTANCES_PER_CHUNK
    """About so many instances are renewed in one transaction."""
    worker_chunks_at_once: Annotated[int, Field(ge=1, le=32)] = 2

    instances_per_selection_max: Annotated[int, Field(ge=1)] = INSTANCES_PER_SELECTION_MAX
    page_rows_max: Annotated[int, Field(ge=1)] = PAGE_ROWS_MAX
    months_max: Annotated[int, Field(ge=1)] = MONTHS_MAX
    idempotency_key_length_max: Annotated[int, Field(ge=1, le=64)] = IDEMPOTENCY_KEY_LENGTH_MAX


@cache
def get() -> Settings:
    """The settings of this process."""
    return Settings()
