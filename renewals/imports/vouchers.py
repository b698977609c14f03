"""Import vouchers that have the provider's ids."""

from collections.abc import Sequence
from typing import NamedTuple

from renewals.accounts import repository as accounts_repository
from renewals.accounts import vouchers
from renewals.db import connection as database
from renewals.db.connection import Connection
from renewals.domain import validation
from renewals.imports.batches import NO_ACCOUNT, Batch, Done, Fate, Outcome, Outcomes, Problem, do, record
from renewals.operators.audit_log import Action, Deed


class VoucherRow(NamedTuple):
    """A voucher with an id of the provider's, for an account."""

    account_id: str
    issue: vouchers.Issue


async def put_vouchers(batch: Batch, rows: Sequence[VoucherRow]) -> Outcomes:
    """Issues vouchers that are not there yet; no id may be there twice."""

    async def work(connection: Connection) -> Done:
        locked = await accounts_repository.lock(connection, {row.account_id for row in rows})
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
