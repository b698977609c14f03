"""Import products and data centers."""

from collections.abc import Iterator, Sequence

from renewals import catalog
from renewals.db.connection import Connection
from renewals.imports.batches import Batch, Done, Fate, Outcomes, Problem, do, record
from renewals.operators import catalog as operators_catalog
from renewals.operators.audit_log import Action, Deed

CatalogueRow = catalog.ProductEntry | catalog.DataCenterEntry


async def put_catalogue(batch: Batch, rows: Sequence[CatalogueRow]) -> Outcomes:
    """Adds products and data centres, and changes those that are there; no code may be there twice in a list."""

    async def work(connection: Connection) -> Done:
        problems = [_first_problem(row) for row in rows]
        sound = [row for row, problem in zip(rows, problems, strict=True) if problem is None]
        products = [row for row in sound if isinstance(row, catalog.ProductEntry)]
        centers = [row for row in sound if isinstance(row, catalog.DataCenterEntry)]
        deeds: dict[type, Deed] = {
            catalog.ProductEntry: await operators_catalog.put(
                connection, operators_catalog.PRODUCTS, products
            ),
            catalog.DataCenterEntry: await operators_catalog.put(
                connection, operators_catalog.DATA_CENTERS, centers
            ),
        }
        actions = (Action.PUT_PRODUCTS, Action.PUT_DATA_CENTERS)
        records = [
            record(batch, action, deed)
            for action, deed in zip(actions, deeds.values(), strict=True)
            if deed.after
        ]
        return [
            problem or _fate(row.code, deeds[type(row)]) for row, problem in zip(rows, problems, strict=True)
        ], records

    return await do(batch, work)


def _first_problem(row: CatalogueRow) -> Problem | None:
    found: Iterator[tuple[str, str | None]] = (
        operators_catalog.product_problems(row)
        if isinstance(row, catalog.ProductEntry)
        else operators_catalog.data_center_problems(row)
    )
    return next((Problem(field.partition(".")[0], problem) for field, problem in found if problem), None)


def _fate(code: str, deed: Deed) -> Fate:
    assert isinstance(deed.before, dict) and isinstance(deed.after, dict)
    if code in deed.before:
        return Fate.CHANGED
    return Fate.CREATED if code in deed.after else Fate.UNCHANGED
