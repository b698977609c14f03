"""A pool of processes for long computations, which would block the event loop of the API.

A job is an asynchronous function at the top level of a module, with its arguments. The processes read the database
themselves, so that little data passes between processes. Accounts with waiting jobs take turns. A process starts on
demand and has a lower priority than the API's process. It ends when the API's process ends or is killed. A process that
is lost earlier is replaced when a job needs one.
"""

import asyncio
import contextlib
import logging
import os
import pickle
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import ParamSpec, TypeVar, cast

from renewals import config
from renewals.compute import child_process, messages
from renewals.concurrency import fair_queue

log = logging.getLogger(__name__)

Arguments = ParamSpec("Arguments")
Value = TypeVar("Value")

WAITING_PER_ACCOUNT_MAX = 64
"""The maximum number of waiting jobs of an account; for one API key, the concurrency limits of the API apply first."""
JOB_SECONDS_MAX = 60.0
"""The time after which a job is stopped by killing its process."""
NICE = 5
"""The amount by which the nice value of a process exceeds that of the API's process."""


class BusyError(ConnectionError):
    """The refusal of a job because too many jobs of its account are waiting. Callers treat it as an outage."""


class ProcessLostError(ConnectionError):
    """The loss of a process, which ended during a job or was killed because the job exceeded JOB_SECONDS_MAX.

    Also the refusal of a job that waited until the pool was closed.
    """


class _Process:
    """A process of the pool, which runs one job at a time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, settings: config.Settings) -> "_Process":
        """Start a process with a lower priority, and send the settings to it."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", child_process.__name__,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        with contextlib.suppress(ProcessLookupError):
            os.setpriority(os.PRIO_PROCESS, process.pid, os.getpriority(os.PRIO_PROCESS, 0) + NICE)
        started = cls(process)
        started._send(settings)
        return started

    @property
    def is_alive(self) -> bool:
        return self._process.returncode is None

    async def run(self, job: messages.Job) -> object:
        """Return the job's value or raise its exception. Raises ProcessLostError if the process ends or is too slow."""
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(JOB_SECONDS_MAX):
                self._send(job)
                [size] = messages.HEADER.unpack(await self._process.stdout.readexactly(messages.HEADER.size))
                response = await self._process.stdout.readexactly(size)
        except (asyncio.IncompleteReadError, OSError) as lost:  # a timeout is an OSError
            log.warning("process %s was lost during a computation", self._process.pid)
            await self.stop()
            raise ProcessLostError("a process was lost during a computation") from lost
        value, error = pickle.loads(response)  # noqa: S301 - written by our own process
        if error is not None:
            raise error
        return value

    async def stop(self) -> None:
        """Kill the process, and wait until it has ended."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()

    def _send(self, value: object) -> None:
        assert self._process.stdin is not None
        data = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
        self._process.stdin.write(messages.HEADER.pack(len(data)) + data)


class ProcessPool:
    """A pool of at most `count` processes, and the queue of jobs for them."""

    def __init__(self, settings: config.Settings, count: int) -> None:
        self._settings = settings
        self._slots = fair_queue.FairSlots(count, per_owner_max=count, waiting_max=WAITING_PER_ACCOUNT_MAX)
        self._idle: list[_Process] = []
        self._tasks: set[asyncio.Task[object]] = set()
        self._is_closed = False

    async def run(self, account_id: str, job: messages.Job) -> object:
        """Run a job of an account, and return its value or raise its exception.

        Raises BusyError if too many jobs of the account are waiting, and ProcessLostError if the process is lost or the
        pool is closed.
        """
        try:
            await self._slots.acquire(account_id)
        except fair_queue.QueueFullError:
            raise BusyError("too many computations are waiting") from None
        if self._is_closed:
            self._slots.release(account_id)
            raise ProcessLostError("the pool of processes is closed")
        # If the caller is cancelled, the process still executes the job to its end.
        task = asyncio.create_task(self._work(job))
        self._tasks.add(task)
        task.add_done_callback(lambda task: self._on_end(account_id, task))
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Cancel the running jobs, refuse the waiting ones, and kill all processes."""
        self._is_closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(process.stop() for process in self._idle))

    async def _work(self, job: messages.Job) -> object:
        process = None
        try:
            while self._idle and (process is None or not process.is_alive):
                process = self._idle.pop()
            if process is None or not process.is_alive:
                process = await _Process.start(self._settings)
            value = await process.run(job)
        except BaseException:
            if process is not None and asyncio.current_task().cancelling():  # type: ignore[union-attr]
                await process.stop()
            raise
        finally:
            if process is not None and process.is_alive:
                self._idle.append(process)
        return value

    def _on_end(self, account_id: str, task: asyncio.Task[object]) -> None:
        # `_work` cannot release the slot, because a task that is cancelled before its start never enters it.
        self._slots.release(account_id)
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # the caller may have been cancelled


_pool: ProcessPool | None = None


@contextlib.asynccontextmanager
async def opened(settings: config.Settings) -> AsyncIterator[None]:
    """Keep a pool open while the block runs, if `compute_processes` is not 0."""
    global _pool  # noqa: PLW0603 - the pool belongs to the process
    if not settings.compute_processes:
        yield
        return
    previous, pool = _pool, ProcessPool(settings, settings.compute_processes)
    _pool = pool
    try:
        yield
    finally:
        _pool = previous
        await pool.close()


def is_open() -> bool:
    """Return whether jobs run in other processes."""
    return _pool is not None


async def run(
    account_id: str,
    work: Callable[Arguments, Awaitable[Value]],
    *args: Arguments.args,
    **kwargs: Arguments.kwargs,
) -> Value:
    """Run a job of an account in a process of the pool, or in this process if no pool is open; return its value.

    Raises the exceptions of the job, BusyError and ProcessLostError.
    """
    if _pool is None:
        return await work(*args, **kwargs)
    assert not kwargs, "a job takes its arguments by position"
    fair_queue.leave_lane()
    return cast(Value, await _pool.run(account_id, messages.Job(work, args)))
