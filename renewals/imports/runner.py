"""The import of a file in batches. The next batch is read while PostgreSQL writes the current batch."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field

from renewals.domain import clock as clocks
from renewals.imports import batches, file_reader, grouping, rows
from renewals.imports.row_types import ImportFormat
from renewals.imports.rows import CellProblem, ParsedRow
from renewals.operators import audit_log

LINES_PER_PAUSE = 100
"""The number of lines that are read before the event loop runs again."""
_OPERATOR = audit_log.Operator(None, "command line")


@dataclass(slots=True)
class Progress:
    """The outcomes of the rows in the written batches, and the number of the last line that was read for them."""

    outcomes: Counter[batches.RowOutcome] = field(default_factory=Counter)
    refused_count: int = 0
    line: int = 0

    @property
    def total(self) -> int:
        """The number of rows so far."""
        return self.outcomes.total() + self.refused_count


@dataclass(frozen=True, slots=True)
class Listener:
    """Callbacks for the problems of each batch, and for the progress after each batch."""

    on_problems: Callable[[Sequence[CellProblem]], None]
    on_batch: Callable[[Progress], None]


async def run_import(
    source: file_reader.Source, import_format: ImportFormat, listener: Listener, *, is_dry_run: bool = False
) -> Progress:
    """Import the valid rows of a file, and return the number of rows with each outcome.

    If `is_dry_run` is True, each batch is rolled back. Raises InvalidFileError before anything is written if the header
    is missing or invalid.
    """
    progress = Progress()
    writing: asyncio.Task[None] | None = None
    try:
        async for batch in _read_batches(source, import_format):
            if writing is not None:
                await writing
            writing = asyncio.create_task(
                _write(source, import_format, batch, progress, listener, is_dry_run=is_dry_run)
            )
        if writing is not None:
            await writing
    finally:
        if writing is not None:
            writing.cancel()
    return progress


async def _read_batches(
    source: file_reader.Source, import_format: ImportFormat
) -> AsyncIterator[grouping.Batch]:
    """Yield the batches of a file, and let the event loop run every `LINES_PER_PAUSE` lines."""

    def lines() -> Iterator[ParsedRow | None]:
        for number, line in enumerate(rows.parse_rows(source, import_format), 1):
            yield line
            if number % LINES_PER_PAUSE == 0:
                yield None

    for batch in grouping.batches(lines(), import_format):
        if batch is None:
            await asyncio.sleep(0)
        else:
            yield batch


async def _write(
    source: file_reader.Source,
    import_format: ImportFormat,
    batch: grouping.Batch,
    progress: Progress,
    listener: Listener,
    *,
    is_dry_run: bool,
) -> None:
    """Write a batch, and report its problems and the progress."""
    refused = list(batch.refused)
    if batch.lines:
        numbers = [line.number for line in batch.lines]
        origin = {"file": source.path.name, "lines": [min(numbers), max(numbers)]}
        import_batch = batches.ImportBatch(_OPERATOR, origin, clocks.utc_now, is_dry_run)
        results = await import_format.write_batch(import_batch, [line.row for line in batch.lines])
        for line, result in zip(batch.lines, results, strict=True):
            if isinstance(result, batches.FieldError):
                refused.append(line._replace(problems=[line.problem(result.field, result.message)]))
            else:
                progress.outcomes[result] += 1
    progress.refused_count += len(refused)
    progress.line = batch.line
    listener.on_problems(grouping.problems_of(refused))
    listener.on_batch(progress)
