"""`renewals serve` as a process prints in one line why it cannot serve, and ends on SIGTERM."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from graphql_api.server import graceful_shutdown, serve
from tests.support import live_server

END_SECONDS_MAX = 60


def run_command(*arguments: str, **variables: str) -> tuple[int, str]:
    """Return the exit code and the output of a command."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RENEWALS_")}
    command = [sys.executable, "-m", "graphql_api", *arguments]
    result = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env=environment | variables,
        timeout=END_SECONDS_MAX,
    )
    return result.returncode, result.stdout + result.stderr


@pytest.fixture
def taken_port() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield str(server.getsockname()[1])


@pytest.mark.parametrize("workers", ["1", "2"])
def test_serve_on_a_port_in_use_exits_with_one_line(
    database_url: str, redis_url: str, taken_port: str, workers: str
) -> None:
    sentence = (
        f"Cannot listen at 127.0.0.1, port {taken_port}: Address already in use. "
        "Choose another address with --host and --port, or with RENEWALS_HOST and RENEWALS_PORT.\n"
    )
    servers = {"DATABASE_URL": database_url, "REDIS_URL": redis_url}
    by_option = run_command("serve", "--port", taken_port, "--workers", workers, **servers)
    by_variable = run_command("serve", "--workers", workers, **servers, RENEWALS_PORT=taken_port)
    assert by_option == by_variable == (1, sentence)


@pytest.mark.parametrize(
    ("arguments", "variables", "start"),
    [
        (("serve", "--port", "99999"), {}, "--port: "),
        (("serve", "--workers", "2", "--port", "-1"), {}, "--port: "),
        (("up",), {"RENEWALS_PORT": "99999"}, "RENEWALS_PORT: "),
    ],
)
def test_serve_and_up_refuse_an_invalid_port_with_one_line(
    database_url: str, arguments: tuple[str, ...], variables: dict[str, str], start: str
) -> None:
    code, output = run_command(*arguments, DATABASE_URL=database_url, **variables)
    assert (code, output.count("\n"), output.startswith(f"{start}Input should be ")) == (1, 1, True)


def test_serve_on_the_address_of_another_machine_exits_with_one_line(database_url: str) -> None:
    code, output = run_command("serve", "--host", "192.0.2.1", DATABASE_URL=database_url)
    assert (code, output.count("\n")) == (1, 1)
    assert output.startswith("Cannot listen at 192.0.2.1, port 8000: ")


async def test_serve_ends_on_sigterm_while_redis_closes_each_connection(database_url: str) -> None:
    """Redis closes each connection immediately, so that SIGTERM probably arrives during an attempt to connect."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=close_connections, args=(listener,), daemon=True).start()
        url = f"redis://127.0.0.1:{listener.getsockname()[1]}/0"
        async with live_server.served(database_url, REDIS_URL=url, RENEWALS_LOG_LEVEL="CRITICAL") as server:
            await asyncio.sleep(1)
            server.process.signal(signal.SIGTERM)
            async with asyncio.timeout(END_SECONDS_MAX):
                assert await server.process.ended() == -signal.SIGTERM
        listener.shutdown(socket.SHUT_RDWR)


async def test_a_worker_that_is_stopped_during_its_start_closes_its_port_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    listeners = [socket.create_server(("127.0.0.1", 0))]
    address = listeners[0].getsockname()
    accepted, messages = [], []

    async def start_slowly(_: Scope, receive: Receive, send: Send) -> None:
        messages.append(await receive())
        accepted.append(can_connect(address))
        server.handle_exit(signal.SIGTERM, None)
        accepted.append(can_connect(address))
        await send({"type": "lifespan.startup.complete"})
        messages.append(await receive())
        await send({"type": "lifespan.shutdown.complete"})

    supervisor_end, worker_end = socket.socketpair()
    with supervisor_end, worker_end:
        configuration = uvicorn.Config(start_slowly, lifespan="on", log_config=None)
        server = serve.WorkerServer(configuration, 60, listeners, worker_end)
        monkeypatch.setattr(graceful_shutdown, "_draining", threading.Event())
        monkeypatch.setattr(server, "capture_signals", contextlib.nullcontext)
        async with asyncio.timeout(END_SECONDS_MAX / 2):
            await server.serve(listeners)
        asyncio.get_running_loop().remove_reader(worker_end)
    assert accepted == [True, False]
    assert messages == [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]


def can_connect(address: tuple[str, int]) -> bool:
    try:
        socket.create_connection(address).close()
    except ConnectionRefusedError:
        return False
    return True


def close_connections(listener: socket.socket) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        connection.close()
