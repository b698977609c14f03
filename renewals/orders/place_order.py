"""Quotes and orders of renewals and unified expiries; both are planned in the same way, but only orders are stored."""

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from renewals import catalog
from renewals.accounts import repository as accounts_repository
from renewals.accounts import vouchers
from renewals.compute import process_pool
from renewals.compute.packed import Packed
from renewals.db import connection as database
from renewals.db import pool, statements
from renewals.domain import errors, model, planning
from renewals.domain import payment as domain_payment
from renewals.domain.clock import Clock
from renewals.domain.messages import Message
from renewals.i18n import catalogs
from renewals.instances import selection as instances_selection
from renewals.orders import queries as orders_queries
from renewals.orders import repository, requests
from renewals.orders.repository import NewOrder, OrderOrigin, PlacedOrder


@dataclass(frozen=True, slots=True)
class Quote:
    """The lines, refusals and payment of an order that is not placed; amounts are in cents."""

    lines: Sequence[planning.RenewalLine]
    refusals: Sequence[errors.Refusal]
    payment: domain_payment.Payment
    list_cents: int
    total_cents: int


async def quote(account_id: str, request: requests.QuoteRequest, now: dt.datetime) -> Quote:
    """Return the lines, refusals, price and payment of a request; write nothing."""
    requests.check_request(request)
    if instances_selection.is_large(request.selector) and process_pool.is_open():
        async with pool.computing():
            return await process_pool.run(account_id, quote_packed, account_id, request, now)
    return await _quote(account_id, request, now)


async def quote_packed(account_id: str, request: requests.QuoteRequest, now: dt.datetime) -> Quote:
    """Return a quote whose lists are unpacked on access, because a response shows few of possibly 10,000 lines."""
    result = await _quote(account_id, request, now)
    lines, refusals = Packed(result.lines), Packed(result.refusals)
    return dataclasses.replace(result, lines=lines, refusals=refusals)


async def _quote(account_id: str, request: requests.QuoteRequest, now: dt.datetime) -> Quote:
    async with database.read_snapshot() as connection:
        account = await accounts_repository.read_account(connection, account_id)
        read = await statements.fetch_together(connection, *_queries(account_id, request, now))
        plan = await _plan(connection, account, request, now, *read)
    return Quote(plan.lines, plan.refusals, plan.payment, plan.list_cents, plan.total_cents)


@database.retry_on_conflict
async def place_order(
    account_id: str,
    request: requests.OrderRequest,
    clock: Clock,
    actor: model.Actor = model.UNNAMED_CUSTOMER,
) -> PlacedOrder:
    """Renew instances or unify their expiries in one order, or raise DomainError and write nothing (rules 16 to 19).

    If the idempotency key was already used for the same request, return the order that was placed for it.
    """
    requests.check_request(request)
    request_hash = requests.fingerprint(request)
    async with accounts_repository.locked_account(account_id) as (connection, account):
        # The time is read after the lock, because a voucher can expire while this call waits for the account.
        now = account.instant(clock())
        earlier, *read = await statements.fetch_together(
            connection,
            repository.select_by_idempotency_key(account_id, request.idempotency_key, request_hash),
            *_queries(account_id, request, now),
        )
        if earlier:
            placed: PlacedOrder = earlier
            return placed
        plan = await _plan(connection, account, request, now, *read)
        _raise_refusals(plan, request)
        kind = _kind(request)
        order = _build_order(account, kind, plan)
        origin = OrderOrigin(kind, request.idempotency_key, request_hash, plan.refusals)
        is_small = len(plan.lines) <= instances_selection.INSTANCES_IN_PLACE_MAX
        rows = await repository.insert_orders(
            connection, {account_id: account}, [order], origin, now, actor, returns_instances=is_small
        )
    return _build_result(order, origin, account, rows, now)


def _build_order(account: model.Account, kind: model.OrderKind, plan: planning.Plan) -> NewOrder:
    """Return the order to store for a plan."""
    return NewOrder(
        id=database.new_id(),
        account_id=account.id,
        lines=plan.lines,
        payment=plan.payment,
        memo=catalogs.translate(_MEMOS[kind].fill(count=len(plan.lines)), account.language),
    )


def _build_result(
    order: NewOrder,
    origin: OrderOrigin,
    account: model.Account,
    rows: Sequence[database.Row],
    now: dt.datetime,
) -> PlacedOrder:
    """Return the result of a stored order, with the balance after its payment and the rows of its instances, if any."""
    sorted_lines = sorted((line.starts_at, line.instance.id) for line in order.lines)
    return PlacedOrder(
        order.id,
        tuple(instance_id for _, instance_id in sorted_lines),
        tuple(origin.refusals),
        orders_queries.build_row(order, origin.kind, now),
        dataclasses.replace(account, balance_cents=order.payment.balance_after_cents),
        rows,
    )


_MEMOS = {
    model.OrderKind.MANUAL_RENEWAL: Message("Instances renewed: {count}"),
    model.OrderKind.UNIFY_EXPIRY: Message("Expiries unified: {count}"),
}


def _queries(
    account_id: str, request: requests.QuoteRequest, now: dt.datetime
) -> tuple[statements.Query[Any], ...]:
    """Return the queries for the input of a plan: the instances, the products and the usable vouchers."""
    return (
        instances_selection.select_instances(account_id, request.selector, now),
        catalog.PRODUCTS,
        vouchers.select_usable([account_id], now),
    )


async def _plan(
    connection: database.Connection,
    account: model.Account,
    request: requests.QuoteRequest,
    now: dt.datetime,
    instances: Sequence[model.Instance],
    products: Mapping[str, model.Product],
    usable_vouchers: Mapping[str, Sequence[model.Voucher]],
) -> planning.Plan:
    selection = await instances_selection.complete_selection(
        connection, account.id, request.selector, instances, request.handling, now
    )
    return await instances_selection.plan_without_blocking(
        selection,
        planning.plan,
        selection=selection,
        handling=request.handling,
        extension=request.extension,
        context=planning.PlanContext(products, account.zone, now),
        balance_cents=account.balance_cents,
        vouchers=usable_vouchers[account.id],
    )


def _raise_refusals(plan: planning.Plan, request: requests.OrderRequest) -> None:
    """Raise the first error of the plan in the order of rule 19, if there is one."""
    refuses_all = request.batch_mode is model.BatchMode.ALL_OR_NOTHING or not plan.lines
    if plan.refusals and refuses_all:
        raise errors.NotRenewableError(plan.refusals)
    if not plan.lines:
        raise errors.InvalidInputError("input.selection.matching", Message("matches no instance"))
    expected = request.expected_total_cents
    if expected is not None and expected != plan.total_cents:
        raise errors.PriceChangedError(expected, plan.total_cents)
    if plan.payment.shortfall_cents:
        raise errors.InsufficientFundsError(plan.total_cents, plan.total_cents - plan.payment.shortfall_cents)


def _kind(request: requests.OrderRequest) -> model.OrderKind:
    is_renewal = isinstance(request.extension, planning.RenewFor)
    return model.OrderKind.MANUAL_RENEWAL if is_renewal else model.OrderKind.UNIFY_EXPIRY
