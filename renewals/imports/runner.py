"""Takes a file in: batch after batch, the next one read while PostgreSQL is at the one before."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass, field

from renewals.domain import clock as clocks
from renewals.imports import batches, files, grouping, rows
from renewals.imports.formats import ImportFormat
from renewals.imports.rows import CellProblem, ParsedRow
from renewals.operators import audit_log

LINES_AT_ONCE = 100
"""So many lines are read before PostgreSQL's answers are looked at again."""
_OPERATOR = audit_log.Operator(None, "command line")


@dataclass(slots=True)
class Progress:
    """What became of the lines so far, and up to which line of the file."""

    fates: Counter[batches.RowOutcome] = field(default_factory=Counter)
    refused_count: int = 0
    line: int = 0

    @property
    def total(self) -> int:
        return self.fates.total() + self.refused_count


@dataclass(frozen=True, slots=True)
class Listener:
    """Who is told of mistakes, and of each batch that is done."""

    on_mistakes: Callable[[Sequence[CellProblem]], None]
    on_batch: Callable[[Progress], None]


async def run_import(
    source: files.Source, kind: ImportFormat, listener: Listener, *, is_dry: bool = False
) -> Progress:
    """Takes in all lines that are in order; raises InvalidFileError before it writes if the file is not."""
    progress = Progress()
    writing: asyncio.Task[None] | None = None
    try:
        async for batch in _batches(source, kind):
            if writing is not None:
                await writing
            writing = asyncio.create_task(_put(source, kind, batch, progress, listener, is_dry=is_dry))
        if writing is not None:
            await writing
    finally:
        if writing is not None:
            writing.cancel()
    return progress


async def _batches(source: files.Source, kind: ImportFormat) -> AsyncIterator[grouping.Batch]:
    """The batches of a file, with a pause for others every some lines."""

    def lines() -> Iterator[ParsedRow | None]:
        for number, line in enumerate(rows.lines(source, kind), 1):
            yield line
            if number % LINES_AT_ONCE == 0:
                yield None

    for batch in grouping.batches(lines(), kind):
        if batch is None:
            await asyncio.sleep(0)
        else:
            yield batch


async def _put(
    source: files.Source,
    kind: ImportFormat,
    batch: grouping.Batch,
    progress: Progress,
    listener: Listener,
    *,
    is_dry: bool,
) -> None:
    refused = list(batch.refused)
    if batch.lines:
        numbers = [line.number for line in batch.lines]
        about = {"file": source.path.name, "lines": [min(numbers), max(numbers)]}
        order = batches.ImportBatch(_OPERATOR, about, clocks.utc_now, is_dry)
        outcomes = await kind.put(order, [line.row for line in batch.lines])
        for line, outcome in zip(batch.lines, outcomes, strict=True):
            if isinstance(outcome, batches.FieldError):
                refused.append(line._replace(problems=[line.problem(outcome.field, outcome.message)]))
            else:
                progress.fates[outcome] += 1
    progress.refused_count += len(refused)
    progress.line = batch.line
    listener.on_mistakes(grouping.problems_of(refused))
    listener.on_batch(progress)
