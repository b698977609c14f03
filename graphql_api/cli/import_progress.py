"""The output of an import: its progress, the problems of the file, and a summary."""

import contextlib
import csv
import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

import typer
from rich import console, progress

from renewals.domain.messages import CountedMessage, Message
from renewals.domain.model import Language
from renewals.exports import formats
from renewals.i18n import catalogs
from renewals.imports import file_reader
from renewals.imports.batches import RowOutcome
from renewals.imports.rows import CellProblem
from renewals.imports.runner import Progress
from renewals.observability import log_config

PROBLEMS_SHOWN_MAX = 100
PLAIN_SECONDS = 5.0
"""Seconds between two lines of progress if standard error is not a terminal."""
VALUE_CHARACTERS_MAX = 80

_RATE = Message("{rate:,} lines/s")
_OUTCOMES = Message("{created:,} created, {changed:,} changed, {unchanged:,} unchanged, {refused:,} refused")
_DRY_RUN_OUTCOMES = Message(
    "{created:,} would be created, {changed:,} would be changed, {unchanged:,} unchanged, {refused:,} refused"
)


class ProgressReporter:
    """The output of an import: the progress while it runs, then the problems that were collected, and a summary."""

    def __init__(
        self,
        source: file_reader.Source,
        errors: TextIO | None,
        bar: progress.Progress | None,
        language: Language,
    ) -> None:
        self._source, self._bar, self._language = source, bar, language
        self._errors = csv.writer(errors, lineterminator="\r\n") if errors else None
        self._shown_problems: list[CellProblem] = []
        self._problem_count = 0
        self._started = self._printed = time.monotonic()
        self._task = bar.add_task(source.path.name, total=source.line_count, rate="") if bar else None
        self.latest = Progress()
        if self._errors:
            self._errors.writerow(("line", "column", "value", "reason"))

    def add_problems(self, problems: Sequence[CellProblem]) -> None:
        """Write problems to the errors file, and keep the first PROBLEMS_SHOWN_MAX for `print_problems`."""
        self._problem_count += len(problems)
        self._shown_problems.extend(problems[: PROBLEMS_SHOWN_MAX - len(self._shown_problems)])
        if self._errors:
            self._errors.writerows(
                (
                    problem.line,
                    formats.escape_formula(problem.column),
                    formats.escape_formula(_as_text(problem.value)),
                    self._say(problem.reason),
                )
                for problem in problems
            )

    def update(self, latest: Progress) -> None:
        """Show the progress after a batch."""
        self.latest = latest
        if self._bar is not None and self._task is not None:
            self._bar.update(
                self._task, completed=latest.line, rate=self._say(_RATE.fill(rate=round(self.rate)))
            )
        elif time.monotonic() - self._printed >= PLAIN_SECONDS:
            self._printed = time.monotonic()
            remaining_lines = self._source.line_count - latest.line
            seconds = remaining_lines * (self._printed - self._started) / max(latest.line, 1)
            progress_line = Message(
                "line {line:,} of {count:,}, {rate:,} lines/s, {seconds:,} s left",
                line=latest.line,
                count=self._source.line_count,
                rate=round(self.rate),
                seconds=round(seconds),
            )
            typer.echo(self._say(progress_line), err=True)

    @property
    def rate(self) -> float:
        """Lines per second since the start."""
        return self.latest.total / max(time.monotonic() - self._started, 0.001)

    def print_problems(self) -> None:
        """Print the problems that were kept, sorted by line, and the number of further problems."""
        file_name = self._source.path.name
        for problem in sorted(self._shown_problems, key=lambda shown: shown.line):
            value = _as_text(problem.value)
            if len(value) > VALUE_CHARACTERS_MAX:
                value = f"{value[:VALUE_CHARACTERS_MAX]}..."
            shown = (
                repr(value) if isinstance(problem.value, str) else log_config.escape_control_characters(value)
            )
            # A JSON key may contain terminal control sequences.
            column = problem.column if problem.column.isidentifier() else repr(problem.column)
            place = f" {column}: {shown}:" if problem.column else ""
            typer.echo(f"{file_name}:{problem.line}:{place} {self._say(problem.reason)}", err=True)
        if more := self._problem_count - len(self._shown_problems):
            hint = (
                Message("... and {count:,} more; the file of --errors has all problems")
                if self._errors
                else Message("... and {count:,} more; use --errors FILE.csv to write all problems to a file")
            )
            typer.echo(self._say(hint.fill(count=more)), err=True)

    def print_summary(self, *, is_dry_run: bool) -> None:
        """Print the numbers of created, changed, unchanged and refused rows."""
        outcomes = self.latest.outcomes
        summary = CountedMessage(
            "{count} line: {outcomes}; {encoding}, {rate:,} lines/s",
            "{count:,} lines: {outcomes}; {encoding}, {rate:,} lines/s",
            count=self.latest.total,
            outcomes=(_DRY_RUN_OUTCOMES if is_dry_run else _OUTCOMES).fill(
                created=outcomes[RowOutcome.CREATED],
                changed=outcomes[RowOutcome.CHANGED],
                unchanged=outcomes[RowOutcome.UNCHANGED],
                refused=self.latest.refused_count,
            ),
            encoding=self._source.encoding,
            rate=round(self.rate),
        )
        typer.echo(self._say(summary))
        if is_dry_run:
            typer.echo(self._say(Message("Dry run: nothing was written.")))

    def print_interruption(self, *, is_dry_run: bool) -> None:
        """Print that the import stopped, and how to continue unless it is a dry run."""
        stopped = (
            Message("Dry run stopped at line {line:,}: nothing was written.")
            if is_dry_run
            else Message(
                "Stopped at line {line:,}. Committed rows are kept. To import the rest, import the same "
                "file again."
            )
        )
        typer.echo(self._say(stopped.fill(line=self.latest.line)), err=True)

    def _say(self, message: Message) -> str:
        return catalogs.translate(message, self._language)


def _as_text(value: object) -> str:
    """Return a value of a file; a value that is not text is returned as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@contextlib.contextmanager
def open_reporter(
    source: file_reader.Source, errors_path: Path | None, language: Language, *, is_dry_run: bool
) -> Iterator[ProgressReporter]:
    """Show the progress during the block, then print the problems and the summary.

    If the block raises an exception other than InvalidFileError, print how to continue instead of the summary. Raises
    InvalidFileError if the errors file cannot be written.
    """
    with contextlib.ExitStack() as stack:
        try:
            # Spreadsheets recognize UTF-8 by its byte order mark.
            errors_file = (
                stack.enter_context(errors_path.open("w", encoding="utf-8-sig", newline=""))
                if errors_path
                else None
            )
        except OSError as error:
            raise file_reader.InvalidFileError(
                Message(
                    "{file}: cannot be written: {error}", file=str(errors_path), error=str(error.strerror)
                )
            ) from None
        bar = stack.enter_context(_progress_bar()) if sys.stderr.isatty() else None
        reporter = ProgressReporter(source, errors_file, bar, language)
        try:
            yield reporter
        except file_reader.InvalidFileError:
            raise
        except BaseException:
            stack.close()
            reporter.print_problems()
            reporter.print_interruption(is_dry_run=is_dry_run)
            raise
    reporter.print_problems()
    reporter.print_summary(is_dry_run=is_dry_run)


def _progress_bar() -> progress.Progress:
    return progress.Progress(
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.TaskProgressColumn(),
        progress.TextColumn("{task.fields[rate]}"),
        progress.TimeRemainingColumn(),
        console=console.Console(stderr=True),
        transient=True,
    )
