"""Measure the project and its peers, and write the report. `make bench-quick` takes minutes, `make bench` longer."""

import argparse
import dataclasses
import importlib
import signal
import sys
import time
import traceback
from pathlib import Path

from benchmarks import environments, machine, report, sizes, stage
from graphql_api.devserver import binaries

SECTIONS = {
    "reads": "benchmarks.reads",
    "actions": "benchmarks.actions",
    "open-loop": "benchmarks.open_loop",
    "executor": "benchmarks.executor",
    "engine": "benchmarks.engine",
    "growth": "benchmarks.growth",
    "large-account": "benchmarks.large_account",
    "forecast": "benchmarks.forecast",
    "start": "benchmarks.start",
    "mutations": "benchmarks.mutations",
}
"""The module of each section, which has `run(stage, size) -> results.Section`, is imported when the section starts."""
WORK = Path(".renewals/benchmarks")
PUBLISHED = Path("docs/performance")


def main() -> int:
    """Measure the sections one after the other, even if one fails, and write the report. Return the exit code.

    If the results are to be published and the commit is not clean, measure nothing and return 1.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends what was started, as Ctrl-C does
    arguments = _arguments()
    size = sizes.QUICK if arguments.quick else sizes.FULL
    if arguments.rounds:
        size = dataclasses.replace(size, rounds=arguments.rounds)
    output = arguments.output or (WORK / "quick" if arguments.quick else PUBLISHED)
    commit = report.commit(PUBLISHED)
    if output == PUBLISHED and commit.endswith(report.DIRTY):
        print(
            f"{PUBLISHED} is published from a clean commit: commit first, or use --output.", file=sys.stderr
        )
        return 1
    names = arguments.only
    if arguments.resume:
        names = [name for name in names if not report.is_measured(output, name, commit, size)]
    WORK.mkdir(parents=True, exist_ok=True)
    failed = _measure(names, size, output, commit)
    print(report.write(output, tuple(SECTIONS)), file=sys.stderr)
    if failed:
        print(f"failed: {','.join(failed)}; --resume measures what is missing", file=sys.stderr)
    return 1 if failed else 0


def _measure(names: list[str], size: sizes.Size, output: Path, commit: str) -> list[str]:
    """Measure each section and store its results; return the names of the sections that failed."""
    started, failed = time.monotonic(), []
    with stage.Stage(WORK) as running_stage:
        on = machine.describe(binaries.postgres())
        for number, name in enumerate(names, 1):
            print(f"== {name}, {number} of {len(names)}, after {_minutes(started)}", file=sys.stderr)
            section_started = time.monotonic()
            try:
                section = importlib.import_module(SECTIONS[name]).run(running_stage, size)
            except Exception:  # noqa: BLE001 - whatever the error is, the next section is measured
                traceback.print_exc()
                failed.append(name)
                print(f"== {name} failed after {_minutes(section_started)}", file=sys.stderr)
                continue
            report.add(output, name, section, on | environments.versions(WORK), size, commit)
            print(f"== {name} took {_minutes(section_started)}", file=sys.stderr)
    print(f"in {_minutes(started)}", file=sys.stderr)
    return failed


def _minutes(started: float) -> str:
    minutes, seconds = divmod(round(time.monotonic() - started), 60)
    return f"{minutes}:{seconds:02} min"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small and short; not published")
    parser.add_argument("--only", type=_names, default=list(SECTIONS), metavar=",".join(SECTIONS))
    parser.add_argument("--resume", action="store_true", help="leave out what was measured at this commit")
    parser.add_argument("--rounds", type=int, metavar="N", help="instead of the size's own")
    parser.add_argument("--output", type=Path, metavar="FOLDER", help=f"[default: {PUBLISHED}]")
    return parser.parse_args()


def _names(text: str) -> list[str]:
    names = text.split(",")
    for name in names:
        if name not in SECTIONS:
            raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(SECTIONS)}")
    return names


if __name__ == "__main__":
    sys.exit(main())
