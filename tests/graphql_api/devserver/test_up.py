"""`renewals up` as a real process: its printed command in a real shell, Ctrl-C, and kill -9."""

import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple
from unittest.mock import ANY

import asyncpg
import httpx2
import pytest

from graphql_api.devserver import binaries, reaper
from graphql_api.graphql import graphiql
from tests.support.waiting import free_port, holds_within

STOP_SECONDS_MAX = 30


class Up(NamedTuple):
    """A running `renewals up` and its output."""

    process: subprocess.Popen[str]
    output: str
    took_seconds: float

    @property
    def address(self) -> str:
        return self._find(r"^Open (\S+)/ in a browser")

    @property
    def key(self) -> str:
        return self._find(r"^Demo API key +(\S+)$")

    @property
    def operator_address(self) -> str:
        return self._find(r"^The provider's side +(\S+)$")

    @property
    def operator_key(self) -> str:
        return self._find(r"^Operator key +(\S+)$")

    @property
    def database_url(self) -> str:
        return self._find(r"^PostgreSQL +(\S+)$")

    @property
    def curl(self) -> str:
        return self._find(r"^(curl .*)$")

    def family(self) -> dict[int, str]:
        """Return the process and its descendants, with the command of each."""
        everyone = processes()
        family = {self.process.pid: "up"}
        while more := [row for row in everyone if row[1] in family and row[0] not in family]:
            family |= {pid: command for pid, _, command in more}
        return family

    def _find(self, pattern: str) -> str:
        [found] = re.findall(pattern, self.output, re.MULTILINE)
        return str(found)


def processes() -> list[tuple[int, int, str]]:
    """Return the pid, the parent's pid and the command of every process."""
    if sys.platform != "linux":
        listed = subprocess.run(["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True)
        rows = [line.split(maxsplit=2) for line in listed.stdout.splitlines()]
        return [(int(pid), int(parent), command) for pid, parent, command in rows]
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # the process has just ended
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            command = (folder / "cmdline").read_text().replace("\0", " ").strip()
            found.append((int(folder.name), int(parent), command))
    return found


@pytest.fixture
def data_folder() -> Iterator[Path]:
    """Yield a folder that the service user can enter. Only root may be able to enter pytest's temporary folder."""
    folder = binaries.temporary_data_directory()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def up(data_folder: Path) -> Iterator[Callable[..., Up]]:
    """Start `renewals up`, wait for its last line, and stop its remaining processes at the end."""
    started: list[subprocess.Popen[str]] = []

    def start(**variables: str) -> Up:
        environment = os.environ | {"LC_ALL": "C", "RENEWALS_PORT": str(free_port())} | variables
        command = [sys.executable, "-m", "graphql_api", "up", "--data-dir", str(data_folder)]
        started_at = time.monotonic()
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        started.append(process)
        assert process.stdout is not None
        output = ""
        for line in process.stdout:
            output += line
            if line == "Ctrl-C stops everything.\n":
                return Up(process, output, time.monotonic() - started_at)
        raise AssertionError(f"renewals up ended with {process.wait()}:\n{output}")

    yield start
    for process in started:
        process.terminate()
        process.communicate()


def running_processes(family: dict[int, str]) -> dict[int, str]:
    return {pid: command for pid, command in family.items() if reaper.start_time(pid) is not None}


def is_served(address: str) -> bool:
    try:
        return httpx2.get(f"{address}/healthz").status_code == 200
    except httpx2.TransportError:
        return False


def value(url: str, sql: str) -> object:
    async def fetch() -> object:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(sql)
        finally:
            await connection.close()

    return asyncio.run(fetch())


def run_printed_command(line: str) -> object:
    """Run the printed command in a shell. If curl is not installed, send the same request with another client."""
    if shutil.which("curl"):
        return json.loads(subprocess.run(line, shell=True, capture_output=True, check=True).stdout)
    [(address, key, query)] = re.findall(r"^curl -s '?([^\s']+)'? .*(Bearer [^']+)' .* -d '(.*)'$", line)
    headers = {"Authorization": key, "Content-Type": "application/json"}
    return httpx2.post(address, content=query, headers=headers).json()


def test_up_starts_all_processes_and_ctrl_c_ends_all_of_them(
    up: Callable[..., Up], data_folder: Path
) -> None:
    first = up()
    assert "was taken" not in first.output
    ended = "SELECT count(*) FROM renewal_runs WHERE ended_at IS NOT NULL"
    assert holds_within(lambda: value(first.database_url, ended) != 0), "the worker runs"
    assert value(first.database_url, "SELECT count(*) FROM orders") == 0, (
        "and does not renew the demo account"
    )
    answer = run_printed_command(first.curl)
    assert answer["data"] == {  # type: ignore[index]
        "account": {"name": "演示账户", "balance": answer["data"]["account"]["balance"]},  # type: ignore[index]
        "instances": {"totalCount": 293},  # three are released
    }
    page = httpx2.get(f"{first.address}/graphql", headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert first.key in page.text
    page = httpx2.get(first.operator_address, headers={"Accept": "text/html"})
    assert first.operator_key in page.text
    assert first.key not in page.text
    response = httpx2.post(
        first.operator_address,
        json={"query": "{ accounts { totalCount } }"},
        headers={"Authorization": f"Bearer {first.operator_key}"},
    )
    assert response.json()["data"] == {"accounts": {"totalCount": 1}}
    opened = httpx2.get(f"{first.address}/", headers={"Accept": "text/html"}, follow_redirects=True)
    assert (str(opened.url), opened.text.count(first.key)) == (f"{first.address}/console/", 0)
    assert httpx2.get(f"{first.address}/console/config.json").json()["key"] == first.key
    rebound = httpx2.get(f"{first.address}/graphql", headers={"Accept": "text/html", "Host": "evil.example"})
    assert (rebound.status_code, first.key in rebound.text) == (421, False)
    if graphiql.FOLDER.is_dir():  # without a network, the setup did not fetch them
        asset = graphiql.assets()[0].place
        served = httpx2.get(f"{first.address}/graphiql/{asset}").content
        assert served == (graphiql.FOLDER / asset).read_bytes()
    assert f"`rm -r {data_folder}`" in first.output, "how to start over"
    assert f"`. {data_folder}/env`" in first.output, "what to try next"
    assert (data_folder / "env").stat().st_mode & 0o077 == 0, "only the owner may read the key"

    family = first.family()
    assert len(family) >= 5, family
    os.killpg(first.process.pid, signal.SIGINT)
    assert first.process.wait(STOP_SECONDS_MAX) == 0
    assert running_processes(family) == {}

    later = [up()]
    assert run_printed_command(later[0].curl) == answer
    assert (later[0].key, later[0].operator_key) == (first.key, first.operator_key)
    assert value(later[0].database_url, "SELECT count(*) FROM api_keys") == 2, "the demo's and the operator's"
    later[0].process.terminate()
    assert later[0].process.wait(STOP_SECONDS_MAX) == 0
    later.append(up())
    # On a busy machine, each process gets only a share of the processors.
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    assert min(start.took_seconds for start in later) < 5 * (1 + load)


def test_kill_9_leaves_no_process_and_the_next_start_keeps_the_key_and_the_data(
    up: Callable[..., Up],
) -> None:
    first = up()
    family = first.family()
    assert {"serve", "worker"} <= {command.split()[-1] for command in family.values()}
    first.process.kill()
    assert holds_within(lambda: running_processes(family) == {}), running_processes(family)
    assert not is_served(first.address)
    second = up()
    assert second.key == first.key
    assert run_printed_command(second.curl)["data"]["account"]["name"] == "演示账户"  # type: ignore[index]


def test_a_port_in_use_is_reported_and_another_port_is_used(
    up: Callable[..., Up], empty_database_url: str, redis_url: str
) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        taken = listener.getsockname()[1]
        started = up(RENEWALS_PORT=str(taken), DATABASE_URL=empty_database_url, REDIS_URL=redis_url)
        assert f"(port {taken} was taken)" in started.output
        assert not started.address.endswith(f":{taken}")
        assert is_served(started.address)


def test_up_at_an_ipv6_address_is_ready_and_prints_a_command_that_works(
    up: Callable[..., Up], data_folder: Path, empty_database_url: str, redis_url: str
) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    port = str(free_port())
    started = up(
        RENEWALS_HOST="::1", RENEWALS_PORT=port, DATABASE_URL=empty_database_url, REDIS_URL=redis_url
    )
    assert started.address == f"http://[::1]:{port}"
    assert run_printed_command(started.curl)["data"]["account"]["name"] == "演示账户"  # type: ignore[index]
    assert f"export GRAPHQL_URL=http://[::1]:{port}/graphql\n" in (data_folder / "env").read_text()


def test_servers_in_the_settings_are_used_and_no_embedded_server_is_started(
    up: Callable[..., Up], data_folder: Path, empty_database_url: str, redis_url: str
) -> None:
    started = up(RENEWALS_PORT="0", DATABASE_URL=empty_database_url, REDIS_URL=redis_url)
    assert "was taken" not in started.output, "0 asks for any port"
    assert started.database_url == empty_database_url
    assert run_printed_command(started.curl)["data"]["account"]["name"] == "演示账户"  # type: ignore[index]
    assert sorted(path.name for path in data_folder.iterdir()) == ["env"]
    assert not re.search(r"postgres -D|valkey-server", "\n".join(started.family().values()))
    started.process.send_signal(signal.SIGINT)
    assert started.process.wait(STOP_SECONDS_MAX) == 0
    assert value(empty_database_url, "SELECT count(*) FROM instances") == 300


def test_only_the_server_that_has_no_url_in_the_settings_is_started_and_named(
    up: Callable[..., Up], data_folder: Path, empty_database_url: str
) -> None:
    started = up(DATABASE_URL=empty_database_url)
    assert "Starting Valkey ..." in started.output.splitlines()
    assert "Starting PostgreSQL" not in started.output
    assert not re.search("postgres -D", "\n".join(started.family().values()))


def test_the_demo_account_is_not_loaded_into_a_database_that_has_accounts(
    up: Callable[..., Up], data_folder: Path, database_url: str, redis_url: str
) -> None:
    account = """INSERT INTO accounts (id, name, currency, time_zone, balance_cents, ledger_number, auto_renew_from,
        created_at, language) VALUES ('a', 'Example Ltd.', 'CNY', 'UTC', 0, 0, now(), now(), 'en')"""
    value(database_url, account)
    started = up(DATABASE_URL=database_url, REDIS_URL=redis_url)
    assert (
        "The database already has accounts, so the demo account was not loaded. `renewals demo` loads it.\n"
        in started.output
    )
    assert "Demo API key" not in started.output
    assert "To start over" not in started.output, "the command would empty that database"
    assert "GRAPHQL_KEY" not in (data_folder / "env").read_text()
    assert run_printed_command(started.curl) == {
        "data": {
            "accounts": {"totalCount": 1, "nodes": [{"id": "a", "name": "Example Ltd.", "balance": "0.00"}]}
        },
        "extensions": {"cost": ANY},
    }
    for table in ("products", "data_centers", "instances"):
        assert value(database_url, f"SELECT count(*) FROM {table}") == 0
    started.process.send_signal(signal.SIGINT)
    assert started.process.wait(STOP_SECONDS_MAX) == 0


def test_a_killed_worker_ends_all_processes_with_exit_code_1(
    up: Callable[..., Up], empty_database_url: str, redis_url: str
) -> None:
    started = up(DATABASE_URL=empty_database_url, REDIS_URL=redis_url)
    family = started.family()
    [worker] = [pid for pid, command in family.items() if command.endswith(" worker")]
    os.kill(worker, signal.SIGKILL)
    assert started.process.wait(STOP_SECONDS_MAX) == 1
    assert holds_within(lambda: running_processes(family) == {}), running_processes(family)


def test_a_proxy_in_the_environment_is_not_used_for_the_local_address(
    up: Callable[..., Up], empty_database_url: str, redis_url: str
) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    started = up(http_proxy=nowhere, HTTP_PROXY=nowhere, DATABASE_URL=empty_database_url, REDIS_URL=redis_url)
    assert is_served(started.address)
