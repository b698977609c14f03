"""What a process answers to those who watch it: /healthz, /readyz and, where the settings say so, /metrics."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection
from typing import NamedTuple

import orjson

from renewals import config
from renewals.db import connection as database
from renewals.domain.clock import Clock
from renewals.health import backlog
from renewals.health import checks as health_checks
from renewals.observability import metrics

HEALTHZ, READYZ, METRICS = "/healthz", "/readyz", "/metrics"
SAMPLE_SECONDS = 5.0
"""So often a process looks at its pool, for those of its siblings that are asked for metrics."""


class ProbeResponse(NamedTuple):
    """An answer over HTTP."""

    status: int
    media_type: str
    body: bytes


class Probes:
    """The answers of one process."""

    def __init__(
        self,
        settings: config.Settings,
        clock: Clock,
        *,
        needed: Collection[str],
        has_metrics: bool,
        more: backlog.ExtraMetrics | None = None,
    ) -> None:
        self.paths = (HEALTHZ, READYZ, METRICS) if has_metrics else (HEALTHZ, READYZ)
        self._health = health_checks.HealthChecker(settings, clock, needed=needed)
        self._backlog = backlog.BacklogMetrics(clock, more)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Looks at the pool as long as the block runs; inside of `connection.connect`."""
        sampling = asyncio.create_task(_sample())
        try:
            yield
        finally:
            sampling.cancel()
            await self._health.close()

    async def answer(self, path: str) -> ProbeResponse:
        """What is answered at one of the paths."""
        if path == HEALTHZ:
            return ProbeResponse(200, "text/plain; charset=utf-8", b"ok")
        return await (self._tell_readiness() if path == READYZ else self._tell_metrics())

    async def _tell_readiness(self) -> ProbeResponse:
        status, checks = await self._health.report()
        told = {
            name: {"ok": check.is_ok} | ({} if check.is_ok else {"why": check.error})
            for name, check in checks.items()
        }
        body = orjson.dumps({"status": status, "checks": told})
        return ProbeResponse(503 if status is health_checks.Status.UNREADY else 200, "application/json", body)

    async def _tell_metrics(self) -> ProbeResponse:
        (_, checks), values = await asyncio.gather(self._health.report(), self._backlog.values())
        told = {(metrics.CHECK, name): float(check.is_ok) for name, check in checks.items()}
        database.record_pool_metrics()
        return ProbeResponse(
            200, metrics.MEDIA_TYPE, metrics.render([metrics.PolledCollector({**values, **told})])
        )


async def _sample() -> None:
    while True:
        database.record_pool_metrics()
        await asyncio.sleep(SAMPLE_SECONDS)
