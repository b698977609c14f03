"""The reaper: a small process that stops the registered processes if their parent is killed before it can stop them.

The reaper reads a pipe that only the parent can write to. When the parent ends, even by kill -9, the system closes the
pipe. Then the reaper stops the processes in order, servers last, and removes their temporary folders.

On Linux, prctl(PR_SET_PDEATHSIG) sends a signal to a child when its parent ends, but macOS has no equivalent. Such
signals also do not stop processes in order, and do not remove folders. So both systems use the reaper.

This file is also the reaper's program. Python runs it by its path in isolated mode, so it imports nothing from the
project.
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
    """A process to stop, its start time, the signal to stop it with, and the folder to remove afterwards."""

    pid: int
    start_time: str
    signal_number: int
    is_last: bool
    folder: str | None


def register(
    pid: int, stop_with: signal.Signals = signal.SIGTERM, *, last: bool = False, remove: Path | None = None
) -> None:
    """Register a child that the reaper stops when this process ends.

    With `last`, the reaper stops it after the children without `last`. When all children have stopped, the reaper
    deletes the folder `remove`, if one is given. A process that has already ended is not registered.
    """
    if (started_at := start_time(pid)) is not None:
        _send_to_reaper(
            WatchedProcess(pid, started_at, int(stop_with), last, str(remove) if remove else None)
        )


def unregister(pid: int) -> None:
    """Unregister a child that has ended."""
    _send_to_reaper(WatchedProcess(pid, "", 0, False, None))


def start_time(pid: int) -> str | None:
    """Return the start time of a process in the system's own format, or None if the process has ended."""
    if sys.platform == "linux":
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return None
        state, started_at = fields[0], fields[19]
    else:
        command = ["ps", "-o", "stat=", "-o", "lstart=", "-p", str(pid)]
        output = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        state, _, started_at = output.strip().partition(" ")
    return None if state[:1] in ("", "Z", "X") else started_at.strip()


def _send_to_reaper(watched: WatchedProcess) -> None:
    pipe = _reaper_of(os.getpid()).stdin
    assert pipe is not None
    pipe.write(json.dumps(watched).encode() + b"\n")
    pipe.flush()


@functools.cache  # one reaper per process, started at the first use; a forked child starts its own
def _reaper_of(owner_pid: int) -> subprocess.Popen[bytes]:
    reaper = subprocess.Popen(
        [sys.executable, "-I", "-S", str(Path(__file__).resolve())],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,  # the terminal's Ctrl-C and hang-up must not reach the reaper
    )
    atexit.register(_close, owner_pid, reaper)
    return reaper


def _close(owner_pid: int, reaper: subprocess.Popen[bytes]) -> None:
    if owner_pid == os.getpid() and reaper.stdin is not None:
        reaper.stdin.close()
        reaper.wait()


def _run() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    processes: dict[int, WatchedProcess] = {}
    for line in sys.stdin:
        watched = WatchedProcess(*json.loads(line))
        processes.pop(watched.pid, None)
        if watched.signal_number:
            processes[watched.pid] = watched
    for is_last in (False, True):
        _stop([watched for watched in processes.values() if watched.is_last is is_last])
    for watched in processes.values():
        if watched.folder is not None:
            shutil.rmtree(watched.folder, ignore_errors=True)


def _stop(processes: list[WatchedProcess]) -> None:
    for watched in processes:
        _send(watched, watched.signal_number)
    deadline = time.monotonic() + STOP_SECONDS_MAX
    while any(map(_is_alive, processes)) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    for watched in processes:
        _send(watched, signal.SIGKILL)


def _is_alive(watched: WatchedProcess) -> bool:
    # A later process may have the same process id, but not the same start time.
    return start_time(watched.pid) == watched.start_time


def _send(watched: WatchedProcess, signal_number: int) -> None:
    if _is_alive(watched):
        os.kill(watched.pid, signal_number)


if __name__ == "__main__":
    _run()
