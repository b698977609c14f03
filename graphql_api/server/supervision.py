"""Supervision of several worker processes that share one port: restart, rolling replacement and stop.

The supervisor opens the socket once and serves no requests itself. A connection that arrives while no worker accepts
waits in the socket's queue. On SIGHUP a new worker serves before the old one drains. A socket pair connects each
worker with the supervisor: the worker sends heartbeats, and drains when the supervisor ends.

`docs/adr/0011-own-supervisor.md` lists what uvicorn's own supervisor lacks.
"""

import asyncio
import contextlib
import logging
import signal
import socket
import time
from collections.abc import Callable, Sequence

log = logging.getLogger(__name__)

START_SECONDS_MAX = 60.0
HEARTBEAT_SECONDS = 1.0
SILENCE_SECONDS_MAX = 60.0
"""The time without a heartbeat after which a worker is killed."""
STOP_SECONDS_EXTRA = 15.0
"""The time that a worker has after the drain time to close its connections to servers, before it is killed."""
BACKOFF_SECONDS, BACKOFF_SECONDS_MAX = 1.0, 30.0
"""The first and the longest pause before a worker that never served is started again. The pause doubles each time."""

BuildCommand = Callable[[int, int], Sequence[str]]
"""A function that builds a worker's command from the file descriptors of its listening and its heartbeat socket."""


class Worker:
    """A worker process and its heartbeat connection."""

    def __init__(
        self, process: asyncio.subprocess.Process, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.process = process
        self.ready = asyncio.Event()
        self._writer = writer
        self._heartbeats = asyncio.create_task(self._watch_heartbeats(reader))
        self.ended = asyncio.create_task(self._wait_for_end())

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, unless the process has ended."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)

    async def wait_until_ready(self) -> bool:
        """Wait until the worker serves; return False if the worker ended before that."""
        waiting = asyncio.create_task(self.ready.wait())
        await asyncio.wait((waiting, self.ended), return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        return self.ready.is_set()

    async def _watch_heartbeats(self, reader: asyncio.StreamReader) -> None:
        seconds_max = START_SECONDS_MAX
        try:
            while await asyncio.wait_for(reader.read(64), seconds_max):
                self.ready.set()
                seconds_max = SILENCE_SECONDS_MAX
        except TimeoutError:
            log.error("killing worker %s: it sent no heartbeat for %.0f s", self.process.pid, seconds_max)
            self.signal(signal.SIGKILL)
        except OSError:
            pass  # the worker has ended, which `ended` reports

    async def _wait_for_end(self) -> int:
        code = await self.process.wait()
        self._heartbeats.cancel()
        self._writer.close()
        return code


class Supervisor:
    """A supervisor that keeps `count` workers serving one socket."""

    def __init__(
        self, listener: socket.socket, build_command: BuildCommand, *, count: int, drain_seconds: float
    ) -> None:
        self._listener = listener
        self._build_command = build_command
        self._stop_seconds_max = drain_seconds + STOP_SECONDS_EXTRA
        self._workers: list[Worker] = []
        self._locks = [asyncio.Lock() for _ in range(count)]
        """One lock for each place in `_workers`, held while the worker in that place is replaced."""
        self._running: set[Worker] = set()
        self._stopping = asyncio.Event()
        self._has_served = False
        self._stop_signal = signal.SIGTERM
        self._restart_requested = asyncio.Event()

    async def run(self) -> bool:
        """Supervise until SIGTERM or SIGINT; return False if none of the first workers could serve."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, self._restart_requested.set)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._request_stop, number)
        self._workers = [await self._start() for _ in self._locks]
        loops = [self._keep(place) for place in range(len(self._workers))] + [self._restart_on_request()]
        tasks = [asyncio.create_task(coroutine) for coroutine in (*loops, self._stopping.wait())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            self._listener.close()  # a new connection would wait in its queue although no worker accepts
            await asyncio.gather(*(self._stop(worker) for worker in tuple(self._running)))
        return self._stopping.is_set()

    def _request_stop(self, number: signal.Signals) -> None:
        """Begin to stop; pass a further signal on to the workers. A further SIGINT makes them end without draining."""
        if self._stopping.is_set():
            for worker in self._running:
                worker.signal(number)
        self._stop_signal = number
        self._stopping.set()

    async def _start(self) -> Worker:
        supervisor_end, worker_end = socket.socketpair()
        with worker_end:
            descriptors = (self._listener.fileno(), worker_end.fileno())
            process = await asyncio.create_subprocess_exec(
                *self._build_command(*descriptors), pass_fds=descriptors, start_new_session=True
            )
        worker = Worker(process, *await asyncio.open_connection(sock=supervisor_end))
        self._running.add(worker)
        worker.ended.add_done_callback(lambda _: self._running.discard(worker))
        return worker

    async def _keep(self, place: int) -> None:
        """Start a new worker whenever the worker in this place ends; return if no worker has ever served."""
        backoff_seconds = BACKOFF_SECONDS
        while True:
            worker = self._workers[place]
            await asyncio.wait((worker.ended,))
            if worker is not self._workers[place]:
                continue
            log.error("worker %s ended with code %s", worker.process.pid, worker.ended.result())
            if not self._has_served:
                self._has_served = any(
                    await asyncio.gather(*(worker.wait_until_ready() for worker in self._workers))
                )
            if not self._has_served:
                return  # another start would fail in the same way
            if worker.ready.is_set():
                backoff_seconds = BACKOFF_SECONDS
            else:
                await asyncio.sleep(backoff_seconds)
                backoff_seconds = min(2 * backoff_seconds, BACKOFF_SECONDS_MAX)
            async with self._locks[place]:
                if worker is self._workers[place]:
                    self._workers[place] = await self._start()

    async def _restart_on_request(self) -> None:
        while True:
            await self._restart_requested.wait()
            self._restart_requested.clear()
            began = time.monotonic()
            if await self._restart():
                log.info("replaced %s workers in %.1f s", len(self._workers), time.monotonic() - began)

    async def _restart(self) -> bool:
        """Replace the workers one at a time; keep the remaining ones and return False if a new one cannot serve."""
        for place, lock in enumerate(self._locks):
            async with lock:
                new = await self._start()
                if not await new.wait_until_ready():
                    log.error(
                        "restart stopped, because a new worker ended with code %s before it was ready; "
                        "old workers keep running",
                        await new.ended,
                    )
                    return False
                old, self._workers[place] = self._workers[place], new
            await self._stop(old)
        return True

    async def _stop(self, worker: Worker) -> None:
        worker.signal(self._stop_signal)
        await asyncio.wait((worker.ended,), timeout=self._stop_seconds_max)
        if not worker.ended.done():
            log.error("killing worker %s: it did not stop in time", worker.process.pid)
            worker.signal(signal.SIGKILL)
            await asyncio.wait((worker.ended,))


def run(listener: socket.socket, build_command: BuildCommand, *, count: int, drain_seconds: float) -> bool:
    """Supervise workers until SIGTERM or SIGINT; return False if none of the first workers could serve."""

    async def supervise() -> bool:
        return await Supervisor(listener, build_command, count=count, drain_seconds=drain_seconds).run()

    return asyncio.run(supervise())
