"""Filters of the lists of past changes: ledger entries, orders and events."""

import datetime as dt

import strawberry

from renewals.accounts import queries as accounts_queries
from renewals.domain import model
from renewals.events import queries as events_queries
from renewals.orders import queries as orders_queries
from schema.shared.inputs import sent_values


@strawberry.input(
    description="Conditions on ledger entries. An entry must meet all of them. Null: no condition."
)
class LedgerFilter:
    vouchers: bool | None = strawberry.field(
        default=strawberry.UNSET,
        description=(
            "True: entries of vouchers only. False: entries of the balance only, which add up to the balance. Null: "
            "both."
        ),
    )
    kinds: list[model.LedgerEntryKind] | None = strawberry.field(
        default=strawberry.UNSET, description="Kinds of entries. Null: all. An empty list matches nothing."
    )
    created_from: dt.datetime | None = strawberry.field(
        default=strawberry.UNSET, description="Written at this instant or later."
    )
    created_before: dt.datetime | None = strawberry.field(
        default=strawberry.UNSET, description="Written before this instant."
    )


def to_ledger_filter(sent: LedgerFilter | None) -> accounts_queries.LedgerFilter:
    """Convert a filter of ledger entries to that of the package `renewals`; without one, all ledger entries match."""
    return accounts_queries.LedgerFilter(**sent_values(sent))


@strawberry.input(description="Conditions on orders. An order must meet all of them. Null: no condition.")
class OrderFilter:
    kinds: list[model.OrderKind] | None = strawberry.field(
        default=strawberry.UNSET, description="Kinds of orders. Null: all. An empty list matches nothing."
    )
    instance_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Orders with a line of this instance."
    )
    created_from: dt.datetime | None = strawberry.field(
        default=strawberry.UNSET, description="Made at this instant or later."
    )
    created_before: dt.datetime | None = strawberry.field(
        default=strawberry.UNSET, description="Made before this instant."
    )


def to_order_filter(sent: OrderFilter | None) -> orders_queries.OrderFilter:
    """Convert a filter of orders to that of the package `renewals`; without one, all orders match."""
    return orders_queries.OrderFilter(**sent_values(sent))


@strawberry.input(description="Conditions on events. An event must meet all of them. Null: no condition.")
class EventFilter:
    types: list[str] | None = strawberry.field(
        default=strawberry.UNSET,
        description="Types, such as instance.renewed. Null: all. An empty list, or an unknown type, matches nothing.",
    )
    instance_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET, description="Events of this instance."
    )
    occurred_from: dt.datetime | None = strawberry.field(
        default=strawberry.UNSET, description="Occurred at this instant or later."
    )
    occurred_before: dt.datetime | None = strawberry.field(
        default=strawberry.UNSET, description="Occurred before this instant."
    )


def to_event_filter(sent: EventFilter | None) -> events_queries.EventFilter:
    """Convert a filter of events to that of the package `renewals`. Raises InvalidInputError for bad conditions."""
    event_filter = events_queries.EventFilter(**sent_values(sent))
    events_queries.check_filter(event_filter)
    return event_filter
