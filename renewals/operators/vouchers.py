"""The issue of vouchers to an account."""

from collections.abc import Sequence

from renewals.accounts import vouchers
from renewals.accounts.vouchers import NewVoucher
from renewals.db import models
from renewals.db.connection import Connection
from renewals.domain import errors, registration_report, validation
from renewals.operators import accounts, audit_log
from renewals.operators import validation as operators_validation
from renewals.operators.audit_log import Action, AuditedChange, IdempotentResult, OperatorRequest


async def issue_vouchers(
    call: OperatorRequest, account_id: str, new_vouchers: Sequence[NewVoucher]
) -> IdempotentResult:
    """Issue all vouchers, or none if one is invalid; return the `account_id`, and the `voucher_ids` in order.

    Raises InvalidInputError and NotFoundError.
    """
    operators_validation.require_rows("vouchers", new_vouchers)
    for number, voucher in enumerate(new_vouchers):
        validation.raise_if_invalid(f"vouchers.{number}.faceValue", validation.amount(voucher.face_cents))
    # Codes are sorted and deduplicated, so that requests that differ only in order or repetition of codes are equal.
    normalized = [
        voucher._replace(product_codes=sorted(set(voucher.product_codes))) for voucher in new_vouchers
    ]
    request = {"account_id": account_id, "vouchers": normalized}
    return await audit_log.run_once(
        call, Action.ISSUE_VOUCHERS, request, _issue_vouchers_in, account_id, new_vouchers
    )


async def _issue_vouchers_in(
    connection: Connection, call: OperatorRequest, account_id: str, new_vouchers: Sequence[NewVoucher]
) -> AuditedChange:
    account = await accounts.lock_account(connection, account_id)
    now = account.instant(call.clock())
    product_codes = set(await models.Product.all().using_db(connection).values_list("code", flat=True))
    for number, voucher in enumerate(new_vouchers):
        validation.raise_if_invalid(
            f"vouchers.{number}.expiresAt", validation.check_future(voucher.expires_at, now)
        )
        if unknown_codes := sorted(set(voucher.product_codes) - product_codes):
            reason = registration_report.unknown_product(unknown_codes[0])
            raise errors.NotFoundError(f"input.vouchers.{number}.products", reason)
    voucher_ids = await vouchers.issue_vouchers(connection, account_id, new_vouchers, now)
    return AuditedChange(
        {"account_id": account_id, "voucher_ids": voucher_ids},
        [account_id],
        after=[
            voucher._replace(voucher_id=voucher_id)
            for voucher_id, voucher in zip(voucher_ids, new_vouchers, strict=True)
        ],
    )
