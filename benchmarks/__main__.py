"""Compare the project with its peers on the same data: `make bench`, or `make bench-quick` in 3 minutes."""

import argparse
import dataclasses
import importlib
import sys
import time
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
    "forecast": "benchmarks.forecast",
}
"""Each module has `run(stage, size) -> results.Section`; it is imported when its section starts."""
WORK = Path(".renewals/benchmarks")
PUBLISHED = Path("docs/performance")


def main() -> None:
    arguments = _arguments()
    size = sizes.QUICK if arguments.quick else sizes.FULL
    if arguments.rounds:
        size = dataclasses.replace(size, rounds=arguments.rounds)
    output = arguments.output or (WORK / "quick" if arguments.quick else PUBLISHED)
    WORK.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with stage.Stage(WORK) as running_stage:
        on = machine.describe(binaries.postgres())
        for section_name in arguments.only:
            print(f"== {section_name}", file=sys.stderr)
            section = importlib.import_module(SECTIONS[section_name]).run(running_stage, size)
            report.add(output, section_name, section, on | environments.versions(WORK), size)
    print(f"{report.write(output, tuple(SECTIONS))}\nin {time.monotonic() - started:.0f} s", file=sys.stderr)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small and short; not published")
    parser.add_argument("--only", type=_names, default=list(SECTIONS), metavar=",".join(SECTIONS))
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
    main()
