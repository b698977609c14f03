"""What we run on, as a bill of materials: `python -m scripts.sbom FILE` writes CycloneDX 1.6, from the lock."""

import json
import subprocess
import sys
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements" / "run.txt"
SECONDS_MAX = 60
NOBODYS_INDEX = "pkg:pypi"
"""In place of an index's address: what a package is called, wherever it was fetched from."""


def make() -> str:
    """The bill, the same for the same lock, which names no host that packages are fetched from."""
    words = ["--index-url", NOBODYS_INDEX, "--pyproject", "pyproject.toml", "--output-reproducible"]
    words += ["--spec-version", "1.6", "--output-format", "JSON", str(LOCK)]
    # It warns that a list has no graph.
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
        del tool["externalReferences"]  # one of which is such a host
    return json.dumps(bill, indent=2) + "\n"


def problem(bill: str) -> str | None:
    """What CycloneDX's own validation finds wrong."""
    found = JsonStrictValidator(SchemaVersion.V1_6).validate_str(bill)
    return str(found) if found else None


if __name__ == "__main__":
    bill, path = make(), Path(sys.argv[1])
    if found := problem(bill):
        sys.exit(f"sbom: {found}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(bill, encoding="utf-8")
