"""Several processes that serve one port: one that ends is started again, and SIGHUP puts new ones in their place.

The socket belongs to the process here, which opens it once and serves nobody, so that whoever connects meanwhile
waits in its queue and is lost by no process's end. A new process serves before the old one is told to drain.
Each is bound to this one by a pair of sockets: it says every second that it lives, and drains when this one is gone.
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
BEAT_SECONDS = 1.0
SILENCE_SECONDS_MAX = 60.0
"""A process that says nothing for so long hangs, and is killed."""
STOP_SECONDS_EXTRA = 15.0
"""After its time to drain, in which it closes what it has open; then it is killed."""
PAUSE_SECONDS, PAUSE_SECONDS_MAX = 1.0, 30.0
"""Before one that never served is started again; doubled each time."""

Command = Callable[[int, int], Sequence[str]]
"""The words that start a process, from the numbers of its socket and of its line to this one."""


class Child:
    """A process that serves, and the line to it."""

    def __init__(
        self, process: asyncio.subprocess.Process, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.process = process
        self.served = asyncio.Event()
        self._writer = writer
        self._listening = asyncio.create_task(self._listen(reader))
        self.ended = asyncio.create_task(self._end())

    def signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)

    async def serves(self) -> bool:
        """Waits until it serves, and answers False if it ended before."""
        waiting = asyncio.create_task(self.served.wait())
        await asyncio.wait((waiting, self.ended), return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        return self.served.is_set()

    async def _listen(self, line: asyncio.StreamReader) -> None:
        patience = START_SECONDS_MAX
        try:
            while await asyncio.wait_for(line.read(64), patience):
                self.served.set()
                patience = SILENCE_SECONDS_MAX
        except TimeoutError:
            log.error("process %s has said nothing for %.0f s and is killed", self.process.pid, patience)
            self.signal(signal.SIGKILL)
        except OSError:
            pass  # it has ended

    async def _end(self) -> int:
        code = await self.process.wait()
        self._listening.cancel()
        self._writer.close()
        return code


class Supervisor:
    """Keeps so many processes serving a socket."""

    def __init__(
        self, listener: socket.socket, command: Command, *, count: int, drain_seconds: float
    ) -> None:
        self._listener = listener
        self._command = command
        self._stop_seconds_max = drain_seconds + STOP_SECONDS_EXTRA
        self._places: list[Child] = []
        self._locks = [asyncio.Lock() for _ in range(count)]
        """Who puts another process in a place holds its lock."""
        self._living: set[Child] = set()
        self._ending = asyncio.Event()
        self._has_served = False
        self._stop_signal = signal.SIGTERM
        self._wants_new = asyncio.Event()

    async def run(self) -> bool:
        """Works until it is told to stop; answers False where the first processes could not serve."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGHUP, self._wants_new.set)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._told_to_end, number)
        self._places = [await self._start() for _ in self._locks]
        work = [self._keep(place) for place in range(len(self._places))] + [self._replace_when_told()]
        tasks = [asyncio.create_task(each) for each in (*work, self._ending.wait())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            self._listener.close()  # else who comes now would wait for nobody
            await asyncio.gather(*(self._stop(child) for child in tuple(self._living)))
        return self._ending.is_set()

    def _told_to_end(self, number: signal.Signals) -> None:
        """Told so again by Ctrl-C, the processes are told again, too, and wait no longer."""
        if self._ending.is_set():
            for child in self._living:
                child.signal(number)
        self._stop_signal = number
        self._ending.set()

    async def _start(self) -> Child:
        here, there = socket.socketpair()
        with there:
            handed = (self._listener.fileno(), there.fileno())
            process = await asyncio.create_subprocess_exec(
                *self._command(*handed), pass_fds=handed, start_new_session=True
            )
        child = Child(process, *await asyncio.open_connection(sock=here))
        self._living.add(child)
        child.ended.add_done_callback(lambda _: self._living.discard(child))
        return child

    async def _keep(self, place: int) -> None:
        """Starts a process again whenever the one in its place ends; returns where none has ever served."""
        pause = PAUSE_SECONDS
        while True:
            child = self._places[place]
            await asyncio.wait((child.ended,))
            if child is not self._places[place]:
                continue
            log.error("process %s ended with %s", child.process.pid, child.ended.result())
            if not self._has_served:
                self._has_served = any(await asyncio.gather(*(each.serves() for each in self._places)))
            if not self._has_served:
                return  # which is not mended by starting them again
            if child.served.is_set():
                pause = PAUSE_SECONDS
            else:
                await asyncio.sleep(pause)
                pause = min(2 * pause, PAUSE_SECONDS_MAX)
            async with self._locks[place]:
                if child is self._places[place]:
                    self._places[place] = await self._start()

    async def _replace_when_told(self) -> None:
        while True:
            await self._wants_new.wait()
            self._wants_new.clear()
            began = time.monotonic()
            if await self._replace():
                log.info("%s new processes serve after %.1f s", len(self._places), time.monotonic() - began)

    async def _replace(self) -> bool:
        """Puts a new process in each place, one after the other; the old ones stay where a new one cannot serve."""
        for place, lock in enumerate(self._locks):
            async with lock:
                child = await self._start()
                if not await child.serves():
                    log.error("a new process ended with %s before it served; the old stay", await child.ended)
                    return False
                old, self._places[place] = self._places[place], child
            await self._stop(old)
        return True

    async def _stop(self, child: Child) -> None:
        child.signal(self._stop_signal)
        await asyncio.wait((child.ended,), timeout=self._stop_seconds_max)
        if not child.ended.done():
            log.error("process %s has not ended in time and is killed", child.process.pid)
            child.signal(signal.SIGKILL)
            await asyncio.wait((child.ended,))


def run(listener: socket.socket, command: Command, *, count: int, drain_seconds: float) -> bool:
    """Supervises processes until told to stop; answers False where the first of them could not serve."""

    async def supervise() -> bool:
        return await Supervisor(listener, command, count=count, drain_seconds=drain_seconds).run()

    return asyncio.run(supervise())
