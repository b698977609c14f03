"""Rows of a source that each are decided alone, so many in one transaction.

By the rules of the operators' calls, and logged as those: an entry for what one batch did, none where it did nothing.
"""

import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import asyncpg

from renewals import catalog
from renewals.accounts import ledger, vouchers
from renewals.db import connection as database
from renewals.db.connection import Connection
from renewals.domain import registration_report, validation
from renewals.domain.clock import Clock
from renewals.operators import audit_log, instances
from renewals.operators import catalog as operators_catalog
from renewals.operators.audit_log import Action, Deed


class Fate(StrEnum):
    """What became of a row."""

    CREATED = "CREATED"
    CHANGED = "CHANGED"
    UNCHANGED = "UNCHANGED"


class Problem(NamedTuple):
    """Why a row is refused: its field, and what is wrong with it."""

    field: str
    message: str


Outcome = Fate | Problem


@dataclass(frozen=True, slots=True)
class Batch:
    """For whom, from where and by which clock rows are taken in; of a dry one nothing stays."""

    operator: audit_log.Operator
    source: Mapping[str, object]
    """What the log says instead of the rows, which it has as what was done."""
    clock: Clock
    is_dry: bool = False


class InstanceRow(NamedTuple):
    """An instance of an account, and the name of its bundle where that is said."""

    account_id: str
    reported: registration_report.Registration
    bundle_name: str | None = None


class VoucherRow(NamedTuple):
    """A voucher with an id of the provider's, for an account."""

    account_id: str
    issue: vouchers.Issue


CatalogueRow = catalog.ProductEntry | catalog.DataCenterEntry
Outcomes = list[Outcome]
Done = tuple[Outcomes, list[audit_log.Record]]
Work = Callable[[Connection], Awaitable[Done]]


async def put_instances(batch: Batch, rows: Sequence[InstanceRow]) -> Outcomes:
    """Adds and changes instances of any accounts; no id may be there twice, and bundles must be whole."""

    async def work(connection: Connection) -> Done:
        locked = await ledger.lock(connection, {row.account_id for row in rows})
        parts: dict[str, list[InstanceRow]] = {account_id: [] for account_id in locked}
        for row in rows:
            if row.account_id in locked:
                parts[row.account_id].append(row)
        given = [instances.Report(account_id, *_reported(part)) for account_id, part in parts.items()]
        now = batch.clock()
        found = await instances.put(connection, locked, given, now, is_part=True) if given else []
        outcomes: dict[str, Outcome] = {}
        for each in found:
            outcomes |= {row.id: Fate.CREATED for row in each.created}
            outcomes |= {row.id: Fate.CHANGED for row, _ in each.changed}
            outcomes |= {
                refusal.id: Problem(refusal.field, refusal.message)
                for refusal in each.refusals
                if not refusal.field.startswith("bundles.")  # its instances are refused as well
            }
        deed = instances.deed_of(locked, found, now)
        records = [record(batch, Action.REGISTER_INSTANCES, deed)] if deed.after else []
        return [
            outcomes.get(row.reported.id, Fate.UNCHANGED) if row.account_id in locked else NO_ACCOUNT
            for row in rows
        ], records

    return await do(batch, work)


NO_ACCOUNT = Problem("accountId", "there is no such account")


def _reported(
    part: Sequence[InstanceRow],
) -> tuple[list[registration_report.Registration], list[tuple[str, str]]]:
    names = {
        row.reported.bundle_id: row.bundle_name
        for row in part
        if row.reported.bundle_id is not None and row.bundle_name is not None
    }
    return [row.reported for row in part], list(names.items())


async def put_vouchers(batch: Batch, rows: Sequence[VoucherRow]) -> Outcomes:
    """Issues vouchers that are not there yet; no id may be there twice."""

    async def work(connection: Connection) -> Done:
        locked = await ledger.lock(connection, {row.account_id for row in rows})
        now = batch.clock()
        found = await database.fetch(
            connection,
            "SELECT id, account_id, face_cents, expires_at, product_codes FROM vouchers WHERE id = ANY($1)",
            [row.issue.voucher_id for row in rows],
        )
        known = {row[0]: (row[1], row[2], row[3], set(row[4])) for row in map(tuple, found)}
        codes = {row["code"] for row in await database.fetch(connection, "SELECT code FROM products")}

        def judge(row: VoucherRow) -> Outcome:
            issue = row.issue
            if row.account_id not in locked:
                return NO_ACCOUNT
            if issue.voucher_id in known:
                said = (row.account_id, issue.face_cents, issue.expires_at, set(issue.product_codes))
                is_same = known[issue.voucher_id] == said
                return Fate.UNCHANGED if is_same else Problem("id", "is the id of another voucher")
            if problem := validation.amount(issue.face_cents):
                return Problem("faceValue", problem)
            if problem := validation.later(issue.expires_at, now):
                return Problem("expiresAt", problem)
            if unknown := sorted(set(issue.product_codes) - codes):
                return Problem("products", f"there is no product of the code {unknown[0]!r}")
            return Fate.CREATED

        outcomes = [judge(row) for row in rows]
        issued = [row for row, outcome in zip(rows, outcomes, strict=True) if outcome is Fate.CREATED]
        await vouchers.issue_each(connection, locked, issued, now)
        deed = Deed({"issued_count": len(issued)}, sorted({row.account_id for row in issued}), after=issued)
        return outcomes, [record(batch, Action.ISSUE_VOUCHERS, deed)] if issued else []

    return await do(batch, work)


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


def record(batch: Batch, action: Action, deed: Deed) -> audit_log.Record:
    """What the batch did, as the log keeps it."""
    return audit_log.record(action, f"import-{uuid.uuid4()}", batch.source, deed)


class _DryRun(Exception):
    """Takes back what a dry run has done."""


async def do(batch: Batch, work: Work) -> Outcomes:
    """Decides and writes a batch in one transaction, again where another was first with an id, and logs it."""
    for _ in range(database.TRIES_MAX - 1):
        try:
            return await _try(batch, work)
        except asyncpg.UniqueViolationError:
            continue
    return await _try(batch, work)


@database.retried
async def _try(batch: Batch, work: Work) -> Outcomes:
    outcomes: Outcomes = []
    try:
        async with database.transaction() as connection:
            # A plan made while a table was small would be kept until it is analyzed, however it grows.
            await database.execute(connection, "SET LOCAL plan_cache_mode = force_custom_plan")
            outcomes, records = await work(connection)
            if batch.is_dry:
                raise _DryRun
            await audit_log.write(connection, batch.operator, records, batch.clock())
    except _DryRun:
        pass
    return outcomes
