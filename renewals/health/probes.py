"""The probes of a process as Starlette routes: /healthz, /readyz and, if enabled, /metrics."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from renewals import config
from renewals.db import connection as database
from renewals.domain.clock import Clock
from renewals.health import backlog
from renewals.health import checks as health_checks
from renewals.observability import metrics

HEALTHZ, READYZ, METRICS = "/healthz", "/readyz", "/metrics"
SAMPLE_SECONDS = 5.0
"""The interval at which a process records its pool metrics, because another process on its port may get the scrape."""
_NO_STORE = {"Cache-Control": "no-store"}


class Probes:
    """The probe responses of one process.

    `required` names the checks whose failure makes the process unready. A draining process is also unready.
    `flush_metrics` is called before each scrape.
    """

    def __init__(
        self,
        settings: config.Settings,
        clock: Clock,
        *,
        required: Collection[str],
        has_metrics: bool,
        extra_metrics: backlog.ExtraMetrics | None = None,
        is_draining: Callable[[], bool] = lambda: False,
        flush_metrics: Callable[[], None] = lambda: None,
    ) -> None:
        self._has_metrics = has_metrics
        self._is_draining = is_draining
        self._flush_metrics = flush_metrics
        self._health = health_checks.HealthChecker(settings, clock, required=required)
        self._backlog = backlog.BacklogMetrics(clock, extra_metrics)

    def routes(self) -> list[Route]:
        """Return the routes of the probes."""
        routes = [Route(HEALTHZ, self._healthz), Route(READYZ, self._readyz)]
        return [*routes, Route(METRICS, self._metrics)] if self._has_metrics else routes

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Record the pool metrics every 5 s while the block runs. The block must be inside `connection.connect`."""
        sampling = asyncio.create_task(_sample_pool())
        try:
            yield
        finally:
            sampling.cancel()
            await self._health.close()

    async def _healthz(self, _: Request) -> Response:
        return PlainTextResponse("ok", headers=_NO_STORE)

    async def _readyz(self, _: Request) -> Response:
        if self._is_draining():
            return JSONResponse({"status": "draining"}, 503, _NO_STORE)
        status, checks = await self._health.report()
        results = {
            name: {"ok": True} if check.is_ok else {"ok": False, "why": check.error}
            for name, check in checks.items()
        }
        body = orjson.dumps({"status": status, "checks": results})
        code = 503 if status is health_checks.Status.UNREADY else 200
        return Response(body, code, _NO_STORE, "application/json")

    async def _metrics(self, _: Request) -> Response:
        (_status, checks), values = await asyncio.gather(self._health.report(), self._backlog.values())
        results = {(metrics.CHECK, name): float(check.is_ok) for name, check in checks.items()}
        self._flush_metrics()
        database.record_pool_metrics()
        body = metrics.render([metrics.PolledCollector({**values, **results})])
        return Response(body, 200, _NO_STORE, metrics.MEDIA_TYPE)


async def _sample_pool() -> None:
    while True:
        database.record_pool_metrics()
        await asyncio.sleep(SAMPLE_SECONDS)
