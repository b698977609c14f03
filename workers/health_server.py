"""The little that a worker answers over HTTP, to those who watch it: GET, one request a connection, nothing else."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from http import HTTPStatus

from arq.connections import ArqRedis
from redis.exceptions import RedisError

from renewals import config
from renewals.domain import clock as clocks
from renewals.health import backlog, probes
from renewals.observability import metrics

log = logging.getLogger(__name__)

NEEDED = ("database", "migrations", "writes", "redis")
HEAD_BYTES_MAX = 8_192
HEAD_SECONDS_MAX = 5.0
ANSWERS_AT_ONCE_MAX = 16


@contextlib.asynccontextmanager
async def running(settings: config.Settings, queue: ArqRedis) -> AsyncIterator[None]:
    """Answers for as long as the block runs, if there is a port for it."""
    if settings.worker_metrics_port is None:
        yield
        return

    async def count_jobs() -> backlog.Values:
        try:
            return {(metrics.QUEUE, ""): await queue.zcard(queue.default_queue_name)}
        except (RedisError, OSError):
            return {}

    watched = probes.Probes(settings, clocks.utc_now, needed=NEEDED, has_metrics=True, more=count_jobs)
    async with watched.running():
        server = await asyncio.start_server(
            HealthServer(watched).answer, settings.host, settings.worker_metrics_port, limit=HEAD_BYTES_MAX
        )
        host, port, *_ = server.sockets[0].getsockname()
        log.info("the worker is watched at http://%s:%s/metrics", host, port)
        try:
            yield
        finally:
            server.close()


class HealthServer:
    """The probes of a worker, over HTTP."""

    def __init__(self, watched: probes.Probes) -> None:
        self._watched = watched
        self._answering = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers one request, and closes the connection."""
        self._answering += 1
        try:
            if self._answering <= ANSWERS_AT_ONCE_MAX:
                async with asyncio.timeout(HEAD_SECONDS_MAX):
                    head = await reader.readuntil(b"\r\n\r\n")
                writer.write(_written(await self._find(head)))
                async with asyncio.timeout(HEAD_SECONDS_MAX):
                    await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # whoever it was has gone, or does not speak HTTP
        finally:
            self._answering -= 1
            writer.close()

    async def _find(self, head: bytes) -> probes.ProbeResponse:
        method, _, rest = head.partition(b" ")
        path = rest.partition(b" ")[0].partition(b"?")[0].decode("latin-1")
        if method != b"GET" or path not in self._watched.paths:
            return probes.ProbeResponse(404, "text/plain; charset=utf-8", b"not found")
        try:
            return await self._watched.answer(path)
        except Exception:
            log.exception("the worker cannot say how it is")
            return probes.ProbeResponse(500, "text/plain; charset=utf-8", b"failed")


def _written(answer: probes.ProbeResponse) -> bytes:
    head = (
        f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}\r\nContent-Type: {answer.media_type}\r\n"
        f"Content-Length: {len(answer.body)}\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + answer.body
