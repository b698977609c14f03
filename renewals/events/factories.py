"""Build events from instances and order lines."""

import datetime as dt
from typing import Protocol

from renewals.domain import model, money, planning
from renewals.events.event_log import EventType, NewEvent


class ExpiringInstance(Protocol):
    """An instance of which it matters until when it runs, and what was to become of it then."""

    @property
    def account_id(self) -> str: ...
    @property
    def id(self) -> str: ...
    @property
    def expires_at(self) -> dt.datetime | None: ...
    @property
    def renewal_mode(self) -> str: ...


def instance_event(happened: EventType, instance: ExpiringInstance) -> NewEvent:
    """It expired, was restored or was released."""
    payload = {"expiresAt": instance.expires_at, "renewalMode": instance.renewal_mode}
    return NewEvent(instance.account_id, happened, instance.id, payload)


def renewal_event(order_id: object, kind: model.OrderKind, line: planning.RenewalLine) -> NewEvent:
    """An order's line: a period was paid for."""
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
    happened = EventType.EXPIRY_UNIFIED if is_unified else EventType.INSTANCE_RENEWED
    return NewEvent(line.instance.account_id, happened, line.instance.id, payload)
