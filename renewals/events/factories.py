"""Builders of events from instances and order lines."""

import datetime as dt
from typing import Protocol

from renewals.domain import errors, model, money, planning
from renewals.events.event_log import EventType, NewEvent


class ExpiringInstance(Protocol):
    """The attributes of an instance that `instance_event` needs."""

    @property
    def account_id(self) -> str:
        """The id of the instance's account."""

    @property
    def id(self) -> str:
        """The id of the instance."""

    @property
    def expires_at(self) -> dt.datetime | None:
        """The expiry of the instance, or None."""

    @property
    def renewal_mode(self) -> str:
        """The renewal mode of the instance."""


def instance_event(event_type: EventType, instance: ExpiringInstance) -> NewEvent:
    """Return the event of an instance that expired, was restored or was released."""
    payload = {"expiresAt": instance.expires_at, "renewalMode": instance.renewal_mode}
    return NewEvent(instance.account_id, event_type, instance.id, payload)


def refusal_facts(facts: errors.RefusalFacts) -> dict[str, object]:
    """Return the facts that a refusal has, by their names in the API."""
    amounts = {
        "required": facts.required_cents,
        "available": facts.available_cents,
        "agreedPrice": facts.agreed_price_cents,
        "monthlyPrice": facts.monthly_price_cents,
    }
    payload: dict[str, object] = {
        name: money.format_cents(cents) for name, cents in amounts.items() if cents is not None
    }
    if facts.least_months is not None:
        payload["leastMonths"] = facts.least_months
    if facts.latest_expiry is not None:
        payload["latestExpiry"] = facts.latest_expiry
    return payload


def renewal_event(order_id: object, kind: model.OrderKind, line: planning.RenewalLine) -> NewEvent:
    """Return the event for a period that an order line paid for: `expiry.unified` or `instance.renewed`."""
    is_unified = kind is model.OrderKind.UNIFY_EXPIRY
    payload = {
        "orderId": str(order_id),
        "orderKind": kind,
        "startsAt": line.starts_at,
        "expiresAt": line.expires_at,
        "months": line.months,
        "days": line.days,
        "price": money.format_cents(line.price.price_cents),
    }
    event_type = EventType.EXPIRY_UNIFIED if is_unified else EventType.INSTANCE_RENEWED
    return NewEvent(line.instance.account_id, event_type, line.instance.id, payload)
