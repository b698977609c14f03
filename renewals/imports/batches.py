"""One batch of an import: each row is accepted or refused, and one transaction writes the accepted rows.

The rules are those of the operator API. The audit log gets entries for each batch that changed something and
was not a dry run.
"""

import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from renewals.db import connection as database
from renewals.db.connection import Connection
from renewals.domain.clock import Clock
from renewals.domain.messages import Message
from renewals.operators import audit_log
from renewals.operators.audit_log import Action, AuditedChange


class RowOutcome(StrEnum):
    """The effect of a valid row."""

    CREATED = "CREATED"
    CHANGED = "CHANGED"
    UNCHANGED = "UNCHANGED"


class FieldError(NamedTuple):
    """The reason why a row is refused: the column, and what is wrong with its value."""

    field: str
    message: Message


RowResult = RowOutcome | FieldError


@dataclass(frozen=True, slots=True)
class ImportBatch:
    """The operator, the origin and the clock of a batch; a dry run is rolled back."""

    operator: audit_log.Operator
    source: Mapping[str, object]
    """The file, and the first and the last line of the batch; `build_batch_record` stores them as the request."""
    clock: Clock
    is_dry_run: bool = False


RowResults = list[RowResult]
WrittenBatch = tuple[RowResults, list[audit_log.AuditRecord]]
"""The result of each row, and the entries for the audit log."""
Work = Callable[[Connection], Awaitable[WrittenBatch]]


UNKNOWN_ACCOUNT = FieldError("accountId", Message("there is no such account"))


def build_batch_record(batch: ImportBatch, action: Action, change: AuditedChange) -> audit_log.AuditRecord:
    """Return the audit log entry for the changes of a batch."""
    return audit_log.build_record(action, f"import-{uuid.uuid4()}", batch.source, change)


class _DryRunError(Exception):
    """The error that rolls back a dry run."""


@database.retry_on_unique_violation
@database.retry_on_conflict
async def run_batch(batch: ImportBatch, work: Work) -> RowResults:
    """Write a batch and its audit log entries in one transaction, or roll a dry run back; return each row's result.

    `work` accepts or refuses each row, and writes the accepted rows. The transaction is repeated after a conflict with
    another transaction, for example if both insert the same id.
    """
    results: RowResults = []
    try:
        async with database.transaction() as connection:
            # Otherwise, PostgreSQL would keep a generic plan, made for a small table, until the table is analyzed.
            await database.execute(connection, "SET LOCAL plan_cache_mode = force_custom_plan")
            results, records = await work(connection)
            if batch.is_dry_run:
                raise _DryRunError
            await audit_log.write_records(connection, batch.operator, records, batch.clock())
    except _DryRunError:
        pass
    return results
