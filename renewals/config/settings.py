"""Settings of the processes. docs/configuration.md lists the settings that an operator can set, with defaults."""

import datetime as dt
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from renewals.config import validators
from renewals.config.environment import FIXED, INTERNAL, CommaSeparated, Environment
from renewals.domain import limits

INSTANCES_PER_CHUNK = 1_000
EXPORT_SECONDS_MAX = 600
EXPORT_STALL_SECONDS_MAX = 30
EXPORTS_AT_ONCE_MAX = 4
CALENDAR_DAYS = 90
AUTO_RENEW_TIME_MAX = dt.time(22, 45)


class SettingMissingError(Exception):
    """The error for a required setting that is not in the environment."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is not set. Set it, or run `renewals up`, which starts its own servers.")


class Settings(BaseSettings):
    """The settings that an operator can set, and fields that are marked as fixed or internal.

    The limits of the public contract are in `domain.limits`.
    """

    model_config = SettingsConfigDict(env_prefix="RENEWALS_", extra="ignore")

    database_url: Annotated[
        str | None,
        Field(validation_alias="DATABASE_URL", pattern="^postgres(ql)?://"),
        AfterValidator(validators.check_database_url),
    ] = None
    """URL of PostgreSQL, as in postgres://user:password@host:5432/renewals."""
    database_replica_url: Annotated[
        str | None, Field(pattern="^postgres(ql)?://"), AfterValidator(validators.check_database_url)
    ] = None
    """URL of a streaming replica of the database at `database_url`, for exports, forecasts and calendars."""
    redis_url: Annotated[str | None, Field(validation_alias="REDIS_URL", pattern="^(rediss?|unix)://")] = None
    """URL of Redis or Valkey, as in redis://host:6379/0."""
    database_pool_size: Annotated[int, Field(ge=1, le=100)] = 16
    database_pool_size_min: Annotated[int, Field(ge=0, le=100), FIXED] = 1
    """Minimum number of connections that stay open while idle."""
    database_connect_seconds_max: Annotated[float, Field(gt=0, le=60), FIXED] = 10
    database_idle_seconds_max: Annotated[float, Field(ge=0), FIXED] = 300
    """Seconds after which an idle connection above the minimum is closed; 0: never."""
    database_statement_seconds_max: Annotated[int, Field(ge=0), FIXED] = 300
    """Seconds after which PostgreSQL cancels a statement of the API or the worker; 0: never."""
    data_dir: Annotated[Path, FIXED] = Path(".renewals")
    """Folder in which `renewals up` keeps the data of the embedded servers and its keys."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    """Number of API processes that share the port. With two or more, SIGHUP replaces them one at a time."""
    compute_processes: Annotated[int, Field(ge=0, le=64), FIXED] = 1
    """Maximum number of processes for long computations of one API process, started on demand; 0: none."""
    drain_seconds: Annotated[float, Field(ge=0, le=3600)] = 30
    """Grace period after SIGTERM, in seconds. In its first half, open HTTP connections get one more response each."""
    keep_alive_seconds: Annotated[int, Field(ge=1, le=3600)] = 75
    """Seconds after which an idle connection is closed; must exceed the idle time-out of the proxy, often 60 s."""
    graphiql: bool = False
    """Whether GraphiQL is served at /graphql; `renewals up` turns it on."""
    graphiql_key: Annotated[str | None, INTERNAL] = None
    """API key that GraphiQL and the console send; everyone who opens their pages can read the key."""
    console: bool = False
    """Whether the console is served at /console/; `renewals up` turns it on."""
    operator_api: bool = False
    """Whether the operator API is served at /operator/graphql; `renewals up` turns it on."""
    federation: bool = False
    """Whether both APIs are served as subgraphs of Apollo Federation 2."""
    graphiql_operator_key: Annotated[str | None, INTERNAL] = None
    """Key that GraphiQL sends to the operator API; everyone who opens the page can read the key."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"
    log_format: Literal["json", "text"] | None = None
    """None: text if the log is a terminal, otherwise JSON."""
    metrics: bool = False
    """Whether /metrics is served on the port of the API, without a key."""
    worker_metrics_port: Annotated[int, Field(ge=0, le=65535)] | None = None
    """Port at `host` on which a worker serves /metrics, /healthz and /readyz."""
    traces: Annotated[str | None, Field(pattern="^(https?://.+|otel)$")] = None
    """OTLP endpoint for traces; `otel`: the endpoint in OpenTelemetry's own variables."""

    time_zone: ZoneInfo = ZoneInfo("Asia/Shanghai")
    """Time zone of new accounts, and of instants without an offset on the command line."""
    auto_renew_time: Annotated[
        dt.time, Field(le=AUTO_RENEW_TIME_MAX), AfterValidator(validators.check_whole_minute)
    ] = dt.time(0, 30)
    """Time of day at which an AUTO instance becomes due, in the account's zone.

    22:45 at the latest, so that in every zone an hourly run follows on the same day.
    """
    auto_renew_lead_days: Annotated[int, Field(ge=0, le=limits.LEAD_DAYS_MAX)] = 0
    """Days before its last day on which an AUTO instance becomes due; an account can have its own value."""
    instances_per_chunk: Annotated[int, Field(ge=1), INTERNAL] = INSTANCES_PER_CHUNK
    """Number of due instances at which a chunk, which is renewed in one transaction, gets no further account."""
    worker_chunks_at_once: Annotated[int, Field(ge=1, le=32)] = 4
    """Maximum chunks that a worker processes concurrently, so that it plans one while PostgreSQL writes the others."""

    body_bytes_max: Annotated[int, Field(ge=1_000)] = 1024 * 1024
    operator_body_bytes_max: Annotated[int, Field(ge=1_000), FIXED] = 16 * 1024 * 1024
    """Maximum bytes of a request to the operator API; a call can have 10,000 rows."""
    document_characters_max: Annotated[int, Field(ge=1_000), FIXED] = 100_000
    document_tokens_max: Annotated[int, Field(ge=100), FIXED] = 2_000
    """Maximum tokens of a document: names and punctuators; literal values do not count."""
    depth_max: Annotated[int, Field(ge=1, le=50), FIXED] = 15
    """Maximum nesting of fields; GraphiQL's introspection needs 15."""
    root_fields_max: Annotated[int, Field(ge=1), FIXED] = 50
    aliases_max: Annotated[int, Field(ge=0), FIXED] = 100
    directives_max: Annotated[int, Field(ge=0), FIXED] = 100
    repeats_max: Annotated[int, Field(ge=0), FIXED] = 20_000
    """Maximum number of pairs of fields with the same response name; n such fields make about n²/2 pairs."""
    fields_max: Annotated[int, Field(ge=1), FIXED] = 500_000
    """Maximum number of fields that one response could have, which is computed before the execution."""
    cost_max: Annotated[int, Field(ge=1)] = 10_000_000
    """Maximum cost of one request: its fields and the work for them."""
    answer_bytes_max: Annotated[int, Field(ge=1_000), FIXED] = 20_000_000
    """Maximum bytes of one response before compression."""
    cost_per_minute_max: Annotated[
        int, Field(ge=0, validate_default=True), AfterValidator(validators.check_minute_cost)
    ] = 100_000_000
    """Maximum cost of the requests of a key, or of a token's subject, in a minute; 0: no limit.

    The default is about the capacity of one process.
    """
    request_seconds_max: Annotated[float, Field(gt=0, le=600)] = 30
    """Seconds after which a query or a mutation is canceled, including its statement in the database."""
    sockets_per_key_max: Annotated[int, Field(ge=0), FIXED] = 20
    """Maximum open web sockets per key and process."""
    subscriptions_per_key_max: Annotated[int, Field(ge=0), FIXED] = 100
    """Maximum running subscriptions per key and process."""
    introspection: bool = False
    """Whether introspection is allowed; `renewals up` turns it on."""
    trusted_documents: Path | None = None
    """JSON file of documents that clients can name by hash or id: {"sha256:...": "query Q { ... }"}.

    The file can also be a persisted query manifest of Apollo.
    """
    trusted_documents_only: bool = False
    """Whether only the documents of `trusted_documents`, and those of the console if it is served, are accepted."""
    persisted_characters_max: Annotated[int, Field(ge=0), FIXED] = 5_000_000
    """Maximum number of characters of all documents that each API of a process keeps for persisted queries; 0: none."""
    cors_origins: Annotated[tuple[str, ...], *CommaSeparated] = ()
    """Origins of web pages that may call the API, as in https://console.example.com; *: all."""

    export_seconds_max: Annotated[int, Field(ge=1, le=3600), FIXED] = EXPORT_SECONDS_MAX
    """Seconds after which an export is cut off, because its snapshot prevents the removal of old rows."""
    export_stall_seconds_max: Annotated[int, Field(ge=1, le=50), FIXED] = EXPORT_STALL_SECONDS_MAX
    """Seconds after which an export that the client does not read is cut off; below the limit for idle transactions."""
    exports_at_once_max: Annotated[int, Field(ge=1), FIXED] = EXPORTS_AT_ONCE_MAX
    """Maximum running exports per process; each holds a connection, and half of the pool is reserved for other work."""
    calendar_days: Annotated[int, Field(ge=1, le=limits.FORECAST_DAYS_MAX), FIXED] = CALENDAR_DAYS
    """Number of days in a calendar, today included."""

    webhook_endpoints_max: Annotated[int, Field(ge=0), FIXED] = 10
    """Maximum number of endpoints of each account, and of the provider."""
    webhook_keys: Annotated[
        tuple[Annotated[SecretStr, AfterValidator(validators.check_fernet_key)], ...], *CommaSeparated
    ] = ()
    """Fernet keys for the endpoints' secrets: the first encrypts, all decrypt. Empty: secrets are in plain text."""
    webhook_http: bool = False
    """Whether endpoints without TLS are allowed."""
    webhook_ports: Annotated[tuple[Annotated[int, Field(ge=1, le=65535)], ...], *CommaSeparated] = (443,)
    webhook_networks: Annotated[tuple[IPv4Network | IPv6Network, ...], *CommaSeparated] = ()
    """Private networks in which endpoints are allowed."""
    webhook_endpoints_at_once: Annotated[int, Field(ge=2, le=256), FIXED] = 16
    """Maximum number of endpoints to which a worker sends concurrently; failing or slow endpoints get at most half."""
    webhook_requests_at_once: Annotated[int, Field(ge=1, le=256), FIXED] = 16
    """Maximum number of concurrent requests to one endpoint."""

    jwt_http: Annotated[bool, FIXED] = False
    """Whether an issuer and a JWKS URL without TLS are allowed, for tests."""
    jwt_issuer: Annotated[str | None, AfterValidator(validators.check_issuer)] = None
    """The exact `iss` of accepted tokens; None: only keys are accepted."""
    jwt_audience: Annotated[
        str | None, Field(validate_default=True), AfterValidator(validators.check_audience)
    ] = None
    """Value that `aud` must equal or contain."""
    jwt_jwks_url: Annotated[str | None, AfterValidator(validators.check_issuer)] = None
    """URL of the issuer's keys; None: the `jwks_uri` in the issuer's /.well-known/openid-configuration."""
    jwt_client_id: str | None = None
    """Client id with which the console signs in at the issuer; None: the console asks for a key."""
    jwt_algorithms: Annotated[tuple[Literal["RS256", "ES256"], ...], Field(min_length=1), FIXED] = (
        "RS256",
        "ES256",
    )
    """Accepted signature algorithms; the type of the key selects one."""
    jwt_account_claim: Annotated[str, Field(min_length=1)] = "account"
    jwt_role_claim: Annotated[str, Field(min_length=1)] = "role"
    """Claim that contains exactly one of VIEWER, RENEWER and OPERATOR, as a text or in a list with other roles."""
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
        """Return the sources of values: arguments first, then the environment."""
        return init_settings, Environment(settings_cls)

    @property
    def required_database_url(self) -> str:
        """The value of `database_url`. Raises SettingMissingError if it is not set."""
        if self.database_url is None:
            raise SettingMissingError("DATABASE_URL")
        return self.database_url

    @property
    def required_redis_url(self) -> str:
        """The value of `redis_url`. Raises SettingMissingError if it is not set."""
        if self.redis_url is None:
            raise SettingMissingError("REDIS_URL")
        return self.redis_url


def replace(settings: Settings, name: str, value: object) -> Settings:
    """Return the settings with one value replaced. Raises ValueError for an invalid value."""
    changed = settings.model_copy()
    Settings.__pydantic_validator__.validate_assignment(changed, name, value)
    return changed
