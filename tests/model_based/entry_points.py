"""The entry points of the tested code, with the model's inputs and results."""

import datetime as dt
import os
import urllib.parse
import uuid
from collections.abc import AsyncIterator, Awaitable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from renewals import catalog
from renewals.accounts import ledger, vouchers
from renewals.accounts import repository as accounts_repository
from renewals.auto_renewal import chunks, renew, runs
from renewals.db import connection as database
from renewals.domain import (
    errors,
    model,
    planning,
    pricing,
    registration,
    registration_report,
    stored_messages,
)
from renewals.instances import lifecycle, policy, selection
from renewals.instances import repository as instances_repository
from renewals.operators import audit_log, refunds
from renewals.orders import place_order, requests
from tests.conftest import postgres_major
from tests.model_based.records import (
    PRODUCTS,
    Account,
    Instance,
    PaidLine,
    RefundRequest,
    Request,
    Values,
    Voucher,
)
from tests.support import databases
from tests.support.fixtures import DATA_CENTER_TYPES, DATA_CENTERS, NOW


@asynccontextmanager
async def new_database() -> AsyncIterator[None]:
    """Create a database with the model's catalog and open it for the duration of the block."""
    server, name = os.environ["TEST_POSTGRES_URL"], f"renewals_stateful_{uuid.uuid4().hex[:12]}"
    connection = await asyncpg.connect(server)
    try:
        template = os.environ["TEST_TEMPLATE_DATABASE"]
        await connection.execute(databases.copy_statement(name, template, postgres_major()))
        async with database.connect(urllib.parse.urlsplit(server)._replace(path=f"/{name}").geturl()):
            await _put_catalogue()
            yield
        await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    finally:
        await connection.close()


async def _put_catalogue() -> None:
    entries = [
        catalog.ProductRecord(
            code,
            code,
            code,
            None if product.renewable else "Not needed.",
            None,
            product.max_term_months,
            product.retention_days,
            tuple(pricing.DiscountTier(months, 100 * off) for months, off in product.percent_off.items()),
        )
        for code, product in PRODUCTS.items()
    ]
    async with database.transaction() as connection:
        await catalog.upsert_products(connection, entries)
        await catalog.upsert_data_center_types(connection, DATA_CENTER_TYPES)
        await catalog.upsert_data_centers(connection, DATA_CENTERS)


async def open_account(account_id: str, account: Account) -> None:
    async with database.transaction() as connection:
        await accounts_repository.open_account(
            connection,
            account_id=account_id,
            name=account_id,
            zone=account.zone,
            now=NOW,
            lead_days=account.lead_days or None,  # None is the default of the setting, which is 0
            auto_renew_from=account.auto_renew_from,
        )


async def top_up(account_id: str, cents: int, now: dt.datetime) -> None:
    async with database.transaction() as connection:
        await ledger.top_up(connection, account_id, cents, memo="", now=now)


async def issue(voucher: Voucher, now: dt.datetime) -> None:
    async with database.transaction() as connection:
        await vouchers.issue_voucher(
            connection,
            voucher.account,
            voucher.available,
            expires_at=voucher.expires_at,
            now=now,
            product_codes=sorted(voucher.products),
            voucher_id=voucher.id,
        )


async def register(instances: Iterable[Instance], now: dt.datetime) -> None:
    rows = [
        registration_report.ReportedInstance(
            id=i.id,
            name=i.id,
            product_code=i.product,
            data_center_code=DATA_CENTERS[0].code,
            monthly_price_cents=i.price,
            created_at=now,
            last_day=i.last_day,
            anchor_day=i.anchor,
            billing_mode=model.BillingMode(i.billing),
            is_trial=i.trial,
            renewal_mode=model.RenewalMode(i.mode),
            auto_renew_months=i.months,
            bundle_id=i.bundle,
        )
        for i in instances
    ]
    [account_id] = {i.account for i in instances}
    bundles = {i.bundle: i.bundle for i in instances if i.bundle}
    async with database.transaction() as connection:
        account = (await accounts_repository.lock_accounts(connection, [account_id]))[account_id]
        registration.raise_if_refused(
            await instances_repository.register(connection, account, rows, bundles, now)
        )


async def set_policy(request: Request, now: dt.datetime) -> Values:
    _, mode, months = request.wish
    asked = policy.PolicyRequest(
        selection.ById(request.ids),
        model.RenewalMode(mode),
        months,
        model.BundleHandling(request.bundles),
        model.BatchMode(request.batch),
    )
    outcome = await policy.set_policy(request.account, asked, lambda: now)
    return set(outcome.changed_ids), set(outcome.unchanged_ids), codes(outcome.refusals)


async def quote(request: Request, now: dt.datetime) -> Values:
    """Return the lines, the refusals and the payment."""
    asked = requests.QuoteRequest(
        selection.ById(request.ids), _extension(request), model.BundleHandling(request.bundles)
    )
    plan = await place_order.quote(request.account, asked, now)
    lines = [
        (
            line.instance.id,
            line.expires_at,
            line.anchor_day,
            line.months,
            line.days,
            line.price.list_cents,
            line.price.price_cents,
        )
        for line in plan.lines
    ]
    uses = {uuid.UUID(use.voucher_id): use.amount_cents for use in plan.payment.uses}
    return lines, codes(plan.refusals), (uses, plan.payment.balance_cents, plan.payment.shortfall_cents)


async def place(request: Request, now: dt.datetime) -> tuple[uuid.UUID, Values]:
    """Return the order's id, and the result in the model's terms."""
    asked = requests.OrderRequest(
        selection.ById(request.ids),
        _extension(request),
        model.BundleHandling(request.bundles),
        model.BatchMode(request.batch),
        request.expected,
        request.key,
    )
    placed = await place_order.place_order(request.account, asked, lambda: now)
    return placed.order_id, (placed.instance_ids, codes(placed.refusals))


async def refund(
    request: RefundRequest, line: PaidLine | None, start: dt.datetime, now: dt.datetime
) -> Values:
    """Refund the order that has `line`, which starts at `start`; return the refusals."""
    sql = "SELECT order_id FROM order_lines WHERE instance_id = $1 AND starts_at = $2 AND refund_count = $3"
    order_id = uuid.UUID(int=0)
    if line is not None:
        [[order_id]] = await database.fetch(
            database.pool(), sql, line.instance.id, start, line.refunds_before
        )
    call = audit_log.OperatorRequest(audit_log.Operator(None, "ops"), request.key, lambda: now)
    told = await refunds.refund_order(call, refunds.RefundRequest(str(order_id), request.ids, "why"))
    refusals: Any = told.answer["refusals"]
    return ({each["id"]: _why(str(stored_messages.from_json(each["message"]))) for each in refusals},)


WHY = {
    "bundle is": "BUNDLE",
    "no line": "NO_LINE",
    "already refunded": "REFUNDED",
    "begun": "BEGUN",
    "renewed again": "RENEWED_SINCE",
}


def _why(message: str) -> str:
    """Return the model's code for the reason why a line is not refundable."""
    return next(code for words, code in WHY.items() if words in message)


async def run(now: dt.datetime) -> tuple[int, int, int]:
    done = await renew.run_at(now, lambda: now)
    assert done.ended_at == now and not done.skipped_count
    return done.renewed_count, done.refused_count, done.amount_cents


async def run_hourly(now: dt.datetime) -> bool:
    """Run the latest hourly run with each chunk done twice; return False if that run existed before."""
    run_id = await runs.start_scheduled_run(now)
    pending = await chunks.list_pending_chunks()
    for chunk in [*pending, *pending]:
        await renew.renew_chunk(chunk, lambda: now)
    await runs.close_finished(now)
    assert not await chunks.list_pending_chunks()
    return run_id is not None


async def lapse(now: dt.datetime) -> None:
    await lifecycle.expire_and_release(now)


async def answer(doing: Awaitable[object]) -> object:
    """Return the result, or the refusal in the model's terms."""
    try:
        return await doing
    except errors.DomainError as refused:
        match refused:
            case errors.InvalidInputError(field):
                return "InvalidInput", field
            case errors.NotRenewableError(refusals):
                return "NotRenewable", codes(refusals)
            case errors.NotFoundError(field):
                return "NotFound", field
            case errors.NotRefundableError(rows):
                return "NotRefundable", {row.id: _why(str(row.message)) for row in rows}
            case errors.PriceChangedError(expected, total):
                return "PriceChanged", expected, total
            case errors.InsufficientFundsError(required, available):
                return "InsufficientFunds", required, available
        return (type(refused).__name__.removesuffix("Error"),)


def codes(refusals: Iterable[errors.Refusal]) -> Mapping[str, str]:
    """Return the code of each refused instance. Each is refused once, and an incomplete bundle names its members."""
    listed = {refusal.instance_id: refusal.code.value for refusal in refusals}
    assert len(listed) == len(list(refusals))
    for refusal in refusals:
        if refusal.code is errors.RefusalCode.BUNDLE_INCOMPLETE:
            assert refusal.instance_id in refusal.bundle_instance_ids
            assert len(refusal.bundle_instance_ids) > 1
    return listed


def _extension(request: Request) -> planning.RenewFor | planning.UnifyToDate | planning.UnifyToDayOfMonth:
    kind, asked = request.wish
    match kind:
        case "renew":
            return planning.RenewFor(asked)
        case "date":
            return planning.UnifyToDate(asked)
    return planning.UnifyToDayOfMonth(asked)
