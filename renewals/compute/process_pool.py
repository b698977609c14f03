"""A small pool of processes for what computes long, so that the event loop goes on meanwhile.

A job is an asynchronous function of a module and its arguments. A process of the pool reads the database itself, so
that little passes between the processes. Accounts that wait take turns. Processes start when they are needed, have a
lower priority than the one that serves, end with it however it ends, and are replaced when they are lost.
"""

import asyncio
import contextlib
import logging
import os
import pickle
import struct
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, NamedTuple, ParamSpec, TypeVar, cast, overload

from renewals import config
from renewals.concurrency import fair_queue
from renewals.db import connection as database
from renewals.observability import gc_tuning, log_config

log = logging.getLogger(__name__)

Arguments = ParamSpec("Arguments")
Value = TypeVar("Value")

WAITING_PER_ACCOUNT_MAX = 64
"""Jobs; the requests under way of a key and of an operator are bounded before."""
JOB_SECONDS_MAX = 60.0
"""A process that computes for so long is killed."""
STOP_SECONDS_MAX = 2.0
NICE = 10
"""By so much the priority is lower than that of the process that serves."""
_HEADER = struct.Struct("!I")


class Packed(Sequence[Value]):
    """A long list that passes between processes packed, and is unpacked where it is looked at."""

    ITEMS_TOGETHER = 100

    def __init__(self, items: Sequence[Value]) -> None:
        self._count = len(items)
        self._packs = [
            pickle.dumps(items[start : start + self.ITEMS_TOGETHER], pickle.HIGHEST_PROTOCOL)
            for start in range(0, len(items), self.ITEMS_TOGETHER)
        ]

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Value: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Value]: ...
    def __getitem__(self, index: int | slice) -> Value | Sequence[Value]:
        if isinstance(index, int):
            position = range(self._count)[index]
            return self._unpacked(position // self.ITEMS_TOGETHER)[position % self.ITEMS_TOGETHER]
        start, stop, step = index.indices(self._count)
        if step != 1:
            return [self[position] for position in range(start, stop, step)]
        first, last = start // self.ITEMS_TOGETHER, -(-stop // self.ITEMS_TOGETHER)
        items = [item for pack in range(first, last) for item in self._unpacked(pack)]
        skipped = start - first * self.ITEMS_TOGETHER
        return items[skipped : skipped + max(0, stop - start)]

    def _unpacked(self, pack: int) -> Sequence[Value]:
        items: Sequence[Value] = pickle.loads(self._packs[pack])  # noqa: S301 - packed by our own process
        return items


class BusyError(ConnectionError):
    """As many jobs of an account wait as may; it is an outage, which is over in a moment."""


class ProcessLostError(ConnectionError):
    """The process ended while it computed; another one takes its place."""


class _Job(NamedTuple):
    """What a process is told to do; pickled, the function is its module and its name."""

    work: Callable[..., Awaitable[Any]]
    arguments: tuple[Any, ...]


class _Process:
    """One process of the pool, which does one job at a time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, settings: config.Settings) -> "_Process":
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", __name__,
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

    async def do(self, job: _Job) -> Any:
        """Return the job's value or raise its exception; raises ProcessLostError."""
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(JOB_SECONDS_MAX):
                self._send(job)
                [size] = _HEADER.unpack(await self._process.stdout.readexactly(_HEADER.size))
                answer = await self._process.stdout.readexactly(size)
        except (asyncio.IncompleteReadError, OSError) as lost:  # a timeout is an OSError
            log.warning("process %s was lost while it computed", self._process.pid)
            await self.stop()
            raise ProcessLostError("a process was lost while it computed") from lost
        value, error = pickle.loads(answer)  # noqa: S301 - written by our own process
        if error is not None:
            raise error
        return value

    async def stop(self) -> None:
        """End the process, which has no job, or none that anybody waits for."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()

    def _send(self, value: object) -> None:
        assert self._process.stdin is not None
        data = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
        self._process.stdin.write(_HEADER.pack(len(data)) + data)


class ProcessPool:
    """So many processes, and who waits for one."""

    def __init__(self, settings: config.Settings, count: int) -> None:
        self._settings = settings
        self._slots = fair_queue.FairSlots(count, per_owner_max=count, waiting_max=WAITING_PER_ACCOUNT_MAX)
        self._idle: list[_Process] = []
        self._working: set[asyncio.Task[Any]] = set()

    async def run(self, account_id: str, job: _Job) -> Any:
        """Return the value of a job; raises what it raises, BusyError and ProcessLostError."""
        try:
            await self._slots.acquire(account_id)
        except fair_queue.QueueFullError:
            raise BusyError("too many jobs wait to be computed") from None
        # Whoever gives up does not stop the process: it goes on to the end of its job, and is busy until then.
        working = asyncio.create_task(self._work(account_id, job))
        self._working.add(working)
        working.add_done_callback(self._note_end)
        return await asyncio.shield(working)

    async def close(self) -> None:
        """End all processes."""
        for task in self._working:
            task.cancel()
        await asyncio.gather(*self._working, return_exceptions=True)
        await asyncio.gather(*(process.stop() for process in self._idle))

    async def _work(self, account_id: str, job: _Job) -> Any:
        process = None
        try:
            while self._idle and (process is None or not process.is_alive):
                process = self._idle.pop()
            if process is None or not process.is_alive:
                process = await _Process.start(self._settings)
            value = await process.do(job)
        except BaseException:
            if process is not None and asyncio.current_task().cancelling():  # type: ignore[union-attr]
                await process.stop()
            raise
        finally:
            if process is not None and process.is_alive:
                self._idle.append(process)
            self._slots.release(account_id)
        return value

    def _note_end(self, task: asyncio.Task[Any]) -> None:
        self._working.discard(task)
        if not task.cancelled():
            task.exception()  # the one who waited may have given up


_pool: ProcessPool | None = None


@contextlib.asynccontextmanager
async def opened(settings: config.Settings) -> AsyncIterator[None]:
    """Compute in other processes for as long as the block runs, if the settings say so."""
    global _pool  # noqa: PLW0603 - what is open is a fact of the process
    if not settings.compute_processes:
        yield
        return
    before, _pool = _pool, ProcessPool(settings, settings.compute_processes)
    own = _pool
    try:
        yield
    finally:
        _pool = before
        await own.close()


def is_open() -> bool:
    """Return whether there are other processes to compute in."""
    return _pool is not None


async def run(
    account_id: str,
    work: Callable[Arguments, Awaitable[Value]],
    *args: Arguments.args,
    **kwargs: Arguments.kwargs,
) -> Value:
    """Do a job for an account in another process, or here where there is none."""
    if _pool is None:
        return await work(*args, **kwargs)
    assert not kwargs, "a job takes its arguments by position"
    fair_queue.leave_lane()
    return cast(Value, await _pool.run(account_id, _Job(work, args)))


async def _serve() -> None:
    """Do the jobs that come by the standard input, until it ends."""
    source, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints must not come between the answers
    settings = _read(source)
    if settings is None:
        return
    config.use(settings)
    gc_tuning.tune_gc()
    url = settings.required_database_url
    async with database.connect(
        url,
        pool_size=1,
        pool_size_min=0,
        connect_seconds_max=settings.database_connect_seconds_max,
        idle_seconds_max=settings.database_idle_seconds_max,
        statement=settings.database_statement_seconds_max,
        transaction=database.TRANSACTION_SECONDS_MAX,
    ):
        while (job := await asyncio.to_thread(_read, source)) is not None:
            answer = await _answer(job)
            answers.write(_HEADER.pack(len(answer)) + answer)
            answers.flush()


def _read(source: Any) -> Any:
    header = source.read(_HEADER.size)
    if len(header) < _HEADER.size:
        return None
    return pickle.loads(source.read(_HEADER.unpack(header)[0]))  # noqa: S301 - written by the process that serves


async def _answer(job: _Job) -> bytes:
    """Return the pickled value of a job, or its exception."""
    try:
        return pickle.dumps((await job.work(*job.arguments), None), pickle.HIGHEST_PROTOCOL)
    except Exception as error:  # noqa: BLE001 - whatever it is, the process that serves answers it
        return _pickled_error(error)


def _pickled_error(error: Exception) -> bytes:
    """Return the pickled exception, or one that says the same where it cannot be pickled."""
    told: Exception = error
    if database.is_unavailable(error):
        told = ConnectionError(str(error) or type(error).__name__)
    try:
        data = pickle.dumps((None, told), pickle.HIGHEST_PROTOCOL)
        pickle.loads(data)  # noqa: S301 - our own
    except Exception:
        log.exception("a job raised what cannot be told as it is")
        return pickle.dumps((None, RuntimeError(repr(error))), pickle.HIGHEST_PROTOCOL)
    return data


def _end_with_parent(parent: int) -> None:
    """End this process when the one that started it has ended, also in the midst of a job."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _main() -> None:
    log_config.configure(config.get_settings())
    threading.Thread(target=_end_with_parent, args=[os.getppid()], daemon=True).start()
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        asyncio.run(_serve())
    os._exit(0)  # a thread may still read


if __name__ == "__main__":
    _main()
