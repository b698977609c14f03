"""The probes that the API serves on its own port."""

from graphql_api.middleware import request_log
from graphql_api.server import graceful_shutdown
from renewals import config
from renewals.domain.clock import Clock
from renewals.health import probes

REQUIRED = ("database", "migrations", "writes")
"""The checks that must succeed before the API is ready. Reads and manual renewals need neither Redis nor a worker."""


class ProbeRoutes(probes.Probes):
    """The probes of a process that serves the API."""

    def __init__(self, settings: config.Settings, clock: Clock) -> None:
        super().__init__(
            settings,
            clock,
            required=REQUIRED,
            has_metrics=settings.metrics,
            is_draining=graceful_shutdown.is_draining,
            flush_metrics=request_log.flush,
        )
