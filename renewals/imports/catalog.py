"""Import products and data centers."""

from collections.abc import Iterator, Sequence

from renewals import catalog
from renewals.db.connection import Connection
from renewals.imports import batches
from renewals.imports.batches import FieldError, ImportBatch, RowOutcome, RowResults, WrittenBatch
from renewals.operators import catalog as operators_catalog
from renewals.operators.audit_log import Action, AuditedChange

CatalogRecord = catalog.ProductRecord | catalog.DataCenterRecord


async def import_catalog(batch: ImportBatch, rows: Sequence[CatalogRecord]) -> RowResults:
    """Create and update products and data centers. Codes must be unique among each of the two."""

    async def work(connection: Connection) -> WrittenBatch:
        problems = [_find_problem(row) for row in rows]
        valid_rows = [row for row, problem in zip(rows, problems, strict=True) if problem is None]
        products = [row for row in valid_rows if isinstance(row, catalog.ProductRecord)]
        centers = [row for row in valid_rows if isinstance(row, catalog.DataCenterRecord)]
        changes: dict[type, AuditedChange] = {
            catalog.ProductRecord: await operators_catalog.put_entries_in(
                connection, operators_catalog.PRODUCTS, products
            ),
            catalog.DataCenterRecord: await operators_catalog.put_entries_in(
                connection, operators_catalog.DATA_CENTERS, centers
            ),
        }
        actions = (Action.PUT_PRODUCTS, Action.PUT_DATA_CENTERS)
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


def _find_problem(row: CatalogRecord) -> FieldError | None:
    problems: Iterator[tuple[str, str | None]] = (
        operators_catalog.validate_product(row)
        if isinstance(row, catalog.ProductRecord)
        else operators_catalog.validate_data_center(row)
    )
    return next(
        (FieldError(field.partition(".")[0], problem) for field, problem in problems if problem), None
    )


def _outcome(code: str, change: AuditedChange) -> RowOutcome:
    assert isinstance(change.before, dict) and isinstance(change.after, dict)
    if code in change.before:
        return RowOutcome.CHANGED
    return RowOutcome.CREATED if code in change.after else RowOutcome.UNCHANGED
