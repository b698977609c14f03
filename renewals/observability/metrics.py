"""Prometheus metrics; docs/observability.md explains each of them.

Processes that share a port write their values to files in one folder, and a scrape adds up the values. The Prometheus
client reads the folder's name from the environment when the client is imported, so only processes that start after the
name was set write to the folder.
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
    multiprocess,
)
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
FOLDER = "PROMETHEUS_MULTIPROC_DIR"
OPERATIONS_MAX = 100
"""The maximum number of operation names with their own time series in a process; clients can send any names."""
OPERATION_CHARACTERS_MAX = 64
"""The maximum length of an operation name that has its own time series."""
OTHER = "other"

REGISTRY = CollectorRegistry()

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_WAIT_SECONDS = (0.001, 0.005, 0.025, 0.1, 0.5, 1, 5, 10)
_CHUNK_SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
_COSTS = (1, 10, 50, 100, 500, 1_000, 5_000, 10_000, 50_000, 100_000, 1_000_000)

REQUESTS = Counter(
    "renewals_requests",
    "Requests with a response, by the code of the first error in the response, or OK if the response has no error.",
    ("operation", "kind", "code"),
    registry=REGISTRY,
)
REQUEST_SECONDS = Histogram(
    "renewals_request_duration_seconds",
    "Seconds from a request's arrival to the end of its response, or of its stream.",
    ("operation", "kind"),
    buckets=_SECONDS,
    registry=REGISTRY,
)
REQUEST_COST = Histogram(
    "renewals_request_cost",
    "Cost of each request whose cost was computed.",
    ("kind",),
    buckets=_COSTS,
    registry=REGISTRY,
)
IN_PROGRESS = Gauge(
    "renewals_requests_in_progress",
    "Requests and streams in progress.",
    registry=REGISTRY,
    multiprocess_mode="livesum",
)
SOCKETS = Gauge("renewals_sockets_open", "Open web sockets.", registry=REGISTRY, multiprocess_mode="livesum")
INTERNAL_ERRORS = Counter(
    "renewals_internal_errors", "Internal errors, each with an id in the log.", registry=REGISTRY
)

POOL = Gauge(
    "renewals_database_pool_connections",
    "Connections of the pool by state, in use or idle; measured every 5 seconds and for each request for metrics.",
    ("state",),
    registry=REGISTRY,
    multiprocess_mode="livesum",
)
POOL_MAX = Gauge(
    "renewals_database_pool_connections_max",
    "Maximum number of connections in the pool.",
    registry=REGISTRY,
    multiprocess_mode="livesum",
)
POOL_WAIT_SECONDS = Histogram(
    "renewals_database_pool_wait_seconds",
    "Seconds that a statement waited for a connection, or that a transaction took to get one and to begin.",
    buckets=_WAIT_SECONDS,
    registry=REGISTRY,
)
REPLICA_READS = Counter(
    "renewals_replica_reads",
    "Exports, forecasts and calendars of a process with a replica, by the server that was read: replica or primary.",
    ("server",),
    registry=REGISTRY,
)

RENEWALS = Counter(
    "renewals_renewals",
    "Instances processed by runs, by outcome: RENEWED, or the code of the refusal; runs of test clocks do not count.",
    ("outcome",),
    registry=REGISTRY,
)
AMOUNT_CENTS = Counter(
    "renewals_renewed_amount_cents",
    "Amount charged by runs, in cents; runs of test clocks do not count.",
    ("currency",),
    registry=REGISTRY,
)
CHUNK_SECONDS = Histogram(
    "renewals_chunk_duration_seconds",
    "Seconds that a transaction takes to renew the due instances of a chunk.",
    buckets=_CHUNK_SECONDS,
    registry=REGISTRY,
)
CHUNKS_SET_ASIDE = Counter(
    "renewals_chunks_set_aside", "Chunks that raised an error and were divided or parked.", registry=REGISTRY
)
WEBHOOK_SECONDS = Histogram(
    "renewals_webhook_request_duration_seconds",
    "Seconds of each attempt to send an event to a webhook endpoint, by outcome: delivered or failed.",
    ("outcome",),
    buckets=_SECONDS,
    registry=REGISTRY,
)

Key = tuple[str, str]
"""The name of a polled metric and the value of its label, or an empty string if the metric has no label."""

RUN_LATENESS = "renewals_run_lateness_seconds"
RUN_UNFINISHED = "renewals_run_unfinished_seconds"
DUE = "renewals_due_instances"
PENDING_CHUNKS = "renewals_pending_chunks"
PARKED_ACCOUNTS = "renewals_parked_accounts"
BROKEN_RULES = "renewals_broken_rules"
EVENTS_BEHIND = "renewals_webhook_events_behind"
DELIVERIES = "renewals_webhook_deliveries"
ENDPOINTS_DISABLED = "renewals_webhook_endpoints_disabled"
QUEUE = "renewals_queue_jobs"
CHECK = "renewals_check_ok"

POLLED_METRICS = {
    RUN_LATENESS: (
        "Seconds since the first missed hourly run should have begun; 0 if no run was missed.",
        None,
    ),
    RUN_UNFINISHED: ("Seconds since the oldest unfinished run began; 0 if all runs have ended.", None),
    DUE: (
        "Due instances, including refused ones; those of test accounts, or due before the cut-over, do not count.",
        None,
    ),
    PENDING_CHUNKS: ("Chunks that unfinished runs have not processed yet.", None),
    PARKED_ACCOUNTS: ("Accounts parked by the latest ended run; runs of test clocks do not count.", None),
    BROKEN_RULES: (
        "Number of rules of `renewals verify` that were broken after the last verified run.",
        None,
    ),
    EVENTS_BEHIND: (
        "Events not yet processed (sent, skipped or stored for a retry), counted once for each endpoint.",
        None,
    ),
    DELIVERIES: (
        "Undelivered webhook deliveries by state: waiting for their next attempt, or parked.",
        "state",
    ),
    ENDPOINTS_DISABLED: ("Disabled webhook endpoints.", None),
    QUEUE: ("Jobs in the queue; reported by workers only.", None),
    CHECK: ("1 if the check of /readyz passes, else 0.", "check"),
}
"""The metrics that are read from PostgreSQL and Redis for a scrape: the help text, and the name of the label."""


class PolledCollector(Collector):
    """The values of POLLED_METRICS for one scrape."""

    def __init__(self, values: Mapping[Key, float]) -> None:
        self._values = values

    def collect(self) -> Iterator[Metric]:
        """Yield a gauge for each metric that has a value."""
        for name, (help_text, label) in POLLED_METRICS.items():
            family = GaugeMetricFamily(name, help_text, labels=[label] if label else None)
            for (key, label_value), value in self._values.items():
                if key == name:
                    family.add_metric([label_value] if label else [], value)
            if family.samples:
                yield family


_operations: set[str] = set()


def limit_cardinality(operation: str) -> str:
    """Return an operation's name as a label, or OTHER if it is too long or if OPERATIONS_MAX other names are in use."""
    if operation in _operations:
        return operation
    if len(_operations) < OPERATIONS_MAX and len(operation) <= OPERATION_CHARACTERS_MAX:
        _operations.add(operation)
        return operation
    return OTHER


def render(polled: Iterable[Collector] = ()) -> bytes:
    """Render the metrics as Prometheus text, including those of `polled`.

    The `process_...` and `python_info` metrics are left out if the environment contains FOLDER.
    """
    registry = CollectorRegistry()
    if folder := os.environ.get(FOLDER):
        _drop_ended_processes(Path(folder))
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    else:
        for process_collector in (REGISTRY, *_PROCESS_COLLECTORS):
            registry.register(process_collector)
    for collector in polled:
        registry.register(collector)
    return generate_latest(registry)


_PROCESS_COLLECTORS = (ProcessCollector(registry=None), PlatformCollector(registry=None))


@contextlib.contextmanager
def multiprocess_metrics(*, process_count: int) -> Iterator[None]:
    """Add up the metrics of the processes that are started within the block, if `process_count` is more than 1."""
    if process_count == 1 or FOLDER in os.environ:
        yield
        return
    folder = tempfile.mkdtemp(prefix="renewals-metrics-")
    os.environ[FOLDER] = folder
    try:
        yield
    finally:
        del os.environ[FOLDER]
        shutil.rmtree(folder, ignore_errors=True)


def _drop_ended_processes(folder: Path) -> None:
    """Drop the gauges of processes that have ended; the counters of these processes remain."""
    for path in folder.glob("gauge_live*.db"):
        pid = int(path.stem.rpartition("_")[2])
        try:
            os.kill(pid, 0)
        except PermissionError:
            continue  # the process is running, and belongs to another user
        except ProcessLookupError:
            multiprocess.mark_process_dead(pid, str(folder))  # type: ignore[no-untyped-call]
