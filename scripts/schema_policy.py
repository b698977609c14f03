"""Comparison of both schemas with the last release: `python -m scripts.schema_policy`, a step of `make check`.

A breaking change fails this step, and dangerous changes are listed (docs/schema-policy.md). While no version is
tagged, the schemas of `schema_tools/baseline` serve as the last release. `--accept` replaces them with the current
schemas.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from scripts import node_packages

ROOT = Path(__file__).parents[1]
BASELINE = node_packages.SCHEMA_TOOLS / "baseline"
NAMES = ("schema.graphql", "operator.graphql")
SECONDS_MAX = 60


class Change(NamedTuple):
    """A change of a schema, with graphql-inspector's level: BREAKING, DANGEROUS or NON_BREAKING."""

    name: str
    level: str
    message: str


def last_tag() -> str | None:
    """Return the latest tag in the history of the current commit, or None if there is no tag or no git."""
    described = _git("describe", "--tags", "--abbrev=0")
    return described.strip() if described else None


def read_before(tag: str | None) -> dict[str, str]:
    """Return the SDL of both schemas at a tag, by file name. If `tag` is None, use the baseline."""
    if tag is None:
        return {name: (BASELINE / name).read_text(encoding="utf-8") for name in NAMES}
    return {name: _git("show", f"{tag}:{name}") or "" for name in NAMES}


def read_present() -> dict[str, str]:
    """Return the SDL of both schemas of the working tree, by file name."""
    return {name: (ROOT / name).read_text(encoding="utf-8") for name in NAMES}


def compare(before: Mapping[str, str], after: Mapping[str, str]) -> list[Change]:
    """Return the changes from `before` to `after`; each of them maps the file names of the schemas to their SDL.

    Raises CalledProcessError if one of the texts is not a schema.
    """
    pairs = [{"before": before[name], "after": after[name]} for name in before]
    done = subprocess.run(
        [node_packages.NODE, str(node_packages.SCHEMA_TOOLS / "compare.mjs")],
        input=json.dumps(pairs),
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=True,
    )
    return [
        Change(name, **change)
        for name, changes in zip(before, json.loads(done.stdout), strict=True)
        for change in changes
    ]


def report(changes: list[Change], base: str) -> tuple[bool, str]:
    """Return whether the policy allows the changes, and the lines to print."""
    shown = [change for change in changes if change.level in ("BREAKING", "DANGEROUS")]
    lines = [f"{change.name}: {change.level.lower()}: {change.message}" for change in shown]
    breaking = sum(change.level == "BREAKING" for change in changes)
    if breaking:
        lines.append(f"breaking changes since {base}: {breaking}; deprecate first (docs/schema-policy.md)")
    else:
        lines.append(f"changes of the schemas since {base}: {len(changes)}, none of them breaking")
    return not breaking, "\n".join(lines)


def _git(*arguments: str) -> str | None:
    try:
        command = ["git", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout


def main(arguments: list[str]) -> int:
    """Run the check or, with `--accept`, make the current schemas the baseline; return the exit code."""
    if arguments == ["--accept"]:
        for name, sdl in read_present().items():
            (BASELINE / name).write_text(sdl, encoding="utf-8")
        return 0
    if not node_packages.are_installed(node_packages.SCHEMA_TOOLS):
        print(f"The comparison of the schemas was skipped: {node_packages.MISSING}")
        return 0
    tag = last_tag()
    is_allowed, text = report(compare(read_before(tag), read_present()), tag or "the baseline")
    print(text)
    return 0 if is_allowed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
