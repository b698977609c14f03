"""The import of vouchers with the provider's ids."""

import datetime as dt
from collections.abc import Mapping, Sequence, Set
from typing import NamedTuple

from renewals.accounts import repository as accounts_repository
from renewals.accounts import vouchers
from renewals.db import connection as database
from renewals.db.connection import Connection
from renewals.domain import model, registration_report, validation
from renewals.domain.messages import Message
from renewals.imports import batches
from renewals.imports.batches import (
    UNKNOWN_ACCOUNT,
    FieldError,
    ImportBatch,
    RowOutcome,
    RowResult,
    RowResults,
    WrittenBatch,
)
from renewals.operators.audit_log import Action, AuditedChange

_OTHER_VOUCHER = Message("is the id of a voucher with another account, face value, expiry or products")


class ImportedVoucher(NamedTuple):
    """A voucher of an account; its id is the provider's UUID, or a UUID that is derived from the provider's id."""

    account_id: str
    issue: vouchers.NewVoucher


class _VouchersState(NamedTuple):
    """The accounts, vouchers and products against which a batch is checked."""

    accounts: Mapping[str, model.Account]
    vouchers: Mapping[object, tuple[object, ...]]
    product_codes: Set[str]


async def import_vouchers(batch: ImportBatch, rows: Sequence[ImportedVoucher]) -> RowResults:
    """Issue the vouchers that do not exist yet, and return the result of each row. Ids must be unique in the batch."""

    async def work(connection: Connection) -> WrittenBatch:
        locked = await accounts_repository.lock_accounts(connection, {row.account_id for row in rows})
        now = batch.clock()
        state = await _read(connection, locked, rows)
        results = [_decide(row, state, now) for row in rows]
        issued = [row for row, result in zip(rows, results, strict=True) if result is RowOutcome.CREATED]
        await vouchers.issue_to_accounts(connection, locked, issued, now)
        change = AuditedChange(
            {"issued_count": len(issued)}, sorted({row.account_id for row in issued}), after=issued
        )
        return results, [batches.build_batch_record(batch, Action.ISSUE_VOUCHERS, change)] if issued else []

    return await batches.run_batch(batch, work)


async def _read(
    connection: Connection, accounts: Mapping[str, model.Account], rows: Sequence[ImportedVoucher]
) -> _VouchersState:
    voucher_rows = await database.fetch(
        connection,
        "SELECT id, account_id, face_cents, expires_at, product_codes FROM vouchers WHERE id = ANY($1)",
        [row.issue.voucher_id for row in rows],
    )
    product_rows = await database.fetch(connection, "SELECT code FROM products")
    return _VouchersState(
        accounts,
        {row[0]: (row[1], row[2], row[3], set(row[4])) for row in map(tuple, voucher_rows)},
        {row["code"] for row in product_rows},
    )


def _decide(row: ImportedVoucher, state: _VouchersState, now: dt.datetime) -> RowResult:
    issue = row.issue
    account = state.accounts.get(row.account_id)
    if account is None:
        return UNKNOWN_ACCOUNT
    if issue.voucher_id in state.vouchers:
        imported = (row.account_id, issue.face_cents, issue.expires_at, set(issue.product_codes))
        is_same = state.vouchers[issue.voucher_id] == imported
        return RowOutcome.UNCHANGED if is_same else FieldError("id", _OTHER_VOUCHER)
    if problem := validation.amount(issue.face_cents):
        return FieldError("faceValue", problem)
    if problem := validation.check_future(issue.expires_at, account.instant(now)):
        return FieldError("expiresAt", problem)
    if unknown_codes := sorted(set(issue.product_codes) - state.product_codes):
        return FieldError("products", registration_report.unknown_product(unknown_codes[0]))
    return RowOutcome.CREATED
