"""The supervisor with small programs in place of the API."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from graphql_api.server import supervision

PROGRAM = """
import os, pathlib, socket, sys, time
folder, _, line = pathlib.Path(sys.argv[1]), *map(int, sys.argv[2:])
behavior = (folder / "behavior").read_text()
if behavior == "fail":
    with (folder / "failed").open("a") as failed:
        failed.write(f"{time.time()}\\n")
    sys.exit(7)
with (folder / "served").open("a") as served:
    served.write(f"{os.getpid()}\\n")
line = socket.socket(fileno=line)
line.send(b".")
while True:
    time.sleep(0.05)
    if behavior == "beat":
        line.send(b".")
"""


@contextlib.asynccontextmanager
async def run_supervisor(folder: Path, behavior: str, count: int) -> AsyncIterator[asyncio.Task[bool]]:
    """Run a supervisor in this process, which handles its signals; stop it at the end."""
    (folder / "behavior").write_text(behavior)

    def command(listener: int, line: int) -> list[str]:
        return [sys.executable, "-c", PROGRAM, str(folder), str(listener), str(line)]

    with socket.create_server(("127.0.0.1", 0)) as listener:
        supervisor = supervision.Supervisor(listener, command, count=count, drain_seconds=1)
        running = asyncio.create_task(supervisor.run())
        try:
            yield running
            if not running.done():
                os.kill(os.getpid(), signal.SIGTERM)
                assert await asyncio.wait_for(running, 10) is True
        finally:
            for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT):
                asyncio.get_running_loop().remove_signal_handler(number)


async def wait_for_workers(folder: Path, count: int) -> list[int]:
    """Return the pids of the workers that have served, once there are `count`."""
    return [int(line) for line in await read_lines(folder, "served", count)]


async def read_failures(folder: Path, count: int) -> list[float]:
    """Return the times at which workers failed, once there are `count`."""
    return [float(line) for line in await read_lines(folder, "failed", count)]


async def read_lines(folder: Path, name: str, count: int) -> list[str]:
    """Return the lines of a file that the workers write, once there are `count`."""
    async with asyncio.timeout(20):
        while True:
            path = folder / name
            lines = path.read_text().split() if path.exists() else []
            if len(lines) >= count:
                return lines
            await asyncio.sleep(0.02)


def is_running(pid: int) -> bool:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


async def test_the_supervisor_fails_if_the_first_workers_cannot_serve(tmp_path: Path) -> None:
    async with run_supervisor(tmp_path, "fail", 2) as running:
        assert await asyncio.wait_for(running, 10) is False


async def test_a_new_worker_that_cannot_serve_does_not_replace_a_running_worker(tmp_path: Path) -> None:
    async with run_supervisor(tmp_path, "beat", 2):
        first = await wait_for_workers(tmp_path, 2)
        await asyncio.sleep(0.2)
        (tmp_path / "behavior").write_text("fail")
        os.kill(os.getpid(), signal.SIGHUP)
        await asyncio.sleep(1)
        assert all(map(is_running, first))
        (tmp_path / "behavior").write_text("beat")
        os.kill(os.getpid(), signal.SIGHUP)
        pids = await wait_for_workers(tmp_path, 4)
        async with asyncio.timeout(10):
            while any(map(is_running, first)):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        assert all(map(is_running, pids[2:]))
    assert not any(map(is_running, pids))


async def test_a_worker_without_heartbeats_is_killed_and_restarted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervision, "SILENCE_SECONDS_MAX", 0.5)
    async with run_supervisor(tmp_path, "hang", 1):
        [first, *_] = await wait_for_workers(tmp_path, 2)
        assert not is_running(first)


async def test_a_worker_that_ends_repeatedly_is_restarted_after_growing_pauses_until_it_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervision, "BACKOFF_SECONDS", 0.2)
    async with run_supervisor(tmp_path, "beat", 1):
        [first] = await wait_for_workers(tmp_path, 1)
        (tmp_path / "behavior").write_text("fail")
        os.kill(first, signal.SIGKILL)
        times = await read_failures(tmp_path, 3)
        assert times[1] - times[0] >= 0.2
        assert times[2] - times[1] >= 0.4
        (tmp_path / "behavior").write_text("beat")
        [_, second] = await wait_for_workers(tmp_path, 2)
        assert is_running(second)
