"""`python -m tests.chaos`: try every fault, two at a time, print a table, and exit with 1 after any failure.

make faults                     # the counts of `catalog`
make faults TIMES=10            # ten times these counts
make faults ONLY="zombies postgres"
"""

import argparse
import concurrent.futures
import multiprocessing
import sys
import time

import typer

from tests.chaos import catalog
from tests.chaos.tally import Tally, table

AT_ONCE = 2


def main() -> int:
    """Try the chosen faults, print the table, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos")
    parser.add_argument("--times", type=float, default=1.0, help="so many times the usual counts")
    parser.add_argument("--only", nargs="*", choices=catalog.ALL, help="these faults", metavar="FAULT")
    arguments = parser.parse_args()
    names = arguments.only or list(catalog.ALL)
    started_at = time.monotonic()
    tallies: dict[str, Tally] = {}
    is_whole = True
    with concurrent.futures.ProcessPoolExecutor(AT_ONCE, multiprocessing.get_context("spawn")) as lanes:
        played = {lanes.submit(catalog.play, name, arguments.times): name for name in names}
        for future in concurrent.futures.as_completed(played):
            name = played[future]
            if problem := future.exception():
                is_whole = False
                typer.echo(f"{name}: stopped by {problem!r}")
                typer.echo(problem.__cause__ or "")
                continue
            tallies[name] = tally = future.result()
            typer.echo(f"{name}: {tally.tried} in {tally.took_seconds:.0f} s")
            if not tally.is_clean:
                typer.echo("\n".join(["NOT CLEAN", *tally.broken, *tally.evidence]))
    shown_tallies = {name: tallies[name] for name in names if name in tallies}
    typer.echo(f"\n{table(list(shown_tallies.values()))}\n")
    enough = _print_sums(shown_tallies, complete=arguments.only is None and arguments.times >= 1)
    typer.echo(f"{time.monotonic() - started_at:.0f} s in all")
    return 0 if is_whole and enough and all(tally.is_clean for tally in shown_tallies.values()) else 1


def _print_sums(tallies: dict[str, Tally], *, complete: bool) -> bool:
    """Print the number of tries of each kind. If `complete`, return whether each number reaches AT_LEAST."""
    enough = True
    for kind in catalog.Kind:
        count = sum(tally.tried for name, tally in tallies.items() if catalog.ALL[name].kind is kind)
        least = catalog.AT_LEAST.get(kind, 1)
        if count or complete:
            typer.echo(f"{count:6} {kind}" + (f" (at least {least})" if complete else ""))
        enough = enough and (count >= least or not complete)
    return enough


if __name__ == "__main__":
    sys.exit(main())
