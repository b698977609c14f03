"""What a person sees of an import: how far it is, what is wrong with the file, and at the end what was done."""

import contextlib
import csv
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

import typer
from rich import console, progress

from renewals.exports import formats
from renewals.imports import files
from renewals.imports.batches import RowOutcome
from renewals.imports.rows import CellProblem
from renewals.imports.runner import Progress

MISTAKES_SHOWN = 100
PLAIN_SECONDS = 5.0
"""So often a line is written where there is no terminal."""
VALUE_CHARACTERS_MAX = 80


class ProgressReporter:
    """Collects what there is to say: mistakes for the end, and how far it is."""

    def __init__(self, source: files.Source, errors: TextIO | None, bar: progress.Progress | None) -> None:
        self._source, self._bar = source, bar
        self._errors = csv.writer(errors, lineterminator="\r\n") if errors else None
        self._kept: list[CellProblem] = []
        self._count = 0
        self._started = self._told = time.monotonic()
        self._task = bar.add_task(source.path.name, total=source.line_count, rate="") if bar else None
        self.latest = Progress()
        if self._errors:
            self._errors.writerow(("line", "column", "value", "reason"))

    def mistakes(self, found: Sequence[CellProblem]) -> None:
        """Takes what is wrong with some lines."""
        self._count += len(found)
        self._kept.extend(found[: MISTAKES_SHOWN - len(self._kept)])
        if self._errors:
            self._errors.writerows(
                (
                    each.line,
                    formats.escape_formula(each.column),
                    formats.escape_formula(each.value),
                    each.reason,
                )
                for each in found
            )

    def batch(self, latest: Progress) -> None:
        """Takes how far it is after a batch."""
        self.latest = latest
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=latest.line, rate=f"{self.rate:,.0f} lines/s")
        elif time.monotonic() - self._told >= PLAIN_SECONDS:
            self._told = time.monotonic()
            left = self._source.line_count - latest.line
            seconds = left * (self._told - self._started) / max(latest.line, 1)
            typer.echo(
                f"line {latest.line:,} of {self._source.line_count:,}, {self.rate:,.0f} lines/s, {seconds:,.0f} s left",
                err=True,
            )

    @property
    def rate(self) -> float:
        """Lines a second so far."""
        return self.latest.total / max(time.monotonic() - self._started, 0.001)

    def say_mistakes(self) -> None:
        """Says the first mistakes, and how many more there are."""
        name = self._source.path.name
        for each in sorted(self._kept, key=lambda kept: kept.line):
            value = each.value
            if len(value) > VALUE_CHARACTERS_MAX:
                value = f"{value[:VALUE_CHARACTERS_MAX]}..."
            # A key of JSON may be anything, and must not speak to the terminal.
            column = each.column if each.column.isidentifier() else repr(each.column)
            where = f" {column}: {value!r}:" if each.column else ""
            typer.echo(f"{name}:{each.line}:{where} {each.reason}", err=True)
        if more := self._count - len(self._kept):
            typer.echo(f"... and {more:,} more; --errors FILE.csv writes all", err=True)

    def say_end(self, *, is_dry: bool) -> None:
        """Says what was done."""
        fates = self.latest.fates
        would = "would be " if is_dry else ""
        counts = f"{fates[RowOutcome.CREATED]:,} {would}created, {fates[RowOutcome.CHANGED]:,} {would}changed"
        typer.echo(
            f"{self.latest.total:,} lines: {counts}, {fates[RowOutcome.UNCHANGED]:,} unchanged, "
            f"{self.latest.refused_count:,} refused; {self._source.encoding}, {self.rate:,.0f} lines/s"
        )
        if is_dry:
            typer.echo("A dry run: nothing was written.")


@contextlib.contextmanager
def opened(source: files.Source, errors: Path | None, *, is_dry: bool) -> Iterator[ProgressReporter]:
    """Shows how far it is for as long as the block runs, then what is wrong and what was done."""
    with contextlib.ExitStack() as stack:
        try:
            # With a mark: that is how spreadsheets know UTF-8.
            written = (
                stack.enter_context(errors.open("w", encoding="utf-8-sig", newline="")) if errors else None
            )
        except OSError as problem:
            raise files.InvalidFileError(f"{errors}: cannot be written: {problem.strerror}") from None
        bar = stack.enter_context(_bar()) if sys.stderr.isatty() else None
        shown = ProgressReporter(source, written, bar)
        try:
            yield shown
        except files.InvalidFileError:
            raise
        except BaseException:
            stack.close()
            shown.say_mistakes()
            typer.echo(
                f"Stopped at line {shown.latest.line:,}. What was done stays; the same file again does the rest.",
                err=True,
            )
            raise
    shown.say_mistakes()
    shown.say_end(is_dry=is_dry)


def _bar() -> progress.Progress:
    return progress.Progress(
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.TaskProgressColumn(),
        progress.TextColumn("{task.fields[rate]}"),
        progress.TimeRemainingColumn(),
        console=console.Console(stderr=True),
        transient=True,
    )
