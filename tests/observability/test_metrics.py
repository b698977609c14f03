"""Metrics of requests with bounded labels, of runs, webhooks and the backlog, and of several processes."""

import asyncio
import contextlib
import datetime as dt
import os
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx2
import pytest
from opentelemetry import trace
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette

from graphql_api import app
from graphql_api.middleware import request_log
from renewals import config
from renewals.auto_renewal import chunks, renew, runs, schedule
from renewals.auto_renewal.finish_runs import finish_runs
from renewals.db import connection as database
from renewals.health import backlog, probes
from renewals.observability import metrics, request_record
from tests.observability.conftest import Lines
from tests.renewals.webhooks.conftest import Sending, receiver, sending
from tests.support.fixtures import NOW, World
from tests.support.graphql_client import Client
from tests.support.waiting import free_port
from tests.support.webhook_receiver import Receiver

__all__ = ["receiver", "sending"]

HOST = "http://testserver"
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def samples(text: bytes | str) -> Samples:
    """Return all values of an exposition by name and labels."""
    said = text if isinstance(text, str) else text.decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(said)
        for sample in family.samples
    }


class Growth:
    """The growth of counters since its creation."""

    def __init__(self) -> None:
        request_log.flush()
        self._before = samples(metrics.render())

    def of(self, name: str, **labels: str) -> float:
        request_log.flush()
        key = (name, frozenset(labels.items()))
        return samples(metrics.render()).get(key, 0.0) - self._before.get(key, 0.0)


@pytest.fixture
def growth() -> Growth:
    return Growth()


@pytest.fixture
def few_operations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "OPERATIONS_MAX", 2)
    monkeypatch.setattr(metrics, "_operations", set())


@pytest.fixture
async def asking(world: World, graphql: Client) -> Client:
    await world.account("a", balance="1000.00")
    graphql.key = await world.key("a")
    return graphql


@contextlib.asynccontextmanager
async def measured(**values: Any) -> AsyncIterator[httpx2.AsyncClient]:
    """Yield a client of an application that serves its metrics."""
    settings = config.Settings(metrics=True, **values)
    transport = httpx2.ASGITransport(app=app.create(settings, clock=lambda: NOW))
    async with httpx2.AsyncClient(transport=transport, base_url=HOST) as client:
        yield client


async def test_each_request_is_counted_once_by_operation_kind_and_code(
    asking: Client, growth: Growth
) -> None:
    for _ in range(3):
        await asking("query Mine { account { id } }")
    await asking.post("query Mine { nothing }")
    await asking.post("query Mine { account { id } ledger(first: -1) { nodes { id } } }")
    count = "renewals_requests_total"
    assert growth.of(count, operation="Mine", kind="query", code="OK") == 3
    assert growth.of(count, operation="other", kind="other", code="BAD_REQUEST") == 1
    assert growth.of(count, operation="Mine", kind="query", code="INVALID_INPUT") == 1
    assert growth.of("renewals_request_duration_seconds_count", operation="Mine", kind="query") == 4
    assert growth.of("renewals_database_pool_wait_seconds_count") >= 4


async def test_a_client_cannot_fill_the_memory_with_names_of_operations(
    asking: Client, growth: Growth, few_operations: None
) -> None:
    for number in range(5):
        await asking(f"query Flood{number} {{ account {{ id }} }}")
    named = [
        growth.of("renewals_requests_total", operation=f"Flood{n}", kind="query", code="OK") for n in range(5)
    ]
    assert named == [1, 1, 0, 0, 0]
    assert growth.of("renewals_requests_total", operation="other", kind="query", code="OK") == 3


async def test_a_long_name_of_an_operation_is_no_label_and_is_cut_in_the_log(
    asking: Client, growth: Growth, few_operations: None, lines: Lines
) -> None:
    for name in ("N" * 100, "N" * 65, "M" * 64):
        assert (await asking(f"query {name} {{ account {{ id }} }}"))["account"]
    for _ in range(2):  # the second operation is cached, and takes another path
        assert (await asking(f"query {'N' * 65} {{ account {{ id }} }}"))["account"]
    assert growth.of("renewals_requests_total", operation="other", kind="query", code="OK") == 4
    assert growth.of("renewals_requests_total", operation="M" * 64, kind="query", code="OK") == 1
    assert b"N" * 64 not in metrics.render()
    assert max(map(len, lines.texts)) < 1_000
    assert {each["operation"] for each in lines.requests()} == {f"{'N' * 64}...", "M" * 64}


async def test_a_cost_that_is_noted_is_measured(growth: Growth) -> None:
    record = request_record.RequestRecord("x")
    with request_log.RequestLog(record, trace.INVALID_SPAN):
        request_record.note_operation("Mine", "query")
        request_record.note_cost(120.0)
    assert growth.of("renewals_request_cost_sum", kind="query") == 120.0


async def test_a_request_s_cost_is_measured(asking: Client, growth: Growth) -> None:
    answer = await asking.post("{ account { id } }")
    assert growth.of("renewals_request_cost_sum", kind="query") == answer.json()["extensions"]["cost"]


async def test_those_who_watch_are_not_counted(world: World, growth: Growth) -> None:
    async with measured() as client:
        for path in ("/healthz", "/readyz", "/metrics"):
            assert (await client.get(path)).status_code in (200, 503)
        assert (await client.get("/nothing")).status_code == 404
    assert growth.of("renewals_requests_total", operation="other", kind="other", code="OK") == 1
    assert growth.of("renewals_requests_in_progress") == 0


async def test_metrics_are_served_only_where_the_setting_is_on(world: World, graphql: Client) -> None:
    assert (await graphql.http.get(f"{HOST}/metrics")).status_code == 404
    async with measured() as client:
        answer = await client.get("/metrics")
    assert answer.headers["content-type"] == metrics.MEDIA_TYPE
    found = samples(answer.text)
    assert found[("renewals_database_pool_connections", frozenset({("state", "in_use")}))] >= 0
    assert found[("renewals_check_ok", frozenset({("check", "database")}))] == 0  # the check has no address


async def test_a_run_is_measured_by_outcome_and_amount(world: World, growth: Growth) -> None:
    await world.account("a", balance="25.00")
    await world.instances(["i-1", "i-2", "i-3"], price="10.00", mode="AUTO", expires="2027-01-10")
    await renew.run_at(NOW)
    assert growth.of("renewals_renewals_total", outcome="RENEWED") == 2
    assert growth.of("renewals_renewals_total", outcome="INSUFFICIENT_FUNDS") == 1
    assert growth.of("renewals_renewed_amount_cents_total", currency="CNY") == 2_000
    assert growth.of("renewals_chunk_duration_seconds_count") == 1


async def test_a_chunk_that_raises_is_measured_and_what_it_rolled_back_is_not(
    world: World, growth: Growth, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise KeyError("mark_done")

    await world.account("a", balance="25.00")
    await world.instance("i-1", price="10.00", mode="AUTO", expires="2027-01-10")
    monkeypatch.setattr(chunks, "mark_chunk_done_in", fail)
    await renew.run_at(NOW)
    assert growth.of("renewals_chunks_set_aside_total") == 1
    assert growth.of("renewals_renewals_total", outcome="RENEWED") == 0


async def test_each_webhook_is_measured_by_outcome(
    sending: Sending, receiver: Receiver, growth: Growth
) -> None:
    await sending.endpoint(receiver)
    await sending.write("i-1", "i-2")
    async with sending.running():
        await receiver.wait(2)
        await sending.until_delivered(2)
    assert growth.of("renewals_webhook_request_duration_seconds_count", outcome="delivered") == 2
    assert growth.of("renewals_webhook_request_duration_seconds_count", outcome="failed") == 0


async def test_what_is_left_to_do_is_read_from_the_database(world: World) -> None:
    await world.account("a", balance="0.00")
    await world.instances(["i-1", "i-2"], mode="AUTO", expires="2027-01-10")
    run_id = await runs.start_run(runs.Trigger.SCHEDULED, schedule.last_scheduled_at(NOW), NOW)
    await world.rows(
        """INSERT INTO webhook_cursors (endpoint_id, account_id, sequence, last_sequence)
           VALUES (gen_random_uuid(), 'a', 3, 10)"""
    )
    found = await backlog.read_backlog(NOW + dt.timedelta(minutes=90))
    # The run of 03:30 has begun; that of 04:30 was to begin an hour before 05:30.
    assert found[(metrics.RUN_LATENESS, "")] == 3_600
    assert found[(metrics.RUN_UNFINISHED, "")] == 5_400
    assert found[(metrics.DUE, "")] == 2
    assert found[(metrics.PENDING_CHUNKS, "")] == 1
    assert found[(metrics.EVENTS_BEHIND, "")] == 7
    await world.rows("DELETE FROM webhook_cursors")
    await renew.renew_chunk(chunks.Chunk(run_id or 0, 0), lambda: NOW)
    await finish_runs(lambda: NOW)
    assert await world.value("SELECT broken_rules FROM renewal_runs") == []
    found = await backlog.read_backlog(NOW)
    assert found[(metrics.RUN_LATENESS, "")] == found[(metrics.RUN_UNFINISHED, "")] == 0
    assert found[(metrics.PENDING_CHUNKS, "")] == found[(metrics.BROKEN_RULES, "")] == 0
    assert found[(metrics.DUE, "")] == 2  # no owner has paid


async def test_a_database_that_does_not_answer_costs_its_gauges_and_two_seconds(database_url: str) -> None:
    async with database.connect(database_url, pool_size=1):
        done = asyncio.Event()

        async def hold() -> None:
            async with database.transaction():
                await done.wait()

        holding = asyncio.create_task(hold())
        await asyncio.sleep(0.1)
        async with measured() as client, asyncio.timeout(2 * backlog.SECONDS_MAX):
            answer = await client.get("/metrics")
        done.set()
        await holding
        assert answer.status_code == 200
        assert metrics.DUE not in answer.text
        assert "renewals_requests_total" in answer.text


async def test_the_backlog_is_asked_for_once_in_a_while(world: World) -> None:
    routes = probes.Probes(config.Settings(), lambda: NOW, required=(), has_metrics=True).routes()
    transport = httpx2.ASGITransport(app=Starlette(routes=routes))
    async with httpx2.AsyncClient(transport=transport, base_url="http://testserver") as client:
        before = samples((await client.get("/metrics")).content)
        await world.account("a")
        await world.instance("i-1", mode="AUTO", expires="2027-01-10")
        after = samples((await client.get("/metrics")).content)
    assert before[(metrics.DUE, frozenset())] == after[(metrics.DUE, frozenset())] == 0


@pytest.fixture
def serve(database_url: str) -> Callable[..., Any]:
    async def serve(port: int) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "graphql_api", "serve", "--port", str(port), "--workers", "2"),
            env=os.environ
            | {"DATABASE_URL": database_url, "RENEWALS_METRICS": "true", "RENEWALS_LOG_LEVEL": "WARNING"},
        )
        async with asyncio.timeout(40), httpx2.AsyncClient() as client:
            while True:
                with contextlib.suppress(httpx2.TransportError):
                    if (await client.get(f"http://127.0.0.1:{port}/healthz")).status_code == 200:
                        return process
                await asyncio.sleep(0.1)

    return serve


async def test_several_processes_put_their_figures_together(
    world: World, serve: Callable[..., Any], tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.account("a")
    key, port = await world.key("a"), free_port()
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    process = await serve(port)
    try:
        asked = {"query": "query Mine { account { id } }"}
        answered = 0
        for _ in range(60):
            async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
                answer = await client.post("/graphql", json=asked, headers={"Authorization": f"Bearer {key}"})
                answered += answer.status_code == 200
        await asyncio.sleep(2 * request_log.WAIT_SECONDS)  # until each process has written its metrics
        [folder] = tmp_path.glob("renewals-metrics-*")
        served_by = {path.stem.rpartition("_")[2] for path in folder.glob("counter_*.db")}
        labels = frozenset({("operation", "Mine"), ("kind", "query"), ("code", "OK")})
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            found = [samples((await client.get("/metrics")).text) for _ in range(4)]
        assert answered == 60
        assert len(served_by) >= 2
        for each in found:
            assert each[("renewals_requests_total", labels)] == 60
            assert each[("renewals_requests_in_progress", frozenset())] == 0
        await asyncio.sleep(probes.SAMPLE_SECONDS)
        # A process that has ended is not counted among those with connections.
        (folder / "gauge_livesum_1.db").write_bytes(
            (folder / f"gauge_livesum_{min(served_by)}.db").read_bytes()
        )
        (folder / "gauge_livesum_1.db").rename(folder / "gauge_livesum_4194304.db")
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            again = samples((await client.get("/metrics")).text)
        assert (
            again[("renewals_database_pool_connections_max", frozenset())]
            == 2 * config.get_settings().database_pool_size
        )
    finally:
        process.terminate()
        await process.wait()
    assert not list(tmp_path.glob("renewals-metrics-*"))
