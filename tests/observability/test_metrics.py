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
    exposition = text if isinstance(text, str) else text.decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(exposition)
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
async def customer(world: World, graphql: Client) -> Client:
    await world.account("a", balance="1000.00")
    graphql.key = await world.key("a")
    return graphql


@contextlib.asynccontextmanager
async def open_client(**values: Any) -> AsyncIterator[httpx2.AsyncClient]:
    """Yield a client of an application that serves its metrics."""
    settings = config.Settings(metrics=True, **values)
    transport = httpx2.ASGITransport(app=app.create(settings, clock=lambda: NOW))
    async with httpx2.AsyncClient(transport=transport, base_url=HOST) as client:
        yield client


async def test_each_request_is_counted_once_by_operation_kind_and_code(
    customer: Client, growth: Growth
) -> None:
    for _ in range(3):
        await customer("query Mine { account { id } }")
    await customer.post("query Mine { nothing }")
    await customer.post("query Mine { account { id } ledger(first: -1) { nodes { id } } }")
    count = "renewals_requests_total"
    assert growth.of(count, operation="Mine", kind="query", code="OK") == 3
    assert growth.of(count, operation="other", kind="other", code="BAD_REQUEST") == 1
    assert growth.of(count, operation="Mine", kind="query", code="INVALID_INPUT") == 1
    assert growth.of("renewals_request_duration_seconds_count", operation="Mine", kind="query") == 4
    assert growth.of("renewals_database_pool_wait_seconds_count") >= 4


async def test_the_number_of_labels_for_operations_is_limited(
    customer: Client, growth: Growth, few_operations: None
) -> None:
    for number in range(5):
        await customer(f"query Flood{number} {{ account {{ id }} }}")
    counts = [
        growth.of("renewals_requests_total", operation=f"Flood{n}", kind="query", code="OK") for n in range(5)
    ]
    assert counts == [1, 1, 0, 0, 0]
    assert growth.of("renewals_requests_total", operation="other", kind="query", code="OK") == 3


async def test_a_long_operation_name_is_no_label_and_is_shortened_in_the_log(
    customer: Client, growth: Growth, few_operations: None, lines: Lines
) -> None:
    for name in ("N" * 100, "N" * 65, "M" * 64):
        assert (await customer(f"query {name} {{ account {{ id }} }}"))["account"]
    for _ in range(2):  # the second operation is cached, and is executed differently
        assert (await customer(f"query {'N' * 65} {{ account {{ id }} }}"))["account"]
    assert growth.of("renewals_requests_total", operation="other", kind="query", code="OK") == 4
    assert growth.of("renewals_requests_total", operation="M" * 64, kind="query", code="OK") == 1
    assert b"N" * 64 not in metrics.render()
    assert max(map(len, lines.texts)) < 1_000
    assert {entry["operation"] for entry in lines.requests()} == {f"{'N' * 64}...", "M" * 64}


async def test_a_noted_cost_is_added_to_the_metric_of_costs(growth: Growth) -> None:
    record = request_record.RequestRecord("x")
    with request_log.RequestLog(record, trace.INVALID_SPAN):
        request_record.note_operation("Mine", "query")
        request_record.note_cost(120.0)
    assert growth.of("renewals_request_cost_sum", kind="query") == 120.0


async def test_the_cost_of_a_request_is_added_to_the_metric_of_costs(
    customer: Client, growth: Growth
) -> None:
    response = await customer.post("{ account { id } }")
    assert growth.of("renewals_request_cost_sum", kind="query") == response.json()["extensions"]["cost"]


async def test_requests_for_probes_and_metrics_are_not_counted(world: World, growth: Growth) -> None:
    async with open_client() as client:
        for path in ("/healthz", "/readyz", "/metrics"):
            assert (await client.get(path)).status_code in (200, 503)
        assert (await client.get("/nothing")).status_code == 404
    assert growth.of("renewals_requests_total", operation="other", kind="other", code="OK") == 1
    assert growth.of("renewals_requests_in_progress") == 0


async def test_metrics_are_served_only_if_the_setting_is_on(world: World, graphql: Client) -> None:
    assert (await graphql.http.get(f"{HOST}/metrics")).status_code == 404
    async with open_client() as client:
        response = await client.get("/metrics")
    assert response.headers["content-type"] == metrics.MEDIA_TYPE
    values = samples(response.text)
    assert values[("renewals_database_pool_connections", frozenset({("state", "in_use")}))] >= 0
    assert values[("renewals_check_ok", frozenset({("check", "database")}))] == 0  # the check has no address


async def test_a_run_is_measured_by_outcome_and_amount(world: World, growth: Growth) -> None:
    await world.account("a", balance="25.00")
    await world.instances(["i-1", "i-2", "i-3"], price="10.00", mode="AUTO", expires="2027-01-10")
    await renew.run_at(NOW)
    assert growth.of("renewals_renewals_total", outcome="RENEWED") == 2
    assert growth.of("renewals_renewals_total", outcome="INSUFFICIENT_FUNDS") == 1
    assert growth.of("renewals_renewed_amount_cents_total", currency="CNY") == 2_000
    assert growth.of("renewals_chunk_duration_seconds_count") == 1


async def test_a_failed_chunk_is_counted_but_not_its_rolled_back_renewals(
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


async def test_the_backlog_is_read_from_the_database(world: World) -> None:
    await world.account("a", balance="0.00")
    await world.instances(["i-1", "i-2"], mode="AUTO", expires="2027-01-10")
    run_id = await runs.start_run(runs.Trigger.SCHEDULED, schedule.last_scheduled_at(NOW), NOW)
    await world.rows(
        """INSERT INTO webhook_cursors (endpoint_id, account_id, sequence, last_sequence)
           VALUES (gen_random_uuid(), 'a', 3, 10)"""
    )
    values = await backlog.read_backlog(NOW + dt.timedelta(minutes=90))
    # The run of 03:30 has begun; that of 04:30 was to begin an hour before 05:30.
    assert values[(metrics.RUN_LATENESS, "")] == 3_600
    assert values[(metrics.RUN_UNFINISHED, "")] == 5_400
    assert values[(metrics.DUE, "")] == 2
    assert values[(metrics.PENDING_CHUNKS, "")] == 1
    assert values[(metrics.EVENTS_BEHIND, "")] == 7
    await world.rows("DELETE FROM webhook_cursors")
    await renew.renew_chunk(chunks.Chunk(run_id or 0, 0), lambda: NOW)
    await finish_runs(lambda: NOW)
    assert await world.value("SELECT broken_rules FROM renewal_runs") == []
    values = await backlog.read_backlog(NOW)
    assert values[(metrics.RUN_LATENESS, "")] == values[(metrics.RUN_UNFINISHED, "")] == 0
    assert values[(metrics.PENDING_CHUNKS, "")] == values[(metrics.BROKEN_RULES, "")] == 0
    assert values[(metrics.DUE, "")] == 2  # no owner has paid


async def test_metrics_omit_the_backlog_after_a_timeout_without_a_free_connection(database_url: str) -> None:
    async with database.connect(database_url, pool_size=1):
        done = asyncio.Event()

        async def hold() -> None:
            async with database.transaction():
                await done.wait()

        holding = asyncio.create_task(hold())
        await asyncio.sleep(0.1)
        async with open_client() as client, asyncio.timeout(2 * backlog.SECONDS_MAX):
            response = await client.get("/metrics")
        done.set()
        await holding
        assert response.status_code == 200
        assert metrics.DUE not in response.text
        assert "renewals_requests_total" in response.text


async def test_the_backlog_is_cached_between_two_scrapes(world: World) -> None:
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


async def test_the_metrics_of_several_processes_are_summed(
    world: World, serve: Callable[..., Any], tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.account("a")
    key, port = await world.key("a"), free_port()
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    process = await serve(port)
    try:
        request_body = {"query": "query Mine { account { id } }"}
        success_count = 0
        for _ in range(60):
            async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
                response = await client.post(
                    "/graphql", json=request_body, headers={"Authorization": f"Bearer {key}"}
                )
                success_count += response.status_code == 200
        await asyncio.sleep(2 * request_log.WAIT_SECONDS)  # until each process has written its metrics
        [folder] = tmp_path.glob("renewals-metrics-*")
        served_by = {path.stem.rpartition("_")[2] for path in folder.glob("counter_*.db")}
        labels = frozenset({("operation", "Mine"), ("kind", "query"), ("code", "OK")})
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            values = [samples((await client.get("/metrics")).text) for _ in range(4)]
        assert success_count == 60
        assert len(served_by) >= 2
        for scraped in values:
            assert scraped[("renewals_requests_total", labels)] == 60
            assert scraped[("renewals_requests_in_progress", frozenset())] == 0
        await asyncio.sleep(probes.SAMPLE_SECONDS)
        # A process that has ended is not counted among those with connections.
        (folder / "gauge_livesum_1.db").write_bytes(
            (folder / f"gauge_livesum_{min(served_by)}.db").read_bytes()
        )
        (folder / "gauge_livesum_1.db").rename(folder / "gauge_livesum_4194304.db")
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            values_later = samples((await client.get("/metrics")).text)
        assert (
            values_later[("renewals_database_pool_connections_max", frozenset())]
            == 2 * config.get_settings().database_pool_size
        )
    finally:
        process.terminate()
        await process.wait()
    assert not list(tmp_path.glob("renewals-metrics-*"))
