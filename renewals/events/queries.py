"""Queries of the API for past events, always of one account."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from renewals.db import pagination, sql
from renewals.db.connection import Connection
from renewals.domain import errors, limits, validation


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Conditions on events, all of which must hold; None sets no condition, and an empty list matches no event."""

    types: Sequence[str] | None = None
    instance_id: str | None = None
    occurred_from: dt.datetime | None = None
    occurred_before: dt.datetime | None = None


def check_filter(event_filter: EventFilter) -> None:
    """Raise InvalidInputError if the filter has too many types."""
    types_max = limits.PAGE_ROWS_MAX
    if event_filter.types is not None and len(event_filter.types) > types_max:
        raise errors.InvalidInputError(
            "filter.types", validation.at_most_items(types_max, event_filter.types)
        )


EVENTS = pagination.SortOrder(
    "events", (pagination.integer_column("sequence", "e.sequence"),), descending=True
)

COLUMNS = """e.sequence, e.type, e.occurred_at, e.instance_id, e.payload::text AS payload, e.actor_kind, e.actor_name,
  i.name AS instance_name, a.time_zone, a.currency"""
"""The columns of `events e` except `account_id`, and those of the tables in `JOINS` that a summary needs."""
JOINS = """JOIN accounts a ON a.id = e.account_id
  LEFT JOIN instances i ON i.id = e.instance_id AND i.account_id = e.account_id"""


def _conditions(account_id: str, event_filter: EventFilter) -> sql.WhereClause:
    """Return the filter as conditions on `events e` of one account."""
    conditions = sql.WhereClause()
    conditions.add("e.account_id = {}", account_id)
    if event_filter.types is not None:
        conditions.add("e.type = ANY({})", sql.storable_texts(event_filter.types))
    if event_filter.instance_id is not None:
        # A text that PostgreSQL cannot store matches nothing.
        instance_id = event_filter.instance_id if sql.is_storable(event_filter.instance_id) else None
        conditions.add("e.instance_id = {}::text", instance_id)
    conditions.add_range("e.occurred_at", event_filter.occurred_from, event_filter.occurred_before)
    return conditions


async def fetch_history(
    connection: Connection,
    account_id: str,
    event_filter: EventFilter,
    request: pagination.PageRequest,
    *,
    counted: bool,
) -> pagination.Page:
    """Return one page of the account's events that match a filter, newest first."""
    return await pagination.fetch_page(
        connection,
        select=COLUMNS,
        source="events e",
        joins=JOINS,
        conditions=_conditions(account_id, event_filter),
        ordering=EVENTS,
        request=request,
        counted=counted,
    )


async def count_history(connection: Connection, account_id: str, event_filter: EventFilter) -> int:
    """Return the number of the account's events that match a filter."""
    return await pagination.count_rows(connection, "events e", _conditions(account_id, event_filter))
