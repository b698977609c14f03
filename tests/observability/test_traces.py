"""Traces as a collector receives them over OTLP: the parents, the statements, and no content of requests."""

import asyncio
import contextlib
import gzip
import signal
import subprocess
import sys
import urllib.parse
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from renewals import config
from tests.renewals.webhooks.conftest import receiver, sending
from tests.support.fixtures import World
from tests.support.live_server import served
from tests.workers.conftest import Start, start
from tests.workers.test_worker import put_due

__all__ = ["receiver", "sending", "start"]

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
QUERY = "query Page($search: String!) { instances(filter: {search: $search}) { nodes { id } } }"


class Span:
    """An exported span."""

    def __init__(self, sent: Any, service: str) -> None:
        self.name, self.service = sent.name, service
        self.trace, self.id, self.parent = sent.trace_id.hex(), sent.span_id.hex(), sent.parent_span_id.hex()
        self.attributes = {item.key: item.value for item in sent.attributes}
        self.status = sent.status
        self.text = str(sent)


class Collector:
    """An OpenTelemetry collector that keeps the spans that it receives over HTTP."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.headers: list[str] = []

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                self.headers.append(head)
                length = next(line for line in head.splitlines() if line.startswith("content-length:"))
                body = await reader.readexactly(int(length.split(":")[1]))
                request = ExportTraceServiceRequest()
                request.ParseFromString(gzip.decompress(body) if "content-encoding: gzip" in head else body)
                for resource in request.resource_spans:
                    named = {item.key: item.value.string_value for item in resource.resource.attributes}
                    for scope in resource.scope_spans:
                        self.spans += [Span(item, named["service.name"]) for item in scope.spans]
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    def named(self, name: str) -> list[Span]:
        return [span for span in self.spans if span.name == name]

    def below(self, span: Span) -> list[Span]:
        return [item for item in self.spans if item.parent == span.id]


@contextlib.asynccontextmanager
async def collecting() -> AsyncIterator[tuple[Collector, str]]:
    """Run a collector; yield it and its address."""
    collector = Collector()
    server = await asyncio.start_server(collector.take, "127.0.0.1", 0)
    async with server:
        yield collector, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def test_the_opentelemetry_sdk_is_not_imported_without_the_setting_for_traces() -> None:
    program = """import sys, graphql_api.app, graphql_api.cli.main, workers.main; graphql_api.app.create()
sdk = ("opentelemetry.sdk", "opentelemetry.exporter", "opentelemetry.instrumentation")
print([name for name in sys.modules if name.startswith(sdk)])"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(("sent", "is_taken"), [("http://c:4318", True), ("otel", True), ("yes", False)])
def test_the_setting_for_traces_accepts_an_address_or_otel(
    monkeypatch: pytest.MonkeyPatch, sent: str, is_taken: bool
) -> None:
    monkeypatch.setenv("RENEWALS_TRACES", sent)
    if is_taken:
        assert config.Settings().traces == sent
    else:
        with pytest.raises(ValueError, match="traces"):
            config.Settings()


@pytest.mark.parametrize("by_variable", [False, True])
async def test_a_request_is_a_child_span_with_its_statements_and_without_their_arguments(
    world: World, database_url: str, by_variable: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    await world.account("a", balance="1234.56")
    key = await world.key("a")
    async with collecting() as (collector, address):
        variables = {"RENEWALS_TRACES": address}
        if by_variable:
            variables = {
                "RENEWALS_TRACES": "otel",
                "OTEL_EXPORTER_OTLP_ENDPOINT": address,
                "OTEL_SERVICE_NAME": "shop",
                "OTEL_EXPORTER_OTLP_HEADERS": "x-tenant=7",
            }
        serving = served(database_url, **variables, RENEWALS_LOG_LEVEL="INFO")
        async with serving as process, httpx2.AsyncClient() as client:
            headers = {"Authorization": f"Bearer {key}", "traceparent": f"00-{TRACE}-{PARENT}-01"}
            for _ in range(2):  # the second operation is cached, and takes the shorter path
                body = {"query": QUERY, "variables": {"search": "a-customer's-own-words"}}
                assert (await client.post(process.url, json=body, headers=headers)).status_code == 200
            failing = {"query": '{ instance(id: "\\u0000a-customer") { id } }'}
            await client.post(process.url, json=failing, headers=headers)
    first, second, failed = [span for span in collector.spans if span.parent == PARENT]
    # For the first request, the server also detects poolers, checks the limits of the connection and counts instances.
    for span, statement_count in ((first, 5), (second, 2)):
        assert (span.name, span.trace) == ("query Page", TRACE)
        assert span.service == ("shop" if by_variable else "renewals-api")
        assert span.attributes["graphql.operation.type"].string_value == "query"
        assert span.attributes["http.response.status_code"].int_value == 200
        assert span.attributes["renewals.account"].string_value == "a"
        statements = [item.attributes["db.statement"].string_value for item in collector.below(span)]
        assert [item.split()[0] for item in statements] == ["SELECT"] * statement_count
        assert any("api_keys" in item and "$1" in item for item in statements)
    assert failed.trace == TRACE
    exported = "".join(span.text for span in collector.spans)
    assert key not in exported and "customer" not in exported and "1234.56" not in exported
    assert all(span.trace == TRACE for span in collector.spans), (
        "a span without a sampled parent was exported"
    )
    assert ("x-tenant: 7" in "".join(collector.headers)) is by_variable
    log_lines = [line for line in capfd.readouterr().err.splitlines() if "renewals.requests" in line]
    for span, line in zip((first, second, failed), log_lines, strict=True):
        assert f'"trace_id":"{TRACE}","span_id":"{span.id}"' in line


async def test_a_failed_span_has_the_type_of_the_error_and_not_its_message(
    world: World, database_url: str
) -> None:
    await world.account("a")
    key = await world.key("a")
    async with collecting() as (collector, address), served(database_url, RENEWALS_TRACES=address) as process:
        await world.rows("ALTER TABLE ledger_entries RENAME TO secret_entries")
        async with httpx2.AsyncClient() as client:
            body = {"query": "query Ledger { ledger { nodes { id } } }"}
            await client.post(process.url, json=body, headers={"Authorization": f"Bearer {key}"})
        process.process.signal(signal.SIGTERM)
        await process.process.ended()
        [span] = collector.named("query Ledger")
        [failed] = [item for item in collector.below(span) if item.status.code == 2]
    assert span.status.code == 2
    assert "UndefinedTableError" in failed.text
    assert "does not exist" not in failed.text and "Traceback" not in "".join(
        item.text for item in collector.spans
    )


async def test_the_run_the_chunks_and_the_webhooks_of_a_worker_are_spans(
    world: World, start: Start, receiver: Any, sending: Any
) -> None:
    await put_due(world, "b", "c")
    await sending.endpoint(receiver, owner=None)
    allowed = {
        "RENEWALS_WEBHOOK_HTTP": "true",
        "RENEWALS_WEBHOOK_PORTS": str(urllib.parse.urlsplit(receiver.url).port),
        "RENEWALS_WEBHOOK_NETWORKS": "127.0.0.0/8",
    }
    async with collecting() as (collector, address):
        process = start(
            RENEWALS_TRACES=address,
            OTEL_BSP_SCHEDULE_DELAY="200",
            RENEWALS_INSTANCES_PER_CHUNK="2",
            **allowed,
        )
        async with asyncio.timeout(30):
            while len(collector.named("webhook")) < 4:  # noqa: ASYNC110 - there is no event for it
                await asyncio.sleep(0.1)
        process.signal(signal.SIGTERM)
        await process.ended()
    [caught_up] = collector.named("catch_up")
    assert caught_up.service == "renewals-worker"
    assert "open_run" in {item.name for item in collector.below(caught_up)}
    chunks = collector.named("chunk")
    assert {item.attributes["renewals.chunk"].int_value for item in chunks} == {0, 1}
    for chunk in chunks:
        statements = [item.attributes["db.statement"].string_value for item in collector.below(chunk)]
        assert any("FOR NO KEY UPDATE" in item for item in statements)
    jobs = {item.id: item.name for item in collector.spans}
    assert {jobs[item.parent] for item in chunks} == {"renew_chunk"}
    assert not [item for item in collector.spans if not item.parent and "db.statement" in item.attributes]
    for sent in collector.named("webhook"):
        assert sent.attributes["http.response.status_code"].int_value == 204
        assert receiver.url not in sent.text
