"""Events of an account: the subscription to new ones, and the history."""

import contextlib
import datetime as dt
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import Annotated, Any, cast

import orjson
import strawberry

from renewals.db import connection as database
from renewals.domain import model
from renewals.events import event_log, queries, summaries
from renewals.i18n import catalogs
from schema.context import Context, Info
from schema.customer import history_filters, instances, orders
from schema.fields import sources
from schema.loaders import Loaders
from schema.shared import connections, scalars
from schema.shared.inputs import unset_to_none


def _summarize(row: strawberry.Parent[object], info: Info) -> str:
    subject = summaries.Subject(
        *(sources.read(row, name) for name in ("instance_id", "instance_name", "time_zone", "currency"))
    )
    message = summaries.summarize(sources.read(row, "type"), sources.read(row, "payload"), subject)
    return catalogs.translate(message, info.context.language)


@strawberry.type(description="Who made a change.")
class Actor:
    kind: model.ActorKind = strawberry.field(
        description="Whether a customer, the worker or an operator made the change."
    )
    name: str = strawberry.field(
        description=(
            "For a customer or an operator, the name of the API key or the subject of the token; empty if the key has "
            "no name. For an import, `command line`. For the worker, `worker`."
        )
    )


def _read_payload(row: strawberry.Parent[object]) -> object:
    return orjson.loads(sources.read(row, "payload"))


def _read_actor(row: strawberry.Parent[object]) -> Actor:
    kind, name = (sources.read(row, column) for column in ("actor_kind", "actor_name"))
    return Actor(kind=model.ActorKind(kind), name=name)


async def _read_orders(load: Loaders, rows: Sequence[tuple[Any, ...]]) -> list[Any]:
    """Return the order that the payload in each row names, or None if the payload names no order."""
    order_ids = [_find_order_id(payload) for (payload,) in rows]
    distinct = list(dict.fromkeys(order_id for order_id in order_ids if order_id is not None))
    found = dict(zip(distinct, await load.order.load_many(distinct), strict=True))
    return [None if order_id is None else found[order_id] for order_id in order_ids]


def _find_order_id(payload: str) -> uuid.UUID | None:
    """Return the id of the order in a payload; None without one, or for a payload of an unknown form."""
    try:
        return uuid.UUID(orjson.loads(payload)["orderId"])
    except (KeyError, TypeError, ValueError):
        return None


@strawberry.type(description="A change of the account or of one of its instances.")
class Event:
    sequence: int = strawberry.field(
        description="The event's number in the account: from 1 on, in order and without gaps."
    )
    type: str = strawberry.field(
        description="The event's type, such as instance.renewed. New types may be added, so ignore unknown ones."
    )
    occurred_at: dt.datetime = strawberry.field(
        description=(
            "When the event happened, by the clock of the server or of a test account. Order events by sequence, not "
            "by this time."
        )
    )
    instance_id: strawberry.ID | None = strawberry.field(
        description="The instance. Null for an event of the account itself."
    )
    payload: scalars.JSON = sources.computed(
        _read_payload,
        "payload",
        description=(
            "The details, as a JSON object. docs/events.schema.json has the JSON Schema of each type; "
            "new members may be added."
        ),
    )
    actor: Actor = sources.computed(
        _read_actor, "actor_kind", "actor_name", description="Who made the change."
    )
    instance: instances.Instance | None = sources.loaded(
        lambda load: load.instance,
        "instance_id",
        description="The instance, as it is now. Null for an event of the account itself.",
    )
    order: orders.RenewOrder | None = sources.batched(
        _read_orders,
        "payload",
        description="The order that was paid or refunded. Null for an event without an order.",
    )
    summary: str = sources.computed(
        _summarize,
        *("type", "payload", "instance_id", "instance_name", "time_zone", "currency"),
        description=(
            "The event in words, in the caller's language, with dates in the account's time zone. For an unknown "
            "type, the summary only names the type and the instance, if any."
        ),
    )


async def resolve_events(
    info: Info,
    after: Annotated[
        int | None,
        strawberry.argument(
            description=(
                "The sequence of the last event that you have received. All events after it are sent, then new ones. "
                "Null: only new events."
            )
        ),
    ] = strawberry.UNSET,
) -> AsyncIterator[Event]:
    """Return the account's events after a sequence, or only new ones, until the key or token is no longer valid."""
    context = info.context
    events = await event_log.subscribe(context.account_id, unset_to_none(after), context.is_authorized)
    return cast("AsyncIterator[Event]", _with_new_loaders(events, context))


async def _with_new_loaders(
    events: AsyncGenerator[event_log.Event], context: Context
) -> AsyncIterator[event_log.Event]:
    """Yield each event after a refresh of the context, because rows that were loaded for an earlier event may be stale.

    The context gets the test clock that was read with the event, because the clock may have moved (rule 37).
    """
    async with contextlib.aclosing(events) as stream:
        async for event in stream:
            context.test_clock = event.test_clock
            context.refresh()
            yield event


def query_history(
    info: Info,
    filter: Annotated[  # noqa: A002
        history_filters.EventFilter | None,
        strawberry.argument(description="Conditions on the events. Null: all events."),
    ] = strawberry.UNSET,
) -> connections.ConnectionQuery:
    """Return the queries that fill a connection with the account's events.

    Raises InvalidInputError if the filter is out of bounds.
    """
    account_id, event_filter = info.context.account_id, history_filters.to_event_filter(filter)
    return connections.ConnectionQuery(
        queries.EVENTS,
        lambda page, requested: queries.fetch_history(
            database.pool(), account_id, event_filter, page, counted=requested.count
        ),
        lambda: queries.count_history(database.pool(), account_id, event_filter),
    )
