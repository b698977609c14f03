"""The speed of a full export, and the server's memory during it.

`python -m benchmarks.exports [rows]` fills one account and downloads its list in both formats over a real socket.
"""

import dataclasses
import http.client
import os
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks import data, sizes, stage

ROWS = 1_000_000
WORK = Path(".renewals/benchmarks")
POLL_SECONDS = 0.05
MEBIBYTE = 1 << 20
SEEN_COLUMNS = "id,product.nameZh,configuration,billingMode,expiresAt"
"""The columns that the page of renewal management shows."""


class Memory:
    """The resident memory of a process in MiB, sampled while a block runs."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.before = self.peak = self.now()

    def now(self) -> float:
        pages = int(Path(f"/proc/{self._pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / MEBIBYTE

    def __enter__(self) -> "Memory":
        self._ended = threading.Event()
        self._watch = threading.Thread(target=self._look)
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._watch.join()

    def _look(self) -> None:
        while not self._ended.wait(POLL_SECONDS):
            self.peak = max(self.peak, self.now())


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    size = dataclasses.replace(sizes.FULL, instances=count + 1_000, accounts=2, large_account_instances=count)
    WORK.mkdir(parents=True, exist_ok=True)
    with stage.Stage(WORK) as environment_:
        loaded = data.loaded(environment_, size)
        environment = {"DATABASE_URL": loaded.url}
        with environment_.running(
            lambda port: [sys.executable, "-m", "graphql_api", "serve", "--port", str(port)], environment
        ) as server:
            for line in measure(server, loaded.key):
                print(line, flush=True)


def measure(server: stage.Running, key: str) -> Iterator[str]:
    """Yield a line for each export: rows, bytes, seconds, and the memory before, at its peak and after."""
    query = "filter=%7B%22manageable%22%3Anull%7D"
    for address in (
        f"csv?{query}&columns={SEEN_COLUMNS}",
        f"csv?{query}",
        f"jsonl?{query}",
        f"csv?{query}",
    ):
        cpu = server.cpu_seconds()
        with Memory(server.pid) as memory:
            started = time.monotonic()
            rows, length, first = take(server.port, f"/export/instances.{address}", key)
            seconds = time.monotonic() - started
        yield (
            f"{address}: {rows} rows, {length / MEBIBYTE:.0f} MiB in {seconds:.1f} s ({rows / seconds:.0f} a second, "
            f"first after {first:.2f} s, processor {server.cpu_seconds() - cpu:.1f} s); "
            f"MiB {memory.before:.1f} before, {memory.peak:.1f} at its peak, {memory.now():.1f} after"
        )


def take(port: int, path: str, key: str) -> tuple[int, int, float]:
    """Return how many rows and bytes a response has, and the seconds until its headers arrived."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    started = time.monotonic()
    connection.request("GET", path, headers={"Authorization": f"Bearer {key}"})
    response = connection.getresponse()
    assert response.status == 200, response.read()
    lines = length = 0
    first = time.monotonic() - started
    while piece := response.read(1 << 16):
        lines += piece.count(b"\n")
        length += len(piece)
    return lines - ("csv" in path), length, first


if __name__ == "__main__":
    main()
