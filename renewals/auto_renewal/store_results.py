"""The storage of a run's results: orders, attempts and the events of new failures (rules 24 and 25)."""

import datetime as dt
import functools
import uuid
from collections.abc import Iterator, Mapping, Sequence

import orjson

from renewals.auto_renewal import attempts, due
from renewals.db import connection as database
from renewals.db.connection import Connection
from renewals.domain import model, planning, stored_messages
from renewals.domain import payment as domain_payment
from renewals.domain.messages import LIST_SEPARATOR, Message
from renewals.events import factories
from renewals.events.event_log import EventType, NewEvent, append_events
from renewals.i18n import catalogs
from renewals.orders import repository as orders_repository
from renewals.orders.repository import NewOrder, OrderOrigin


async def store_results_in(
    connection: Connection,
    run_id: int,
    accounts: Mapping[str, model.Account],
    results: Mapping[str, Sequence[planning.UnitResult]],
    now: dt.datetime,
) -> list[NewOrder]:
    """Insert the orders of paid units, the attempts of all instances and events of new failures; return the orders."""
    orders: list[NewOrder] = []
    attempt_rows: list[tuple[object, ...]] = []
    failures: list[NewEvent] = []
    for account_id, unit_results in results.items():
        for result in unit_results:
            order_id = None
            if result.payment is not None:
                order = _build_order(accounts[account_id], result, result.payment)
                orders.append(order)
                order_id = order.id
            attempt_rows += _attempt_rows(accounts[account_id], result, order_id)
            failures += _failure_events(accounts[account_id], result)
    await orders_repository.insert_orders(connection, accounts, orders, _ORIGIN, now, model.WORKER)
    # The failures are compared with earlier attempts, so the attempts of this run are inserted later.
    new_failures = await attempts.filter_new_failures_in(connection, failures)
    await append_events(connection, new_failures, now, model.WORKER)
    await attempts.insert_attempts_in(connection, run_id, now, attempt_rows)
    return orders


def _attempt_rows(
    account: model.Account, result: planning.UnitResult, order_id: uuid.UUID | None
) -> Iterator[tuple[object, ...]]:
    refusals = {
        refusal.instance_id: (refusal.code, orjson.dumps(stored_messages.to_json(refusal.message)).decode())
        for refusal in result.refusals
    }
    for instance in result.unit:
        yield instance.id, due.due_at(instance, account), *refusals.get(instance.id, (None, None)), order_id


def _failure_events(account: model.Account, result: planning.UnitResult) -> Iterator[NewEvent]:
    instances = {instance.id: instance for instance in result.unit}
    for refusal in result.refusals:
        instance = instances[refusal.instance_id]
        payload = {
            "dueAt": due.due_at(instance, account),
            "expiresAt": instance.expires_at,
            "code": refusal.code,
            "message": catalogs.translate(refusal.message, account.language),
            **factories.refusal_facts(refusal.facts),
        }
        yield NewEvent(account.id, EventType.INSTANCE_RENEWAL_FAILED, instance.id, payload)


_ORIGIN = OrderOrigin(model.OrderKind.AUTO_RENEWAL)
_MEMO = Message("Renewed automatically: {instances}")


def _build_order(
    account: model.Account, result: planning.UnitResult, payment: domain_payment.Payment
) -> NewOrder:
    memo, separator = _memo_templates(account.language)
    return NewOrder(
        id=database.new_id(),
        account_id=account.id,
        lines=result.lines,
        payment=payment,
        memo=memo.format(instances=separator.join([instance.id for instance in result.unit])),
    )


@functools.cache
def _memo_templates(language: model.Language) -> tuple[str, str]:
    """Return the templates of the memo and of the separator in its list of instances.

    They are cached, because looking them up for each order would take 4 % of the time of a run.
    """
    return catalogs.template(_MEMO, language), catalogs.template(LIST_SEPARATOR, language)
