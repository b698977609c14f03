"""Audit of the locked packages for known vulnerabilities: `python -m scripts.audit`, with pip-audit and OSV's data.

It checks the pins of requirements/mcp.txt, which contains those of run.txt and of the extra `mcp`, and installs
nothing. Without a network, it reports that it was skipped, and passes.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

REQUIREMENTS = Path(__file__).parents[1] / "requirements"
LOCK = REQUIREMENTS / "mcp.txt"
ACCEPTED = REQUIREMENTS / "accepted-vulnerabilities.txt"
RESPONSE_SECONDS_MAX = 3
SECONDS_MAX = 60
UNREACHABLE = re.compile(
    r"^(requests\.exceptions\.|pip_audit\..*ServiceError|ERROR:.*Could not connect)", re.MULTILINE
)


class UnreachableError(Exception):
    """The vulnerability data cannot be reached."""


class UnusableError(Exception):
    """The audit failed for another reason than unreachable vulnerability data."""


def run(lock: Path = LOCK, accepted: Path = ACCEPTED, *options: str) -> tuple[bool, str]:
    """Audit a lock file; return whether the audit passes, and the report."""
    ignored = [word for name in _accepted(accepted) for word in ("--ignore-vuln", name)]
    try:
        packages = [
            package
            for pins in _alternatives(lock.read_text(encoding="utf-8"))
            for package in _audit(pins, *ignored, *options)
        ]
    except UnreachableError:
        return True, "skipped, because the vulnerability database cannot be reached"
    except UnusableError as error:
        return False, str(error)
    lines = [line for package in packages for line in _format_vulnerabilities(package)]
    return not lines, "\n".join(lines) or f"{len(packages)} packages, no known vulnerability"


def _alternatives(lock: str) -> list[str]:
    """Return the pins of a lock as texts that each have at most one version of a package, without environment markers.

    The second version of a package is in the second text.
    """
    lists: list[str] = []
    counts: dict[str, int] = {}
    for pin in re.split(r"^(?=\w)", lock, flags=re.MULTILINE):
        name = re.split(r"==|\s", pin, maxsplit=1)[0]
        number = counts[name] = counts.get(name, -1) + 1
        if number == len(lists):
            lists.append("")
        lists[number] += re.sub(r" ; [^\\\n]*", " ", pin)
    return lists


def _audit(pins: str, *options: str) -> list[dict[str, Any]]:
    """Return pip-audit's result for each package. Raises UnreachableError or UnusableError."""
    words = ["--require-hashes", "--disable-pip", "--vulnerability-service", "osv", "--format", "json"]
    words += ["--progress-spinner", "off", "--timeout", str(RESPONSE_SECONDS_MAX), *options]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pins.txt"
        path.write_text(pins, encoding="utf-8")
        try:
            done = subprocess.run(
                [sys.executable, "-m", "pip_audit", *words, "--requirement", str(path)],
                capture_output=True,
                text=True,
                timeout=SECONDS_MAX,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise UnreachableError from error
    if done.stdout.strip():
        return list(json.loads(done.stdout)["dependencies"])
    if UNREACHABLE.search(done.stderr):
        raise UnreachableError
    raise UnusableError(done.stderr.strip())


def _accepted(path: Path) -> Iterator[str]:
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            name, _, reason = line.partition(" ")
            if not reason.strip():
                raise SystemExit(f"{path.name}: {name} must be followed by a reason")
            yield name


def _format_vulnerabilities(package: dict[str, Any]) -> Iterator[str]:
    for vulnerability in package["vulns"]:
        fixes = ", ".join(vulnerability["fix_versions"]) or "no version yet"
        names = ", ".join(sorted([vulnerability["id"], *vulnerability["aliases"]]))
        yield f"{package['name']} {package['version']}: {names}; fixed by {fixes}"


if __name__ == "__main__":
    passes, report = run()
    print(f"audit: {report}", file=sys.stdout if passes else sys.stderr)
    sys.exit(not passes)
