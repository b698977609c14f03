"""The import of products, data centers and data center types."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from renewals import catalog
from renewals.db.connection import Connection
from renewals.domain.messages import Message
from renewals.imports import batches
from renewals.imports.batches import FieldError, ImportBatch, RowOutcome, RowResults, WrittenBatch
from renewals.operators import catalog as operators_catalog
from renewals.operators.audit_log import Action, AuditedChange

CatalogRecord = catalog.ProductRecord | catalog.DataCenterTypeRecord | catalog.DataCenterRecord

Record = TypeVar("Record", catalog.ProductRecord, catalog.DataCenterTypeRecord, catalog.DataCenterRecord)


async def import_catalog(batch: ImportBatch, rows: Sequence[CatalogRecord]) -> RowResults:
    """Create and update products, data centers and data center types, and return the result of each row.

    Each code must be unique among the rows of its kind. The type of a data center must be in the same batch or already
    in the catalog.
    """

    async def work(connection: Connection) -> WrittenBatch:
        problems = [_find_problem(row) for row in rows]
        changes: dict[type, AuditedChange] = {
            catalog.ProductRecord: await operators_catalog.put_entries_in(
                connection, operators_catalog.PRODUCTS, _valid_rows(catalog.ProductRecord, rows, problems)
            ),
            catalog.DataCenterTypeRecord: await operators_catalog.put_entries_in(
                connection,
                operators_catalog.DATA_CENTER_TYPES,
                _valid_rows(catalog.DataCenterTypeRecord, rows, problems),
            ),
        }
        centers = _valid_rows(catalog.DataCenterRecord, rows, problems)
        unknown = await operators_catalog.find_unknown_types_in(connection, centers)
        problems = [
            problem or _find_unknown_type(row, unknown) for row, problem in zip(rows, problems, strict=True)
        ]
        changes[catalog.DataCenterRecord] = await operators_catalog.put_entries_in(
            connection, operators_catalog.DATA_CENTERS, [row for row in centers if row.type not in unknown]
        )
        actions = (Action.PUT_PRODUCTS, Action.PUT_DATA_CENTER_TYPES, Action.PUT_DATA_CENTERS)
        records = [
            batches.build_batch_record(batch, action, change)
            for action, change in zip(actions, changes.values(), strict=True)
            if change.after
        ]
        return [
            problem or _outcome(row.code, changes[type(row)])
            for row, problem in zip(rows, problems, strict=True)
        ], records

    return await batches.run_batch(batch, work)


def _valid_rows(
    kind: type[Record], rows: Sequence[CatalogRecord], problems: Sequence[FieldError | None]
) -> list[Record]:
    """Return the rows of a kind that have no problem."""
    return [
        row for row, problem in zip(rows, problems, strict=True) if problem is None and isinstance(row, kind)
    ]


def _find_unknown_type(row: CatalogRecord, unknown: Mapping[str, Message]) -> FieldError | None:
    if isinstance(row, catalog.DataCenterRecord) and row.type in unknown:
        return FieldError("type", unknown[row.type])
    return None


def _find_problem(row: CatalogRecord) -> FieldError | None:
    problems: Iterator[tuple[str, Message | None]]
    match row:
        case catalog.ProductRecord():
            problems = operators_catalog.validate_product(row)
        case catalog.DataCenterTypeRecord():
            problems = operators_catalog.validate_data_center_type(row)
        case catalog.DataCenterRecord():
            problems = operators_catalog.validate_data_center(row)
    return next(
        (FieldError(field.partition(".")[0], problem) for field, problem in problems if problem), None
    )


def _outcome(code: str, change: AuditedChange) -> RowOutcome:
    assert isinstance(change.before, dict) and isinstance(change.after, dict)
    if code in change.before:
        return RowOutcome.CHANGED
    return RowOutcome.CREATED if code in change.after else RowOutcome.UNCHANGED
