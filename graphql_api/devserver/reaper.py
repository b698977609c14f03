"""A small process beside ours that stops what we started, should we be killed before we can.

It reads a pipe that only we can write to. However we end, even by kill -9, the system closes our end, and the
guard then stops the watched processes in order and removes the folders that were to go with them.

This file is also the guard's program: it is run by path, in isolation, and so imports nothing of the project.
"""

import atexit
import functools
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

STOP_SECONDS_MAX = 20.0
POLL_SECONDS = 0.02


class WatchedProcess(NamedTuple):
    """A process to stop, when it started, the signal that ends it, and the folder to remove after it."""

    pid: int
    started: str
    signal_number: int
    last: bool
    folder: str | None


def register(
    pid: int, stop_with: signal.Signals = signal.SIGTERM, *, last: bool = False, remove: Path | None = None
) -> None:
    """Has a running child stopped if we die, a server `last`, after its users; `remove` goes with it."""
    if (moment := started(pid)) is not None:
        _tell(WatchedProcess(pid, moment, int(stop_with), last, str(remove) if remove else None))


def unregister(pid: int) -> None:
    """Takes a child that has ended off the list."""
    _tell(WatchedProcess(pid, "", 0, False, None))


def started(pid: int) -> str | None:
    """Answers the moment a process started, in its system's words, or None once it has ended."""
    if sys.platform == "linux":
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return None
        state, moment = fields[0], fields[19]
    else:
        command = ["ps", "-o", "stat=", "-o", "lstart=", "-p", str(pid)]
        found = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        state, _, moment = found.strip().partition(" ")
    return None if state[:1] in ("", "Z", "X") else moment.strip()


def _tell(watched: WatchedProcess) -> None:
    pipe = _guard_of(os.getpid()).stdin
    assert pipe is not None
    pipe.write(json.dumps(watched).encode() + b"\n")
    pipe.flush()


@functools.cache  # one guard a process, started by the first who needs it; a forked child gets its own
def _guard_of(owner_pid: int) -> subprocess.Popen[bytes]:
    guard = subprocess.Popen(
        [sys.executable, "-I", "-S", str(Path(__file__).resolve())],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,  # neither Ctrl-C in the terminal nor its end may reach the guard
    )
    atexit.register(_dismiss, owner_pid, guard)
    return guard


def _dismiss(owner_pid: int, guard: subprocess.Popen[bytes]) -> None:
    if owner_pid == os.getpid() and guard.stdin is not None:
        guard.stdin.close()
        guard.wait()


def _run() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    everyone: dict[int, WatchedProcess] = {}
    for line in sys.stdin:
        watched = WatchedProcess(*json.loads(line))
        everyone.pop(watched.pid, None)
        if watched.signal_number:
            everyone[watched.pid] = watched
    for last in (False, True):
        _stop([watched for watched in everyone.values() if watched.last is last])
    for watched in everyone.values():
        if watched.folder is not None:
            shutil.rmtree(watched.folder, ignore_errors=True)


def _stop(group: list[WatchedProcess]) -> None:
    for watched in group:
        _send(watched, watched.signal_number)
    deadline = time.monotonic() + STOP_SECONDS_MAX
    while any(map(_is_alive, group)) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    for watched in group:
        _send(watched, signal.SIGKILL)


def _is_alive(watched: WatchedProcess) -> bool:
    # The start tells the watched process from a later one that was given its number.
    return started(watched.pid) == watched.started


def _send(watched: WatchedProcess, signal_number: int) -> None:
    if _is_alive(watched):
        os.kill(watched.pid, signal_number)


if __name__ == "__main__":
    _run()
