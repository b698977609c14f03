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
from tests.observability.test_errors import socket_of
from tests.support.fixtures import World
from tests.support.graphql_client import URL, Client
from tests.support.live_server import served
from tests.support.waiting import free_port
from tests.workers.conftest import Start, start

__all__ = ["start"]

QUERY = """query Page($search: String!) { instances(filter: {search: $search}) { nodes { id } } }"""
EVIL = 'one\r\n{"event":"two"}\x1b[2J\x9b31m\u2028three\u202e\ud800 四'
TURN_SECONDS = 0.01
EVENTS = "subscription Follow { events(after: 0) { sequence } }"


@pytest.fixture
async def asking(world: World, graphql: Client) -> Client:
    await world.account("a", balance="1234.56")
    graphql.key = await world.key("a")
    return graphql


def record(message: object, *arguments: object, **about: object) -> logging.LogRecord:
    made = logging.LogRecord("renewals.x", logging.WARNING, "", 0, message, arguments or None, None)
    made.__dict__.update(about)
    return made


def failed() -> logging.LogRecord:
    try:
        raise ValueError(EVIL)
    except ValueError:
        return logging.LogRecord("renewals.x", logging.ERROR, "", 0, "failed", None, sys.exc_info())


def test_a_line_of_json_says_when_where_and_what() -> None:
    entry = orjson.loads(log_config.Formatter("json").format(record("a %s of %d", "chunk", 3, run=7)))
    assert entry.pop("timestamp").endswith("Z")
    assert entry == {"event": "a chunk of 3", "level": "warning", "logger": "renewals.x", "run": 7}


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_what_was_sent_cannot_begin_a_line_or_speak_to_a_terminal(log_format: str) -> None:
    write = log_config.Formatter(log_format).format
    nested = record({"event": "x", "y": [EVIL, {EVIL: EVIL}]})
    for made in (record(EVIL), record("%s", EVIL), record("x", extra=EVIL), nested):
        text = write(made)
        assert len(text.splitlines()) == 1
        assert text.replace("\x1b[0m", "").isprintable()
        assert "四" in text


def test_a_traceback_is_a_field_of_json_and_indented_in_text() -> None:
    entry = orjson.loads(log_config.Formatter("json").format(failed()))
    assert entry["exception"].startswith("Traceback")
    assert "\x1b" not in entry["exception"]
    first, *rest = log_config.Formatter("text").format(failed()).splitlines()
    assert "failed" in first
    assert rest and all(line.startswith("  | ") and line.isprintable() for line in rest)


def test_a_terminal_is_written_text_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    def chosen(**values: str) -> str:
        made: dict[str, Any] = log_config.configuration(config.Settings(**values))  # type: ignore[arg-type]
        return str(made["formatters"]["ours"]["log_format"])

    assert chosen() == "json"
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert chosen() == "text"
    assert chosen(log_format="json") == "json"


@pytest.fixture
def handler() -> log_config.BufferedHandler:
    made = log_config.BufferedHandler()
    made.setFormatter(log_config.Formatter("json"))
    return made


def line(event: str, level: int = logging.INFO) -> logging.LogRecord:
    return logging.LogRecord("renewals.x", level, "", 0, {"event": event}, None, None)


def events(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Return the log lines that were written since the last call."""
    return [orjson.loads(each)["event"] for each in capsys.readouterr().err.splitlines()]


async def test_the_lines_of_one_turn_are_written_together_and_a_warning_at_once(
    handler: log_config.BufferedHandler, capsys: pytest.CaptureFixture[str]
) -> None:
    for event in ("one", "two"):
        handler.emit(line(event))
    assert events(capsys) == []
    await asyncio.sleep(TURN_SECONDS)
    assert events(capsys) == ["one", "two"]
    handler.emit(line("three"))
    handler.emit(line("four", logging.WARNING))
    assert events(capsys) == ["three", "four"]
    await asyncio.sleep(TURN_SECONDS)
    assert events(capsys) == []


def test_a_line_is_written_at_once_where_nothing_would_write_it_later(
    handler: log_config.BufferedHandler, capsys: pytest.CaptureFixture[str]
) -> None:
    handler.emit(line("one"))
    assert events(capsys) == ["one"]


def test_a_line_that_its_loop_left_waiting_is_written_by_the_next_or_at_the_end(
    handler: log_config.BufferedHandler, capsys: pytest.CaptureFixture[str]
) -> None:
    async def say(event: str) -> None:
        handler.emit(line(event))

    async def say_and_exit(event: str) -> None:
        handler.emit(line(event))
        sys.exit()

    def leave(event: str) -> None:
        with contextlib.closing(asyncio.new_event_loop()) as loop, pytest.raises(SystemExit):
            loop.run_until_complete(say_and_exit(event))

    leave("one")
    assert events(capsys) == []
    asyncio.run(say("two"))
    assert events(capsys) == ["one", "two"]
    leave("three")
    assert events(capsys) == []
    logging.shutdown([weakref.ref(handler)])
    assert events(capsys) == ["three"]


async def test_a_request_is_one_line_with_who_what_and_how_long_and_nothing_that_was_sent(
    world: World, asking: Client, lines: Lines
) -> None:
    answer = await asking.post(QUERY, search="a-customer's-own-words")
    [request] = lines.requests()
    assert request.pop("duration_ms") > 0
    assert request.pop("timestamp")
    assert request.pop("cost") == answer.json()["extensions"]["cost"]
    assert request == {
        "event": "request",
        "level": "info",
        "logger": "renewals.requests",
        "request_id": answer.headers["x-request-id"],
        "operation": "Page",
        "kind": "query",
        "status": 200,
        "account": "a",
        "role": "RENEWER",
        "key": str(await world.value("SELECT id FROM api_keys")),
    }
    await asking.post(QUERY, search="again")
    assert lines.requests()[1]["operation"] == "Page"
    said = "".join(lines.texts)
    assert str(asking.key) not in said and "customer's" not in said and "1234.56" not in said


async def test_a_request_s_line_says_when_it_ended_not_when_it_was_written(
    asking: Client, lines: Lines
) -> None:
    began = dt.datetime.now(dt.UTC)
    await asking("{ account { id } }")
    ended = dt.datetime.now(dt.UTC)
    await asyncio.sleep(3 * request_log.WAIT_SECONDS)
    [told] = [entry for entry in lines.entries if entry["logger"] == "renewals.requests"]
    assert began <= dt.datetime.fromisoformat(told["timestamp"]) <= ended


@pytest.mark.parametrize(
    ("sent", "is_taken"),
    [
        ("a-Sane_id.7", True),
        ("x" * 64, True),
        *((sent, False) for sent in ("x" * 65, "", "a b", "a\tb", "é")),
    ],
)
async def test_a_request_keeps_the_id_it_came_with_if_that_is_a_sane_one(
    asking: Client, lines: Lines, sent: str, is_taken: bool
) -> None:
    headers = [(b"X-Request-Id", sent.encode("latin-1")), (b"Authorization", f"Bearer {asking.key}".encode())]
    answer = await asking.http.post(URL, json={"query": "{ account { id } }"}, headers=headers)
    [request] = lines.requests()
    assert answer.headers["x-request-id"] == request["request_id"]
    assert (request["request_id"] == sent) is is_taken
    assert len(request["request_id"]) <= 64


async def test_who_is_refused_is_told_of_by_the_code(asking: Client, lines: Lines) -> None:
    await asking.post("{ nothing }")
    await asking.post("{ account { id } }", unknown=1)
    asking.key = "rk_00000000_not-a-key"
    await asking.post("{ account { id } }")
    refused, fine, unknown = lines.requests()
    assert (refused["operation"], refused["kind"], refused["codes"]) == ("other", "other", ["BAD_REQUEST"])
    assert fine["operation"] == "anonymous" and "codes" not in fine
    assert (unknown["status"], unknown["codes"]) == (401, ["UNAUTHENTICATED"])
    assert "account" not in unknown and "rk_" not in "".join(lines.texts)


async def test_a_token_in_an_address_is_in_no_line(asking: Client, lines: Lines) -> None:
    token = (await asking("mutation Reset { resetCalendarToken { token } }"))["resetCalendarToken"]["token"]
    await asking.http.get("http://testserver/calendar.ics", params={"token": token})
    reset, calendar = lines.requests()
    assert (reset["operation"], reset["kind"]) == ("Reset", "mutation")
    assert (calendar["operation"], calendar["kind"], calendar["role"]) == (
        "calendar.ics",
        "calendar",
        "CALENDAR",
    )
    assert token not in "".join(text for text in lines.texts if '"logger":"httpx2"' not in text)


async def test_a_stream_and_each_operation_of_a_web_socket_are_told_of_when_they_end(
    asking: Client, live: Serve, lines: Lines
) -> None:
    async with live() as address:
        async with socket_of(address, str(asking.key)) as socket:
            assert socket.response
            request_id = socket.response.headers["x-request-id"]
            await socket.recv()
            for number, query in enumerate(("query One { account { id } }", EVENTS)):
                asked = {"type": "subscribe", "id": str(number), "payload": {"query": query}}
                await socket.send(orjson.dumps(asked).decode())
            assert orjson.loads(await socket.recv())["type"] == "next"
            assert orjson.loads(await socket.recv())["type"] == "complete"
            assert [each["operation"] for each in lines.requests()] == ["One"]
        async with asyncio.timeout(10):
            while len(lines.requests()) < 3:  # noqa: ASYNC110 - a log has no event for it
                await asyncio.sleep(0.01)
    told = {(each["kind"], each["operation"], each["account"]) for each in lines.requests()}
    assert told == {("query", "One", "a"), ("subscription", "Follow", "a"), ("socket", "other", "a")}
    assert {each["request_id"] for each in lines.requests()} == {request_id}


async def test_every_line_of_a_process_that_serves_is_json(
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
            said = {"type": "connection_init", "payload": headers}
            await socket.send(orjson.dumps(said).decode())
            await socket.recv()
            asked = {"type": "subscribe", "id": "1", "payload": {"query": "{ account { id } } # in-a-frame"}}
            await socket.send(orjson.dumps(asked).decode())
            assert orjson.loads(await socket.recv())["type"] == "next"
        with pytest.raises(websockets.InvalidStatus):
            async with websockets.connect(
                url, origin=websockets.Origin("https://evil.example"), additional_headers=headers
            ):
                pass
        async with httpx2.AsyncClient(headers=headers) as client:
            await client.post(process.url, json={"query": "{ account { id } }"})
    said_in_log = capfd.readouterr().err
    assert "renewals.requests" in said_in_log and "Application startup complete" in said_in_log
    for secret in (key, "in-the-address", "in-a-frame"):
        assert secret not in said_in_log


async def test_every_line_of_several_processes_is_json(
    database_url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "graphql_api", "serve", "--port", str(port), "--workers", "2"),
        env=os.environ | {"DATABASE_URL": database_url},
    )
    async with asyncio.timeout(40), httpx2.AsyncClient() as client:
        answered = False
        while not answered:
            with contextlib.suppress(httpx2.TransportError):
                answered = (await client.get(f"http://127.0.0.1:{port}/healthz")).status_code == 200
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
    said = ""
    async with asyncio.timeout(30):
        while "Starting worker" not in said:
            await asyncio.sleep(0.1)
            said += capfd.readouterr().err
    process.signal(signal.SIGTERM)
    await process.ended()
    said += capfd.readouterr().err
    entries = [orjson.loads(line) for line in said.splitlines()]
    assert "arq.worker" in {entry["logger"] for entry in entries}
