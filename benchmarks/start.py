"""The time to start `renewals --help`, `renewals serve`, and a `make run` that is not the first.

A server has started when it responds to a GraphQL query. No process is pinned to a single core.
"""

import asyncio
import contextlib
import dataclasses
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks import client, cpu, data, results, sizes, stage
from graphql_api.devserver import reaper

ROOT = Path(__file__).parent.parent
HELP, SERVE, RUN = (
    "renewals --help",
    "renewals serve, to the first response",
    "second make run, to the first response",
)
SECONDS_MAX: Mapping[str, float] = {HELP: 0.48, SERVE: 0.65, RUN: 1.65}
"""The maximum seconds of each command: about half of the seconds first measured (0.95, 1.3 and 3.3)."""
STARTS = {"full": 9, "quick": 2}
ANSWER_SECONDS_MAX, STOP_SECONDS_MAX = 600, 60
"""Limits of a start and of a stop. The first `make run` may install packages, which takes minutes."""
POLL_SECONDS = 0.005
SECONDS, CPU_SECONDS = "s", "s of CPU until then"
NOTES = """\
Each figure is the median of {starts} starts. One start before these is not counted; after it, the modules are \
compiled and in the page cache.
The processor time of `make run` is that of all processes that it starts, until the first response. It can exceed \
the elapsed time, because PostgreSQL, Valkey, the API and the worker start on two cores.
"""


class Start(NamedTuple):
    """Seconds until the first response or the end of `--help`, and the processor seconds until then."""

    seconds: float
    cpu_seconds: float


def run(environment: stage.Stage, size: sizes.Size) -> results.Section:
    """Measure several starts of each command, after one that is not counted."""
    starts = STARTS.get(size.name, STARTS["full"])
    url = environment.create_database("start")
    loaded = asyncio.run(
        data.load(url, dataclasses.replace(size, instances=100, accounts=2, large_account_instances=50))
    )
    measured: dict[tuple[str, str], list[float]] = defaultdict(list)
    with environment.on_both_cores():
        for name in (HELP, SERVE, *([RUN] if shutil.which("make") else [])):
            for number in range(1 + starts):
                start = _start(environment, name, loaded)
                if number:
                    measured[name, SECONDS].append(start.seconds)
                    measured[name, CPU_SECONDS].append(start.cpu_seconds)
                    print(f"start {number}, {name:<40} {start.seconds:6.2f} s", file=sys.stderr)
    figures = [results.Figure("start", *key, tuple(values)) for key, values in measured.items()]
    return results.Section(
        title="Starts",
        figures=figures,
        targets=list(_targets(figures)),
        notes=NOTES.format(starts=starts).splitlines(),
        units_together=True,
    )


def _start(environment: stage.Stage, name: str, loaded: data.Loaded) -> Start:
    # Python keeps compiled modules, as on a user's machine, whatever the environment says.
    variables = os.environ | {"PYTHONDONTWRITEBYTECODE": ""}
    port = stage.free_port()
    if name == HELP:
        return _help(variables)
    if name == SERVE:
        command: Sequence[str] = (sys.executable, "-m", "graphql_api", "serve", "--port", str(port))
        return _serve(command, variables | {"DATABASE_URL": loaded.url}, port, environment, loaded.key)
    folder = environment.folder.resolve() / "start"
    for variable in ("DATABASE_URL", "REDIS_URL"):
        variables.pop(variable, None)
    variables |= {"RENEWALS_PORT": str(port)}
    return _serve(("make", "run", f"DATA_DIR={folder}"), variables, port, environment, None)


def _help(variables: Mapping[str, str]) -> Start:
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [str(Path(sys.executable).parent / "renewals"), "--help"]
    subprocess.run(command, env=variables, stdout=subprocess.DEVNULL, check=True)
    seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Start(seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def _serve(
    command: Sequence[str], variables: Mapping[str, str], port: int, environment: stage.Stage, key: str | None
) -> Start:
    """Start a server, and measure until it responds to a query: with 200 if there is a key, else with 401.

    Raises RuntimeError if it does not respond in time.
    """
    log = environment.folder / "start.log"
    started = time.perf_counter()
    with log.open("wb") as output, _process(command, variables, output.fileno()) as pid:
        if not asyncio.run(_has_answered(port, key)):
            raise RuntimeError(f"{command!r} did not answer:\n{log.read_text(errors='replace')[-2000:]}")
        return Start(time.perf_counter() - started, cpu.of_descendants(pid))


@contextlib.contextmanager
def _process(command: Sequence[str], variables: Mapping[str, str], output: int) -> Iterator[int]:
    """Run a command in a session of its own; afterwards, terminate all processes of the session."""
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
    )
    reaper.register(process.pid)
    try:
        yield process.pid
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(STOP_SECONDS_MAX)
        deadline = time.monotonic() + STOP_SECONDS_MAX
        while cpu.has_session(process.pid) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        reaper.unregister(process.pid)


async def _has_answered(port: int, key: str | None) -> bool:
    """Query a server until it responds with 200, or with 401 if `key` is None. Return False after a timeout."""
    host = f"127.0.0.1:{port}"
    request = client.graphql_request("/graphql", key or "none", "{ __typename }", {}, host=host)
    deadline = time.monotonic() + ANSWER_SECONDS_MAX
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError, client.UnexpectedAnswerError):
            answer = await client.ask(port, request)
            if answer.status == (200 if key else 401):
                return True
        await asyncio.sleep(POLL_SECONDS)
    return False


def _targets(figures: Sequence[results.Figure]) -> Iterator[results.Target]:
    for name, seconds_max in SECONDS_MAX.items():
        ours = results.median(figures, "start", name, SECONDS)
        if ours is not None:
            yield results.Target(f"{name} (s)", ours, seconds_max, 1, less_is_better=True)
