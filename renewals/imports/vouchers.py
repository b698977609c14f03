"""Import vouchers that have the provider's ids."""

from collections.abc import Sequence
from typing import NamedTuple

from renewals.accounts import repository as accounts_repository
from renewals.accounts import vouchers
from renewals.db import connection as database
from renewals.db.connection import Connection
from renewals.domain import validation
from renewals.imports import batches
from renewals.imports.batches import (
    NO_ACCOUNT,
    Done,
    FieldError,
    ImportBatch,
    RowOutcome,
    RowResult,
    RowResults,
)
from renewals.operators.audit_log import Action, AuditedChange


class ImportedVoucher(NamedTuple):
    """A voucher with an id of the provider's, for an account."""

    account_id: str
    issue: vouchers.NewVoucher


async def import_vouchers(batch: ImportBatch, rows: Sequence[ImportedVoucher]) -> RowResults:
    """Issues vouchers that are not there yet; no id may be there twice."""

    async def work(connection: Connection) -> Done:
        locked = await accounts_repository.lock_accounts(connection, {row.account_id for row in rows})
        now = batch.clock()
        found = await database.fetch(
            connection,
            "SELECT id, account_id, face_cents, expires_at, product_codes FROM vouchers WHERE id = ANY($1)",
            [row.issue.voucher_id for row in rows],
        )
        known = {row[0]: (row[1], row[2], row[3], set(row[4])) for row in map(tuple, found)}
        codes = {row["code"] for row in await database.fetch(connection, "SELECT code FROM products")}

        def judge(row: ImportedVoucher) -> RowResult:
            issue = row.issue
            if row.account_id not in locked:
                return NO_ACCOUNT
            if issue.voucher_id in known:
                said = (row.account_id, issue.face_cents, issue.expires_at, set(issue.product_codes))
                is_same = known[issue.voucher_id] == said
                return RowOutcome.UNCHANGED if is_same else FieldError("id", "is the id of another voucher")
            if problem := validation.amount(issue.face_cents):
                return FieldError("faceValue", problem)
            if problem := validation.check_future(issue.expires_at, now):
                return FieldError("expiresAt", problem)
            if unknown := sorted(set(issue.product_codes) - codes):
                return FieldError("products", f"there is no product of the code {unknown[0]!r}")
            return RowOutcome.CREATED

        outcomes = [judge(row) for row in rows]
        issued = [row for row, outcome in zip(rows, outcomes, strict=True) if outcome is RowOutcome.CREATED]
        await vouchers.issue_to_accounts(connection, locked, issued, now)
        change = AuditedChange(
            {"issued_count": len(issued)}, sorted({row.account_id for row in issued}), after=issued
        )
        return outcomes, [batches.build_batch_record(batch, Action.ISSUE_VOUCHERS, change)] if issued else []

    return await batches.run_batch(batch, work)
