"""Settings from the environment, read once. docs/configuration.md lists them all with their defaults."""

import contextlib
import datetime as dt
import difflib
from collections.abc import Iterable
from functools import cache
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from cryptography.fernet import Fernet
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, ValidationInfo
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from renewals.domain import limits

NEARNESS_MIN = 0.8
"""Similarity of two names above which one counts as a misspelling of the other."""
INSTANCES_PER_CHUNK = 1_000
EXPORT_SECONDS_MAX = 600
EXPORT_STALL_SECONDS_MAX = 30
EXPORTS_AT_ONCE_MAX = 4
CALENDAR_DAYS = 90
AUTO_RENEW_TIME_MAX = dt.time(22, 45)


def _whole_minute(time: dt.time) -> dt.time:
    if time.second or time.microsecond or time.tzinfo:
        raise ValueError("must be hours and minutes, as in 00:30")
    return time


def _split(text: Any) -> Any:
    return [part.strip() for part in text.split(",") if part.strip()] if isinstance(text, str) else text


def _database_url(url: str | None) -> str | None:
    """Check the port, which an unencoded character of the password breaks; the error never quotes the URL."""
    with contextlib.suppress(ValueError):
        if url is None or urlsplit(url).port != 0:
            return url
    raise ValueError(
        "must be as in postgres://user:password@host:5432/name, with / : @ # ? and % of the password percent-encoded"
    )


def _issuer(url: str | None, info: ValidationInfo) -> str | None:
    """Check that the address of an issuer has TLS, unless `jwt_http` allows one without."""
    schemes = ("https://", "http://") if info.data.get("jwt_http") else ("https://",)
    if url is not None and not url.startswith(schemes):
        raise ValueError("must begin with https://")
    return url


def _audience(audience: str | None, info: ValidationInfo) -> str | None:
    if not audience and info.data.get("jwt_issuer"):
        raise ValueError("must be set, because RENEWALS_JWT_ISSUER is set")
    return audience


def _minute_cost(cost: int, info: ValidationInfo) -> int:
    """Check that a budget is 0 (no limit), or enough for one request of the maximum cost."""
    least = info.data.get("cost_max", 0)
    if 0 < cost < least:
        raise ValueError(f"must be 0, or at least RENEWALS_COST_MAX, which is {least}")
    return cost


def _fernet_key(key: SecretStr) -> SecretStr:
    Fernet(key.get_secret_value())
    return key


class _Marker:
    """The kind of a field that is not a setting."""


FIXED = _Marker()
"""Marks a limit of the product: the environment does not change it; tests construct other values."""
INTERNAL = _Marker()
"""Marks a value that `renewals up` passes to its server."""


CommaSeparated = (NoDecode, BeforeValidator(_split))
"""Marks a value of several parts, separated by commas."""


class _Environment(EnvSettingsSource):
    """The environment without the fixed fields."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return the value of a variable, its name, and whether it is JSON."""
        if FIXED in field.metadata:
            return None, field_name, False
        return super().get_field_value(field, field_name)


class Settings(BaseSettings):
    """Settings of an operator, and limits of the product, which are marked as fixed.

    The limits of the public contract are in `domain.limits`.
    """

    model_config = SettingsConfigDict(env_prefix="RENEWALS_", extra="ignore")

    database_url: Annotated[
        str | None,
        Field(validation_alias="DATABASE_URL", pattern="^postgres(ql)?://"),
        AfterValidator(_database_url),
    ] = None
    """PostgreSQL, as in postgres://user:password@host:5432/renewals."""
    redis_url: Annotated[str | None, Field(validation_alias="REDIS_URL", pattern="^(rediss?|unix)://")] = None
    """Redis or Valkey, as in redis://host:6379/0."""
    database_pool_size: Annotated[int, Field(ge=1, le=100)] = 16
    database_pool_size_min: Annotated[int, Field(ge=0, le=100), FIXED] = 1
    """Connections that stay open while idle."""
    database_connect_seconds_max: Annotated[float, Field(gt=0, le=60), FIXED] = 10
    database_idle_seconds_max: Annotated[float, Field(ge=0), FIXED] = 300
    """Seconds after which an idle connection above the minimum is closed; 0: never."""
    database_statement_seconds_max: Annotated[int, Field(ge=0)] = 300
    """Seconds after which PostgreSQL cancels a statement of the API or the worker; 0: never."""
    data_dir: Path = Path(".renewals")
    """Folder in which `renewals up` keeps the data of the embedded servers and its keys."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    """Number of API processes that share the port. With two or more, SIGHUP replaces them one at a time."""
    compute_processes: Annotated[int, Field(ge=0, le=64)] = 1
    """Processes for long computations, for each API process, started on demand; 0: none."""
    drain_seconds: Annotated[float, Field(ge=0, le=3600)] = 30
    """Grace period after SIGTERM, in seconds. During the first half, open connections may send further requests."""
    keep_alive_seconds: Annotated[int, Field(ge=1, le=3600)] = 75
    """Seconds after which an idle connection is closed; must exceed the time of the proxy in front, mostly 60."""
    graphiql: bool = False
    """Serve GraphiQL at /graphql; `renewals up` turns it on."""
    graphiql_key: Annotated[str | None, INTERNAL] = None
    """API key that GraphiQL sends. Everyone who opens the page sees it."""
    operator_api: bool = False
    """Serve the operators' API at /operator/graphql; `renewals up` turns it on."""
    graphiql_operator_key: Annotated[str | None, INTERNAL] = None
    """Operator key that GraphiQL sends there. Everyone who opens the page sees it."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"
    log_format: Literal["json", "text"] | None = None
    """None: text if the log is a terminal, otherwise JSON."""
    metrics: bool = False
    """Serve /metrics on the port of the API, without a key."""
    worker_metrics_port: Annotated[int, Field(ge=0, le=65535)] | None = None
    """Port at `host` on which a worker serves /metrics, /healthz and /readyz."""
    traces: Annotated[str | None, Field(pattern="^(https?://.+|otel)$")] = None
    """OTLP endpoint for traces; `otel`: the endpoint in OpenTelemetry's own variables."""

    time_zone: ZoneInfo = ZoneInfo("Asia/Shanghai")
    """Time zone of new accounts, and of instants without an offset on the command line."""
    auto_renew_time: Annotated[dt.time, Field(le=AUTO_RENEW_TIME_MAX), AfterValidator(_whole_minute)] = (
        dt.time(0, 30)
    )
    """Start of automatic renewals on the day of expiry, in the account's zone.

    At most 22:45, so that in every zone an hourly run follows on the same day.
    """
    auto_renew_lead_days: Annotated[int, Field(ge=0, le=limits.LEAD_DAYS_MAX)] = 0
    """Days before the day of expiry; an account may have its own value."""
    instances_per_chunk: Annotated[int, Field(ge=1)] = INSTANCES_PER_CHUNK
    """Approximate number of instances renewed in one transaction."""
    worker_chunks_at_once: Annotated[int, Field(ge=1, le=32)] = 4
    """Chunks that a worker processes concurrently, so that planning one overlaps with writing the others."""

    body_bytes_max: Annotated[int, Field(ge=1_000)] = 1024 * 1024
    operator_body_bytes_max: Annotated[int, Field(ge=1_000), FIXED] = 16 * 1024 * 1024
    """Bytes of a request of the operators' API, whose calls have thousands of rows."""
    document_characters_max: Annotated[int, Field(ge=1_000), FIXED] = 100_000
    document_tokens_max: Annotated[int, Field(ge=100), FIXED] = 2_000
    """Names and punctuators; literal values do not count."""
    depth_max: Annotated[int, Field(ge=1, le=50), FIXED] = 15
    """Nesting of fields; GraphiQL's introspection needs 15."""
    root_fields_max: Annotated[int, Field(ge=1), FIXED] = 50
    aliases_max: Annotated[int, Field(ge=0), FIXED] = 100
    directives_max: Annotated[int, Field(ge=0), FIXED] = 100
    repeats_max: Annotated[int, Field(ge=0), FIXED] = 20_000
    """Maximum number of same-name field pairs; validation cost is quadratic in them."""
    fields_max: Annotated[int, Field(ge=1), FIXED] = 500_000
    """Fields of one response."""
    cost_max: Annotated[int, Field(ge=1)] = 10_000_000
    """Cost of one request: its fields and the work for them."""
    answer_bytes_max: Annotated[int, Field(ge=1_000), FIXED] = 20_000_000
    """Bytes of one response before compression."""
    cost_per_minute_max: Annotated[int, Field(ge=0, validate_default=True), AfterValidator(_minute_cost)] = (
        100_000_000
    )
    """Cost of a key's requests in a minute, about the capacity of one process; 0: no limit."""
    request_seconds_max: Annotated[float, Field(gt=0, le=600)] = 30
    """Seconds after which a query or a mutation is canceled, its statement in the database included."""
    sockets_per_key_max: Annotated[int, Field(ge=0), FIXED] = 20
    """Open web sockets per key and process."""
    subscriptions_per_key_max: Annotated[int, Field(ge=0), FIXED] = 100
    """Running subscriptions per key and process."""
    introspection: bool = False
    """Allow introspection; `renewals up` turns it on."""
    trusted_documents: Path | None = None
    """JSON file of documents that clients may name by hash or id: {"sha256:...": "query Q { ... }"}."""
    trusted_documents_only: bool = False
    """Refuse every other document."""
    persisted_characters_max: Annotated[int, Field(ge=0), FIXED] = 5_000_000
    """Characters of documents that a process keeps for automatic persisted queries; 0: none."""
    cors_origins: Annotated[tuple[str, ...], *CommaSeparated] = ()
    """Origins of web pages that may call the API, as in https://console.example.com; *: all."""

    export_seconds_max: Annotated[int, Field(ge=1, le=3600), FIXED] = EXPORT_SECONDS_MAX
    """Seconds after which an export is cut, because its snapshot keeps old rows alive."""
    export_stall_seconds_max: Annotated[int, Field(ge=1, le=50), FIXED] = EXPORT_STALL_SECONDS_MAX
    """Seconds without reading after which an export is cut; below PostgreSQL's limit for idle transactions."""
    exports_at_once_max: Annotated[int, Field(ge=1), FIXED] = EXPORTS_AT_ONCE_MAX
    """Running exports per process; each holds a connection, and half of the pool is reserved for others."""
    calendar_days: Annotated[int, Field(ge=1, le=limits.FORECAST_DAYS_MAX), FIXED] = CALENDAR_DAYS
    """Days of a calendar, today included."""

    webhook_endpoints_max: Annotated[int, Field(ge=0), FIXED] = 10
    """Endpoints per account, and endpoints of the provider."""
    webhook_keys: Annotated[
        tuple[Annotated[SecretStr, AfterValidator(_fernet_key)], ...], *CommaSeparated
    ] = ()
    """Fernet keys for the endpoints' secrets: the first encrypts, all decrypt. Without keys, secrets are plain text."""
    webhook_http: bool = False
    """Allow endpoints without TLS."""
    webhook_ports: Annotated[tuple[Annotated[int, Field(ge=1, le=65535)], ...], *CommaSeparated] = (443,)
    webhook_networks: Annotated[tuple[IPv4Network | IPv6Network, ...], *CommaSeparated] = ()
    """Private networks that endpoints may be in."""
    webhook_endpoints_at_once: Annotated[int, Field(ge=2, le=256), FIXED] = 16
    """Endpoints that a worker sends to concurrently; failing and slow ones get at most half."""
    webhook_requests_at_once: Annotated[int, Field(ge=1, le=256), FIXED] = 16
    """Concurrent requests to one endpoint."""

    jwt_http: Annotated[bool, FIXED] = False
    """Allow an issuer and a JWKS URL without TLS, for tests."""
    jwt_issuer: Annotated[str | None, AfterValidator(_issuer)] = None
    """The exact `iss` of accepted tokens; None: only keys are accepted."""
    jwt_audience: Annotated[str | None, Field(validate_default=True), AfterValidator(_audience)] = None
    """Value that `aud` must be or contain."""
    jwt_jwks_url: Annotated[str | None, AfterValidator(_issuer)] = None
    """URL of the issuer's keys; None: `jwks_uri` of its /.well-known/openid-configuration."""
    jwt_algorithms: Annotated[tuple[Literal["RS256", "ES256"], ...], Field(min_length=1), FIXED] = (
        "RS256",
        "ES256",
    )
    """Accepted signature algorithms; the type of the key selects one."""
    jwt_account_claim: Annotated[str, Field(min_length=1)] = "account"
    jwt_role_claim: Annotated[str, Field(min_length=1)] = "role"
    """Claim with VIEWER, RENEWER or OPERATOR, alone or in a list with other roles."""
    jwt_leeway_seconds: Annotated[int, Field(ge=0, le=300), FIXED] = 30
    """Allowed clock skew, in seconds."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return where values come from: arguments first, then the environment."""
        return init_settings, _Environment(settings_cls)

    @property
    def required_database_url(self) -> str:
        """Return `database_url`; raise SettingMissingError without one."""
        if self.database_url is None:
            raise SettingMissingError("DATABASE_URL")
        return self.database_url

    @property
    def required_redis_url(self) -> str:
        """Return `redis_url`; raise SettingMissingError without one."""
        if self.redis_url is None:
            raise SettingMissingError("REDIS_URL")
        return self.redis_url


class SettingMissingError(Exception):
    """A required setting is not in the environment."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is not set. Set it, or run `renewals up`, which starts servers of its own.")


def replace(settings: Settings, name: str, value: object) -> Settings:
    """Return the settings with one value replaced. Raises ValueError for a value out of bounds."""
    changed = settings.model_copy()
    Settings.__pydantic_validator__.validate_assignment(changed, name, value)
    return changed


def format_errors(problem: ValueError, name: str | None = None) -> str:
    """Return a line for each invalid setting: its variable, or the given name, and the error, without secrets."""
    if not isinstance(problem, ValidationError):
        return str(problem)
    return "\n".join(
        f"{name or _variable(str(error['loc'][0]))}: {error['msg'].removeprefix('Value error, ')}"
        for error in problem.errors(include_url=False)
    )


def unknown_variables(environment: Iterable[str]) -> list[str]:
    """Return a sentence for each unknown variable with the prefix, with the nearest known name."""
    prefix = str(Settings.model_config["env_prefix"])
    names = [
        _variable_of(name) for name, field in Settings.model_fields.items() if FIXED not in field.metadata
    ]
    known = {name.removeprefix(prefix): name for name in names}
    sentences = []
    for name in sorted(environment):
        if name.startswith(prefix) and name not in names:
            near = difflib.get_close_matches(name.removeprefix(prefix), known, n=1, cutoff=NEARNESS_MIN)
            hint = f"; did you mean {known[near[0]]}?" if near else " of this version"
            sentences.append(f"{name} is not a setting{hint}")
    return sentences


def variables() -> dict[str, FieldInfo]:
    """Return the fields that an operator may set, by the names of their variables."""
    return {
        _variable_of(name): field
        for name, field in Settings.model_fields.items()
        if FIXED not in field.metadata and INTERNAL not in field.metadata
    }


def _variable_of(name: str) -> str:
    return _variable(str(Settings.model_fields[name].validation_alias or name))


def _variable(name: str) -> str:
    return name if name.isupper() else f"{Settings.model_config['env_prefix']}{name}".upper()


@cache
def get_settings() -> Settings:
    """Return the settings of this process, read from the environment once."""
    return Settings()


def use(settings: Settings) -> None:
    """Replace the settings of this process."""
    global get_settings  # noqa: PLW0603 - a fact of the process
    get_settings = cache(lambda: settings)
