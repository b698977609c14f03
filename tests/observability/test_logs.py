"""The log has one line per entry and one configuration, and contains no content of requests."""

import asyncio
import contextlib
import datetime as dt
import logging
import os
import signal
import sys
import weakref
from typing import Any

import httpx2
import orjson
import pytest
import websockets

from graphql_api.middleware import request_log
from renewals import config
from renewals.observability import log_config
from tests.observability.conftest import Lines, Serve
from tests.observability.test_errors import open_socket
from tests.support.fixtures import World
from tests.support.graphql_client import URL, Client
from tests.support.live_server import served
from tests.support.waiting import free_port
from tests.workers.conftest import Start, start

__all__ = ["start"]

QUERY = """query Page($search: String!) { instances(filter: {search: $search}) { nodes { id } } }"""
UNSAFE_TEXT = 'one\r\n{"event":"two"}\x1b[2J\x9b31m\u2028three\u202e\ud800 四'
ITERATION_SECONDS = 0.01
EVENTS = "subscription Follow { events(after: 0) { sequence } }"


@pytest.fixture
async def customer(world: World, graphql: Client) -> Client:
    await world.account("a", balance="1234.56")
    graphql.key = await world.key("a")
    return graphql


def record(message: object, *arguments: object, **about: object) -> logging.LogRecord:
    log_record = logging.LogRecord("renewals.x", logging.WARNING, "", 0, message, arguments or None, None)
    log_record.__dict__.update(about)
    return log_record


def record_with_traceback() -> logging.LogRecord:
    try:
        raise ValueError(UNSAFE_TEXT)
    except ValueError:
        return logging.LogRecord("renewals.x", logging.ERROR, "", 0, "failed", None, sys.exc_info())


def test_a_json_line_has_a_timestamp_a_logger_a_level_and_an_event() -> None:
    entry = orjson.loads(log_config.Formatter("json").format(record("a %s of %d", "chunk", 3, run=7)))
    assert entry.pop("timestamp").endswith("Z")
    assert entry == {"event": "a chunk of 3", "level": "warning", "logger": "renewals.x", "run": 7}


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_a_message_with_control_characters_is_one_printable_line(log_format: str) -> None:
    write = log_config.Formatter(log_format).format
    nested = record({"event": "x", "y": [UNSAFE_TEXT, {UNSAFE_TEXT: UNSAFE_TEXT}]})
    for log_record in (
        record(UNSAFE_TEXT),
        record("%s", UNSAFE_TEXT),
        record("x", extra=UNSAFE_TEXT),
        nested,
    ):
        text = write(log_record)
        assert len(text.splitlines()) == 1
        assert text.replace("\x1b[0m", "").isprintable()
        assert "四" in text


def test_a_traceback_is_a_field_of_json_and_indented_in_text() -> None:
    entry = orjson.loads(log_config.Formatter("json").format(record_with_traceback()))
    assert entry["exception"].startswith("Traceback")
    assert "\x1b" not in entry["exception"]
    first, *others = log_config.Formatter("text").format(record_with_traceback()).splitlines()
    assert "failed" in first
    assert others and all(line.startswith("  | ") and line.isprintable() for line in others)


def test_the_log_format_is_text_on_a_terminal_unless_the_setting_is_json(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def read_log_format(**values: str) -> str:
        configuration: dict[str, Any] = log_config.configuration(config.Settings(**values))  # type: ignore[arg-type]
        return str(configuration["formatters"]["ours"]["log_format"])

    assert read_log_format() == "json"
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert read_log_format() == "text"
    assert read_log_format(log_format="json") == "json"


@pytest.fixture
def handler() -> log_config.BufferedHandler:
    buffered = log_config.BufferedHandler()
    buffered.setFormatter(log_config.Formatter("json"))
    return buffered


def line(event: str, level: int = logging.INFO) -> logging.LogRecord:
    return logging.LogRecord("renewals.x", level, "", 0, {"event": event}, None, None)


def events(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Return the log lines that were written since the last call."""
    return [orjson.loads(line)["event"] for line in capsys.readouterr().err.splitlines()]


async def test_lines_of_one_loop_iteration_are_written_together_and_a_warning_at_once(
    handler: log_config.BufferedHandler, capsys: pytest.CaptureFixture[str]
) -> None:
    for event in ("one", "two"):
        handler.emit(line(event))
    assert events(capsys) == []
    await asyncio.sleep(ITERATION_SECONDS)
    assert events(capsys) == ["one", "two"]
    handler.emit(line("three"))
    handler.emit(line("four", logging.WARNING))
    assert events(capsys) == ["three", "four"]
    await asyncio.sleep(ITERATION_SECONDS)
    assert events(capsys) == []


def test_a_line_is_written_at_once_without_an_event_loop(
    handler: log_config.BufferedHandler, capsys: pytest.CaptureFixture[str]
) -> None:
    handler.emit(line("one"))
    assert events(capsys) == ["one"]


def test_a_buffered_line_of_an_ended_loop_is_written_by_the_next_loop_or_at_exit(
    handler: log_config.BufferedHandler, capsys: pytest.CaptureFixture[str]
) -> None:
    async def emit_line(event: str) -> None:
        handler.emit(line(event))

    async def emit_line_and_exit(event: str) -> None:
        handler.emit(line(event))
        sys.exit()

    def end_loop_after(event: str) -> None:
        with contextlib.closing(asyncio.new_event_loop()) as loop, pytest.raises(SystemExit):
            loop.run_until_complete(emit_line_and_exit(event))

    end_loop_after("one")
    assert events(capsys) == []
    asyncio.run(emit_line("two"))
    assert events(capsys) == ["one", "two"]
    end_loop_after("three")
    assert events(capsys) == []
    logging.shutdown([weakref.ref(handler)])
    assert events(capsys) == ["three"]


async def test_a_request_is_logged_in_one_line_without_its_key_values_or_results(
    world: World, customer: Client, lines: Lines
) -> None:
    response = await customer.post(QUERY, search="a-customer's-own-words")
    [request] = lines.requests()
    assert request.pop("duration_ms") > 0
    assert request.pop("timestamp")
    assert request.pop("cost") == response.json()["extensions"]["cost"]
    assert request == {
        "event": "request",
        "level": "info",
        "logger": "renewals.requests",
        "request_id": response.headers["x-request-id"],
        "operation": "Page",
        "kind": "query",
        "status": 200,
        "account": "a",
        "role": "RENEWER",
        "key": str(await world.value("SELECT id FROM api_keys")),
    }
    await customer.post(QUERY, search="again")
    assert lines.requests()[1]["operation"] == "Page"
    log = "".join(lines.texts)
    assert str(customer.key) not in log and "customer's" not in log and "1234.56" not in log


async def test_the_timestamp_of_a_request_is_the_time_of_its_end(customer: Client, lines: Lines) -> None:
    began = dt.datetime.now(dt.UTC)
    await customer("{ account { id } }")
    ended = dt.datetime.now(dt.UTC)
    await asyncio.sleep(3 * request_log.WAIT_SECONDS)
    [entry] = [entry for entry in lines.entries if entry["logger"] == "renewals.requests"]
    assert began <= dt.datetime.fromisoformat(entry["timestamp"]) <= ended


@pytest.mark.parametrize(
    ("sent", "is_taken"),
    [
        ("a-Sane_id.7", True),
        ("x" * 64, True),
        *((sent, False) for sent in ("x" * 65, "", "a b", "a\tb", "é")),
    ],
)
async def test_the_request_id_of_a_client_is_kept_only_if_it_is_valid(
    customer: Client, lines: Lines, sent: str, is_taken: bool
) -> None:
    headers = [
        (b"X-Request-Id", sent.encode("latin-1")),
        (b"Authorization", f"Bearer {customer.key}".encode()),
    ]
    response = await customer.http.post(URL, json={"query": "{ account { id } }"}, headers=headers)
    [request] = lines.requests()
    assert response.headers["x-request-id"] == request["request_id"]
    assert (request["request_id"] == sent) is is_taken
    assert len(request["request_id"]) <= 64


async def test_a_refused_request_is_logged_with_its_error_code(customer: Client, lines: Lines) -> None:
    await customer.post("{ nothing }")
    await customer.post("{ account { id } }", unknown=1)
    customer.key = "rk_00000000_not-a-key"
    await customer.post("{ account { id } }")
    refused, accepted, unknown = lines.requests()
    assert (refused["operation"], refused["kind"], refused["codes"]) == ("other", "other", ["BAD_REQUEST"])
    assert accepted["operation"] == "anonymous" and "codes" not in accepted
    assert (unknown["status"], unknown["codes"]) == (401, ["UNAUTHENTICATED"])
    assert "account" not in unknown and "rk_" not in "".join(lines.texts)


async def test_the_token_of_a_calendar_address_is_not_logged(customer: Client, lines: Lines) -> None:
    token = (await customer("mutation Reset { resetCalendarToken { token } }"))["resetCalendarToken"]["token"]
    await customer.http.get("http://testserver/calendar.ics", params={"token": token})
    reset, calendar = lines.requests()
    assert (reset["operation"], reset["kind"]) == ("Reset", "mutation")
    assert (calendar["operation"], calendar["kind"], calendar["role"]) == (
        "calendar.ics",
        "calendar",
        "CALENDAR",
    )
    assert token not in "".join(text for text in lines.texts if '"logger":"httpx2"' not in text)


async def test_a_web_socket_and_each_of_its_operations_are_logged_when_they_end(
    customer: Client, live: Serve, lines: Lines
) -> None:
    async with live() as address:
        async with open_socket(address, str(customer.key)) as socket:
            assert socket.response
            request_id = socket.response.headers["x-request-id"]
            await socket.recv()
            for number, query in enumerate(("query One { account { id } }", EVENTS)):
                message = {"type": "subscribe", "id": str(number), "payload": {"query": query}}
                await socket.send(orjson.dumps(message).decode())
            assert orjson.loads(await socket.recv())["type"] == "next"
            assert orjson.loads(await socket.recv())["type"] == "complete"
            assert [entry["operation"] for entry in lines.requests()] == ["One"]
        async with asyncio.timeout(10):
            while len(lines.requests()) < 3:  # noqa: ASYNC110 - a log has no event for it
                await asyncio.sleep(0.01)
    operations = {(entry["kind"], entry["operation"], entry["account"]) for entry in lines.requests()}
    assert operations == {("query", "One", "a"), ("subscription", "Follow", "a"), ("socket", "other", "a")}
    assert {entry["request_id"] for entry in lines.requests()} == {request_id}


async def test_every_line_of_a_server_process_is_json(
    world: World, database_url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    await world.account("a")
    key = await world.key("a")
    async with served(database_url, RENEWALS_LOG_LEVEL="INFO") as process, httpx2.AsyncClient() as client:
        headers = {"Authorization": f"Bearer {key}", "X-Request-Id": "mine"}
        await client.post(process.url, json={"query": "{ account { id } }"}, headers=headers)
    entries = [orjson.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert {"uvicorn.error", "renewals.requests"} <= {entry["logger"] for entry in entries}
    [request] = [entry for entry in entries if entry["event"] == "request"]
    assert (request["request_id"], request["account"]) == ("mine", "a")
    assert not [entry for entry in entries if entry["logger"] == "uvicorn.access"]


@pytest.mark.parametrize("level", ["DEBUG", "INFO"])
async def test_no_key_and_no_address_of_a_web_socket_is_logged_at_any_level(
    world: World, database_url: str, capfd: pytest.CaptureFixture[str], level: str
) -> None:
    await world.account("a")
    key = await world.key("a")
    protocol = websockets.Subprotocol("graphql-transport-ws")
    async with served(database_url, RENEWALS_LOG_LEVEL=level) as process:
        headers = {"Authorization": f"Bearer {key}"}
        url = f"ws://{process.address}/graphql?token=in-the-address"
        async with websockets.connect(url, subprotocols=[protocol], additional_headers=headers) as socket:
            message = {"type": "connection_init", "payload": headers}
            await socket.send(orjson.dumps(message).decode())
            await socket.recv()
            message = {
                "type": "subscribe",
                "id": "1",
                "payload": {"query": "{ account { id } } # in-a-frame"},
            }
            await socket.send(orjson.dumps(message).decode())
            assert orjson.loads(await socket.recv())["type"] == "next"
        with pytest.raises(websockets.InvalidStatus):
            async with websockets.connect(
                url, origin=websockets.Origin("https://evil.example"), additional_headers=headers
            ):
                pass
        async with httpx2.AsyncClient(headers=headers) as client:
            await client.post(process.url, json={"query": "{ account { id } }"})
    log = capfd.readouterr().err
    assert "renewals.requests" in log and "Application startup complete" in log
    for secret in (key, "in-the-address", "in-a-frame"):
        assert secret not in log


async def test_every_line_of_several_processes_is_json(
    database_url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "graphql_api", "serve", "--port", str(port), "--workers", "2"),
        env=os.environ | {"DATABASE_URL": database_url},
    )
    async with asyncio.timeout(40), httpx2.AsyncClient() as client:
        is_serving = False
        while not is_serving:
            with contextlib.suppress(httpx2.TransportError):
                is_serving = (await client.get(f"http://127.0.0.1:{port}/healthz")).status_code == 200
            await asyncio.sleep(0.1)
        await client.post(f"http://127.0.0.1:{port}/graphql", json={"query": "{ account { id } }"})
    process.terminate()
    await process.wait()
    entries = [orjson.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert "renewals.requests" in {entry["logger"] for entry in entries}


async def test_every_line_of_a_worker_is_json(
    database_url: str, start: Start, capfd: pytest.CaptureFixture[str]
) -> None:
    process = start()
    log = ""
    async with asyncio.timeout(30):
        while "Starting worker" not in log:
            await asyncio.sleep(0.1)
            log += capfd.readouterr().err
    process.signal(signal.SIGTERM)
    await process.ended()
    log += capfd.readouterr().err
    entries = [orjson.loads(line) for line in log.splitlines()]
    assert "arq.worker" in {entry["logger"] for entry in entries}
