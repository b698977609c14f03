"""The product's processes: forked in 10 ms from a process that has imported it, or started as a user starts them.

Both kinds are real processes, which a real kill -9 ends. None outlives the process that started it.
"""

import asyncio
import atexit
import contextlib
import importlib
import multiprocessing
import multiprocessing.reduction
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

from graphql_api.devserver import reaper
from tests.chaos import plans

POLL_SECONDS = 0.005
STOP_SECONDS_MAX = 20

_nursery = multiprocessing.get_context("forkserver")
_nursery.set_forkserver_preload(["tests.chaos.victim"])


class Descriptor(NamedTuple):
    """An open file descriptor. It has another number in the forked process, to which it is sent."""

    number: int

    def __reduce__(self) -> tuple[Callable[[Any], int], tuple[Any]]:
        return _detached, (multiprocessing.reduction.DupFd(self.number),)


class Process:
    """A process, by its id."""

    def __init__(self, pid: int, exit_code: Callable[[], int | None]) -> None:
        self.pid = pid
        self._exit_code = exit_code
        reaper.register(pid, signal.SIGKILL)

    @property
    def exit_code(self) -> int | None:
        """The exit code, -9 for a killed process, None for a running one."""
        return self._exit_code()

    @property
    def is_alive(self) -> bool:
        return self.exit_code is None

    @property
    def is_stopped(self) -> bool:
        """Whether a SIGSTOP has stopped the process."""
        with contextlib.suppress(FileNotFoundError):
            return Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
        process = subprocess.run(
            ["/bin/ps", "-o", "stat=", "-p", str(self.pid)], capture_output=True, check=False
        )
        return process.stdout.strip().startswith(b"T")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process if it is running."""
        if self.is_alive:
            with contextlib.suppress(ProcessLookupError):  # it ended, but was not reaped yet
                os.kill(self.pid, number)

    async def ended(self) -> int:
        """Wait for the end of the process and return the exit code."""
        while (code := self.exit_code) is None:  # noqa: ASYNC110  # forked by another process: no event
            await asyncio.sleep(POLL_SECONDS)
        reaper.unregister(self.pid)
        return code

    async def kill(self) -> int:
        """Kill the process with SIGKILL."""
        self.signal(signal.SIGKILL)
        return await self.ended()


def fork(
    command: Sequence[str],
    environment: Mapping[str, str],
    log: Path | None = None,
    plan: plans.Plan = plans.AS_IT_IS,
) -> Process:
    """Fork `renewals ...` with a plan. Its output goes to the file `log` or, if it is None, to that of this process."""
    with log.open("ab") if log else contextlib.nullcontext() as file:
        outputs = {number: file.fileno() if file else number for number in (1, 2)}
        return fork_with(command, environment, outputs, plan=plan)


def fork_with(
    command: Sequence[str],
    environment: Mapping[str, str],
    descriptors: Mapping[int, int],
    folder: Path | None = None,
    plan: plans.Plan = plans.AS_IT_IS,
) -> Process:
    """Fork `renewals ...` in a folder. `descriptors` maps its file descriptors to those of this process."""
    described = {number: Descriptor(ours) for number, ours in descriptors.items()}
    arguments = (list(command), {**os.environ, **environment}, plan, described, folder)
    child = _nursery.Process(target=_become, args=arguments, daemon=True)
    child.start()
    assert child.pid is not None
    return Process(child.pid, lambda: child.exitcode)


def start(command: Sequence[str], environment: Mapping[str, str], log: Path) -> Process:
    """Start `python -m graphql_api ...`, the unchanged product."""
    with log.open("ab") as output:
        return start_python(["-m", "graphql_api", *command], environment, output)


def start_python(
    arguments: Sequence[str], environment: Mapping[str, str], output: IO[bytes] | None = None
) -> Process:
    """Start `python ...`. Its output goes to the file `output` or, if it is None, to that of this process."""
    child = subprocess.Popen(
        [sys.executable, *arguments], env=os.environ | environment, stdout=output, stderr=output
    )
    return Process(child.pid, child.poll)


def _become(
    command: Sequence[str],
    environment: Mapping[str, str],
    plan: plans.Plan,
    descriptors: Mapping[int, int],
    folder: Path | None,
) -> None:
    os.environ.clear()
    os.environ.update(environment)
    if folder is not None:
        os.chdir(folder)
    for number, descriptor in descriptors.items():
        os.dup2(descriptor, number)
        os.close(descriptor)
    if 0 in descriptors:
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - open until the process ends
    # Only the forked process imports this module, because it changes the clock and the driver of its process.
    try:
        importlib.import_module("tests.chaos.victim").run(command, plan)
    finally:
        atexit._run_exitfuncs()  # a process that was not forked does this on exit


def _detached(file: Any) -> int:
    return int(file.detach())
