"""The worker's HTTP server for probes and metrics."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Iterator

import uvicorn
from arq.connections import ArqRedis
from redis.exceptions import RedisError
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from renewals import config
from renewals.domain import clock as clocks
from renewals.health import backlog, probes
from renewals.observability import metrics

log = logging.getLogger(__name__)

REQUIRED = ("database", "migrations", "writes", "redis")
CONNECTIONS_MAX = 16
CONNECTION_SECONDS_MAX = 10.0
"""The time after which a connection is closed, because uvicorn waits for a slow request without a limit."""


class _Server(uvicorn.Server):
    """A uvicorn server that leaves SIGTERM and SIGINT to the worker."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _ShortLivedProtocol(H11Protocol):
    """HTTP/1.1 on connections that end after CONNECTION_SECONDS_MAX, with at most 16 KiB for a request's head."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.loop.call_later(CONNECTION_SECONDS_MAX, transport.abort)


@contextlib.asynccontextmanager
async def running(settings: config.Settings, queue: ArqRedis) -> AsyncIterator[None]:
    """Serve the worker's probes while the block runs, if `worker_metrics_port` is set."""
    if settings.worker_metrics_port is None:
        yield
        return

    async def count_jobs() -> backlog.Values:
        try:
            return {(metrics.QUEUE, ""): await queue.zcard(queue.default_queue_name)}
        except (RedisError, OSError):
            return {}

    worker_probes = probes.Probes(
        settings, clocks.utc_now, required=REQUIRED, has_metrics=True, extra_metrics=count_jobs
    )
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.create_server((settings.host, settings.worker_metrics_port), family=family)
    host, port, *_ = listener.getsockname()
    async with worker_probes.running():
        server = _build_server(worker_probes)
        serving = asyncio.create_task(server.serve([listener]))
        log.info("the worker serves its probes at http://%s:%s", host, port)
        try:
            yield
        finally:
            server.should_exit = True
            await serving


def _build_server(worker_probes: probes.Probes) -> _Server:
    return _Server(
        uvicorn.Config(
            Starlette(routes=worker_probes.routes()),
            http=_ShortLivedProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            headers=[("connection", "close")],  # so that no client reuses the connection
            limit_concurrency=CONNECTIONS_MAX,
            timeout_graceful_shutdown=1,
        )
    )
