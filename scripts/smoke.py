"""Smoke test of an installation: `python scripts/smoke.py renewals` starts the demo, queries it, and stops it.

The arguments are the command of the program, as in `uvx --from 'renewals[embedded]' renewals`. The program runs
in an empty folder with an empty HOME, as on a new machine. Only the standard library is needed.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

START_SECONDS_MAX = 300
STOP_SECONDS_MAX = 60
POLL_SECONDS = 0.1
SETTINGS = re.compile(r"RENEWALS_|XDG_|PYTHONPATH$|(DATABASE|REDIS)_URL$|HOME$")
QUERY = "{ account { name } instances { totalCount } }"
PAGES = {"/graphql": "GraphiQL", "/console/": "/console/assets/"}
"""Pages, each with a text that the page contains."""
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class SmokeError(Exception):
    """The installation does not work."""


class Demo(NamedTuple):
    """A running demo: the address of the API, the demo account's key, and the file with the output."""

    address: str
    key: str
    log: Path

    def output(self) -> str:
        """Wait for the last line of `renewals up`, and return all that it has printed. Raises SmokeError."""
        deadline = time.monotonic() + STOP_SECONDS_MAX
        while time.monotonic() < deadline:
            text = self.log.read_text(encoding="utf-8")
            if "Ctrl-C" in text:
                return text
            time.sleep(POLL_SECONDS)
        raise SmokeError(f"renewals up did not print its addresses within {STOP_SECONDS_MAX} s.")


@contextlib.contextmanager
def running(command: Sequence[str]) -> Iterator[Demo]:
    """Run `renewals up` in an empty folder during the block, then stop it as Ctrl-C does. Raises SmokeError."""
    program = shutil.which(command[0])
    if program is None:
        raise SmokeError(f"The program {command[0]} was not found.")
    with tempfile.TemporaryDirectory() as name, tempfile.TemporaryDirectory() as home:
        folder, log = Path(name), Path(home) / "output"
        folder.chmod(0o755)  # if root runs this test, the servers run as another user
        variables = {name: value for name, value in os.environ.items() if not SETTINGS.match(name)}
        with log.open("wb") as output:
            process = subprocess.Popen(
                [Path(program).absolute(), *command[1:], "up"],
                cwd=folder,
                env={**variables, "HOME": home, "LANG": "C.UTF-8", "RENEWALS_PORT": "0"},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            yield _await(process, folder, log)
            os.killpg(process.pid, signal.SIGINT)
            if code := process.wait(STOP_SECONDS_MAX):
                raise SmokeError(f"renewals up ended with exit code {code}, not 0.")
        except (SmokeError, OSError, subprocess.SubprocessError) as error:
            raise SmokeError(f"{error}\n{log.read_text(encoding='utf-8')[-4_000:]}") from error
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGINT)
                process.wait(STOP_SECONDS_MAX)


def read(address: str, key: str | None = None, body: bytes | None = None) -> str:
    """Return the text at an address: get it as a browser does, or post `body` as JSON. Send `key` if there is one."""
    headers = (
        {"Accept": "application/json", "Content-Type": "application/json"}
        if body
        else {"Accept": "text/html"}
    )
    if key:
        headers["Authorization"] = f"Bearer {key}"
    request = urllib.request.Request(address, body, headers)  # noqa: S310 - of the demo on this machine
    with _OPENER.open(request, timeout=30) as response:
        return str(response.read().decode())


def check(demo: Demo) -> int:
    """Check the pages and one GraphQL request; return the number of the demo account's instances.

    Raises SmokeError, or OSError if a request fails.
    """
    for path, text in PAGES.items():
        if text not in read(demo.address + path):
            raise SmokeError(f"{path} does not contain {text!r}: the page was not packed.")
    answer = json.loads(read(f"{demo.address}/graphql", demo.key, json.dumps({"query": QUERY}).encode()))
    count = answer.get("data", {}).get("instances", {}).get("totalCount", 0)
    if not count:
        raise SmokeError(f"The demo account has no instances: {answer}")
    return int(count)


def _await(process: subprocess.Popen[bytes], folder: Path, log: Path) -> Demo:
    deadline = time.monotonic() + START_SECONDS_MAX
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            lines = (folder / ".renewals/env").read_text(encoding="utf-8").splitlines()
            variables = dict(line.removeprefix("export ").split("=", 1) for line in lines)
            if "OPERATOR_KEY" in variables:
                address = variables["GRAPHQL_URL"].removesuffix("/graphql")
                read(f"{address}/readyz")
                return Demo(address, variables["GRAPHQL_KEY"], log)
        time.sleep(POLL_SECONDS)
    if (code := process.poll()) is not None:
        raise SmokeError(f"renewals up ended early, with exit code {code}.")
    raise SmokeError(f"renewals up was not ready within {START_SECONDS_MAX} s.")


def main() -> None:
    """Run the smoke test of the command in the arguments."""
    if not sys.argv[1:]:
        sys.exit("Name the command: python scripts/smoke.py renewals")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that SIGTERM also stops the demo
    started_at = time.monotonic()
    try:
        with running(sys.argv[1:]) as demo:
            ready_at = time.monotonic()
            count = check(demo)
    except SmokeError as error:
        sys.exit(f"smoke: {error}")
    print(f"The demo was ready in {ready_at - started_at:.1f} s, and has {count} instances.")


if __name__ == "__main__":
    main()
