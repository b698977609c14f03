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
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from renewals.domain import limits

NEARNESS_MIN = 0.8
"""Of two names, for one to be taken for a misspelling of the other."""
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
    """Refuse an address whose port is none, most often because of a character in the password; never quote it."""
    with contextlib.suppress(ValueError):
        if url is None or urlsplit(url).port != 0:
            return url
    raise ValueError(
        "must be as in postgres://user:password@host:5432/name, with / : @ # ? and % of the password percent-encoded"
    )


def _issuer(url: str | None, info: ValidationInfo) -> str | None:
    """An address of the issuer: with TLS, unless `jwt_http` allows another."""
    schemes = ("https://", "http://") if info.data.get("jwt_http") else ("https://",)
    if url is not None and not url.startswith(schemes):
        raise ValueError("must begin with https://, or RENEWALS_JWT_HTTP must allow http://")
    return url


def _audience(audience: str | None, info: ValidationInfo) -> str | None:
    if not audience and info.data.get("jwt_issuer"):
        raise ValueError("must be set, for RENEWALS_JWT_ISSUER is")
    return audience


def _minute_cost(cost: int, info: ValidationInfo) -> int:
    """A budget for at least one request of the greatest cost, or none at all."""
    least = info.data.get("cost_max", 0)
    if 0 < cost < least:
        raise ValueError(f"must be 0, or not below RENEWALS_COST_MAX, which is {least}")
    return cost


def _fernet_key(key: SecretStr) -> SecretStr:
    Fernet(key.get_secret_value())
    return key


CommaSeparated = (NoDecode, BeforeValidator(_split))
"""Values with commas between them."""


class Settings(BaseSettings):
    """What an operator may choose. The limits of the public contract are in `limits`."""

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
    database_pool_size_min: Annotated[int, Field(ge=0, le=100)] = 1
    """So many connections stay open though nobody needs them."""
    database_connect_seconds_max: Annotated[float, Field(gt=0, le=60)] = 10
    database_idle_seconds_max: Annotated[float, Field(ge=0)] = 300
    """A connection beyond those is closed when it was not needed for so long; 0: never."""
    database_statement_seconds_max: Annotated[int, Field(ge=0)] = 300
    """PostgreSQL ends a statement of the API or the worker that takes longer; 0: never."""
    data_dir: Path = Path(".renewals")
    """Where `renewals up` keeps the embedded servers' data and its keys."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    """So many processes share the port; from two on SIGHUP replaces them one after the other."""
    compute_processes: Annotated[int, Field(ge=0, le=64)] = 1
    """Each API process has so many beside it, from when they are needed, for what computes long; 0: none."""
    drain_seconds: Annotated[float, Field(ge=0, le=3600)] = 30
    """So long a process that was told to stop answers those it has taken in: half of it for their next requests."""
    keep_alive_seconds: Annotated[int, Field(ge=1, le=3600)] = 75
    """An idle connection is closed after it: later than the proxy in front closes its own, mostly after 60."""
    graphiql: bool = False
    """Serves GraphiQL at /graphql; `renewals up` turns it on."""
    graphiql_key: str | None = None
    """The API key that GraphiQL has filled in. Everyone who opens the page sees it."""
    operator_api: bool = False
    """Serves the provider's side at /operator/graphql; `renewals up` turns it on."""
    graphiql_operator_key: str | None = None
    """The operator key that GraphiQL has filled in there. Everyone who opens the page sees it."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"
    log_format: Literal["json", "text"] | None = None
    """None: text where the log is a terminal, else JSON."""
    metrics: bool = False
    """Serves /metrics beside the API, for whoever may reach its port."""
    worker_metrics_port: Annotated[int, Field(ge=0, le=65535)] | None = None
    """Where a worker serves /metrics, /healthz and /readyz; at `host`."""
    traces: Annotated[str | None, Field(pattern="^(https?://.+|otel)$")] = None
    """Where traces are sent to by OTLP over HTTP; `otel`: where OpenTelemetry's own variables say."""

    time_zone: ZoneInfo = ZoneInfo("Asia/Shanghai")
    """The zone of new accounts, and of instants given to the command line without an offset."""
    auto_renew_time: Annotated[dt.time, Field(le=AUTO_RENEW_TIME_MAX), AfterValidator(_whole_minute)] = (
        dt.time(0, 30)
    )
    """When, in the account's zone, the worker starts to renew on the day of expiry: 22:45 at the latest, so that
    an hourly run falls into what is left of the day in every zone."""
    auto_renew_lead_days: Annotated[int, Field(ge=0, le=limits.LEAD_DAYS_MAX)] = 0
    """So many days before the day of expiry, where the account says nothing of its own."""
    instances_per_chunk: Annotated[int, Field(ge=1)] = INSTANCES_PER_CHUNK
    """About so many instances are renewed in one transaction."""
    worker_chunks_at_once: Annotated[int, Field(ge=1, le=32)] = 4
    """While one is planned the others are written: with two, PostgreSQL and the worker wait for each other in turn."""

    body_bytes_max: Annotated[int, Field(ge=1_000)] = 1024 * 1024
    operator_body_bytes_max: Annotated[int, Field(ge=1_000)] = 16 * 1024 * 1024
    """The operator API takes thousands of rows in a call."""
    document_characters_max: Annotated[int, Field(ge=1_000)] = 100_000
    document_tokens_max: Annotated[int, Field(ge=100)] = 2_000
    """Names and punctuators; the values that stand in a document are not counted."""
    depth_max: Annotated[int, Field(ge=1, le=50)] = 15
    """Of fields in fields: the introspection of GraphiQL needs 15."""
    root_fields_max: Annotated[int, Field(ge=1)] = 50
    aliases_max: Annotated[int, Field(ge=0)] = 100
    directives_max: Annotated[int, Field(ge=0)] = 100
    repeats_max: Annotated[int, Field(ge=0)] = 20_000
    """Pairs of fields with one name in an object: validation compares each two."""
    fields_max: Annotated[int, Field(ge=1)] = 500_000
    """The fields that the answer to one request may have."""
    cost_max: Annotated[int, Field(ge=1)] = 10_000_000
    """The cost of one request: its fields and the work for them."""
    answer_bytes_max: Annotated[int, Field(ge=1_000)] = 20_000_000
    """The bytes of one answer, before it is compressed."""
    cost_per_minute_max: Annotated[int, Field(ge=0, validate_default=True), AfterValidator(_minute_cost)] = (
        100_000_000
    )
    """The cost of a key's requests in a minute, about what one process can answer in it; 0: no limit."""
    request_seconds_max: Annotated[float, Field(gt=0, le=600)] = 30
    """A query or a mutation that takes longer is given up, in the database, too."""
    sockets_per_key_max: Annotated[int, Field(ge=0)] = 20
    """The web sockets that a key may have open in a process."""
    subscriptions_per_key_max: Annotated[int, Field(ge=0)] = 100
    """The subscriptions that a key may have under way in a process."""
    introspection: bool = False
    """Answers introspection; `renewals up` turns it on."""
    trusted_documents: Path | None = None
    """A file of JSON: the documents that may be asked by their hash or id, as in {"sha256:...": "query Q { ... }"}."""
    trusted_documents_only: bool = False
    """Refuses every other document."""
    persisted_characters_max: Annotated[int, Field(ge=0)] = 5_000_000
    """So much a process keeps of documents that clients sent with their hash (APQ); 0: none."""
    cors_origins: Annotated[tuple[str, ...], *CommaSeparated] = ()
    """Origins whose pages may ask, as in https://console.example.com; * for every one."""

    export_seconds_max: Annotated[int, Field(ge=1, le=3600)] = EXPORT_SECONDS_MAX
    """An export that its client has not taken by then is cut: until then its snapshot keeps old rows alive."""
    export_stall_seconds_max: Annotated[int, Field(ge=1, le=50)] = EXPORT_STALL_SECONDS_MAX
    """A client that takes nothing for so long is cut, before PostgreSQL ends a transaction that stands still."""
    exports_at_once_max: Annotated[int, Field(ge=1)] = EXPORTS_AT_ONCE_MAX
    """A process: each has a connection of its pool as long as it runs, and half of the pool is not for exports."""
    calendar_days: Annotated[int, Field(ge=1, le=limits.FORECAST_DAYS_MAX)] = CALENDAR_DAYS
    """So many days ahead, today first, are in a calendar."""

    webhook_endpoints_max: Annotated[int, Field(ge=0)] = 10
    """So many endpoints an account may have, and so many there may be for all accounts."""
    webhook_keys: Annotated[
        tuple[Annotated[SecretStr, AfterValidator(_fernet_key)], ...], *CommaSeparated
    ] = ()
    """Fernet keys that the endpoints' secrets are stored under: the first encrypts, all decrypt. None: in plain."""
    webhook_http: bool = False
    """Allows endpoints without TLS."""
    webhook_ports: Annotated[tuple[Annotated[int, Field(ge=1, le=65535)], ...], *CommaSeparated] = (443,)
    webhook_networks: Annotated[tuple[IPv4Network | IPv6Network, ...], *CommaSeparated] = ()
    """Networks that are not the Internet and that endpoints may be in all the same."""
    webhook_endpoints_at_once: Annotated[int, Field(ge=2, le=256)] = 16
    """So many endpoints a worker sends to at a time; those that fail or are slow have half of it at most."""
    webhook_requests_at_once: Annotated[int, Field(ge=1, le=256)] = 16
    """So many requests an endpoint gets at a time."""

    jwt_http: bool = False
    """Allows an issuer, and an address of its keys, without TLS."""
    jwt_issuer: Annotated[str | None, AfterValidator(_issuer)] = None
    """Whose tokens open the API beside keys, as their `iss` has it; without one no token does."""
    jwt_audience: Annotated[str | None, Field(validate_default=True), AfterValidator(_audience)] = None
    """What a token's `aud` must name."""
    jwt_jwks_url: Annotated[str | None, AfterValidator(_issuer)] = None
    """Where the issuer's keys are; None: where its metadata, at .well-known/openid-configuration, says."""
    jwt_algorithms: Annotated[tuple[Literal["RS256", "ES256"], ...], Field(min_length=1), *CommaSeparated] = (
        "RS256",
        "ES256",
    )
    """How tokens may be signed; of these the key's type says which."""
    jwt_account_claim: Annotated[str, Field(min_length=1)] = "account"
    jwt_role_claim: Annotated[str, Field(min_length=1)] = "role"
    """Names VIEWER, RENEWER or OPERATOR, alone or in a list with what is not ours."""
    jwt_leeway_seconds: Annotated[int, Field(ge=0, le=300)] = 30
    """So far the issuer's clock and ours may be apart."""

    @property
    def required_database_url(self) -> str:
        """The database, or a word on how to get one."""
        if self.database_url is None:
            raise SettingMissingError("DATABASE_URL")
        return self.database_url

    @property
    def required_redis_url(self) -> str:
        """The queue, or a word on how to get one."""
        if self.redis_url is None:
            raise SettingMissingError("REDIS_URL")
        return self.redis_url


class SettingMissingError(Exception):
    """A setting without a default is not in the environment."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is not set. Set it, or run `renewals up`, which brings its own servers.")


def replace(settings: Settings, name: str, value: object) -> Settings:
    """Return the settings with another value for one of them; raises ValueError for a value out of its bounds."""
    changed = settings.model_copy()
    Settings.__pydantic_validator__.validate_assignment(changed, name, value)
    return changed


def format_errors(problem: ValueError, name: str | None = None) -> str:
    """Return a line for each setting that is wrong, by its name in the environment or the one given, and no secret."""
    if not isinstance(problem, ValidationError):
        return str(problem)
    return "\n".join(
        f"{name or _variable(str(error['loc'][0]))}: {error['msg'].removeprefix('Value error, ')}"
        for error in problem.errors(include_url=False)
    )


def unknown_variables(environment: Iterable[str]) -> list[str]:
    """Return a sentence for each variable that looks like a setting and is none, with the nearest name."""
    prefix = str(Settings.model_config["env_prefix"])
    names = [_variable(str(field.validation_alias or name)) for name, field in Settings.model_fields.items()]
    known = {name.removeprefix(prefix): name for name in names}
    sentences = []
    for name in sorted(environment):
        if name.startswith(prefix) and name not in names:
            near = difflib.get_close_matches(name.removeprefix(prefix), known, n=1, cutoff=NEARNESS_MIN)
            hint = f"; did you mean {known[near[0]]}?" if near else " of this version"
            sentences.append(f"{name} is not a setting{hint}")
    return sentences


def _variable(name: str) -> str:
    return name if name.isupper() else f"{Settings.model_config['env_prefix']}{name}".upper()


@cache
def get_settings() -> Settings:
    """The settings of this process."""
    return Settings()


def use(settings: Settings) -> None:
    """Make these the settings of this process, whatever is in its environment."""
    global get_settings  # noqa: PLW0603 - a fact of the process
    get_settings = cache(lambda: settings)
