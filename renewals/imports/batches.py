"""Rows of a source that each are decided alone, so many in one transaction.

By the rules of the operators' calls, and logged as those: an entry for what one batch did, none where it did nothing.
"""

import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import asyncpg

from renewals.db import connection as database
from renewals.db.connection import Connection
from renewals.domain.clock import Clock
from renewals.operators import audit_log
from renewals.operators.audit_log import Action, AuditedChange


class RowOutcome(StrEnum):
    """What became of a row."""

    CREATED = "CREATED"
    CHANGED = "CHANGED"
    UNCHANGED = "UNCHANGED"


class FieldError(NamedTuple):
    """Why a row is refused: its field, and what is wrong with it."""

    field: str
    message: str


RowResult = RowOutcome | FieldError


@dataclass(frozen=True, slots=True)
class ImportBatch:
    """For whom, from where and by which clock rows are taken in; of a dry one nothing stays."""

    operator: audit_log.Operator
    source: Mapping[str, object]
    """What the log says instead of the rows, which it has as what was done."""
    clock: Clock
    is_dry_run: bool = False


RowResults = list[RowResult]
Done = tuple[RowResults, list[audit_log.AuditRecord]]
Work = Callable[[Connection], Awaitable[Done]]


NO_ACCOUNT = FieldError("accountId", "there is no such account")


def build_batch_record(batch: ImportBatch, action: Action, change: AuditedChange) -> audit_log.AuditRecord:
    """What the batch did, as the log keeps it."""
    return audit_log.build_record(action, f"import-{uuid.uuid4()}", batch.source, change)


class _DryRun(Exception):
    """Takes back what a dry run has done."""


async def run_batch(batch: ImportBatch, work: Work) -> RowResults:
    """Decides and writes a batch in one transaction, again where another was first with an id, and logs it."""
    for _ in range(database.ATTEMPTS_MAX - 1):
        try:
            return await _try(batch, work)
        except asyncpg.UniqueViolationError:
            continue
    return await _try(batch, work)


@database.retry_on_conflict
async def _try(batch: ImportBatch, work: Work) -> RowResults:
    outcomes: RowResults = []
    try:
        async with database.transaction() as connection:
            # A plan made while a table was small would be kept until it is analyzed, however it grows.
            await database.execute(connection, "SET LOCAL plan_cache_mode = force_custom_plan")
            outcomes, records = await work(connection)
            if batch.is_dry_run:
                raise _DryRun
            await audit_log.write_records(connection, batch.operator, records, batch.clock())
    except _DryRun:
        pass
    return outcomes
