"""The software bill of materials: `python -m scripts.sbom FILE` writes the lock as CycloneDX 1.6."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements" / "run.txt"
SECONDS_MAX = 60
GENERIC_INDEX = "pkg:pypi"
"""A replacement for the address of an index, so that the bill names no host."""


def make() -> str:
    """Return the bill of materials, without times and random ids, so that equal inputs result in equal bills."""
    words = ["--index-url", GENERIC_INDEX, "--pyproject", "pyproject.toml", "--output-reproducible"]
    words += ["--spec-version", "1.6", "--output-format", "JSON", str(LOCK)]
    # `-W ignore` suppresses the warning that a list has no dependency graph.
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "cyclonedx_py", "requirements", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        timeout=SECONDS_MAX,
        check=True,
    )
    bill = json.loads(done.stdout)
    for tool in bill["metadata"]["tools"]["components"]:
        del tool["externalReferences"]  # one of them is the host of an index
    return json.dumps(bill, indent=2) + "\n"


def problem(bill: str) -> str | None:
    """Return the first problem that CycloneDX's own validation finds, or None."""
    # These imports take more than a second, which each process that only collects the tests would spend.
    from cyclonedx.schema import SchemaVersion  # noqa: PLC0415
    from cyclonedx.validation.json import JsonStrictValidator  # noqa: PLC0415

    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(bill)
    return str(error) if error else None


if __name__ == "__main__":
    bill, path = make(), Path(sys.argv[1])
    if error := problem(bill):
        sys.exit(f"sbom: {error}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(bill, encoding="utf-8")
