"""The subscription to an account's events."""

import datetime as dt
from collections.abc import AsyncIterator
from typing import Annotated, Any

import strawberry

from renewals.events import event_log, summaries
from renewals.i18n import catalogs
from schema.context import Info
from schema.fields import sources
from schema.shared import inputs


def _summarize(row: strawberry.Parent[Any], info: Info) -> str:
    subject = summaries.Subject(
        *(sources.read(row, name) for name in ("instance_id", "instance_name", "time_zone", "currency"))
    )
    message = summaries.summarize(sources.read(row, "type"), sources.read(row, "payload"), subject)
    return catalogs.translate(message, info.context.language)


@strawberry.type(description="A change of the account or of one of its instances.")
class Event:
    sequence: int = strawberry.field(
        description="The event's number in the account: from 1 on, in order and without gaps."
    )
    type: str = strawberry.field(
        description="Such as instance.renewed. New types may be added: ignore those that you do not know."
    )
    occurred_at: dt.datetime = strawberry.field(
        description="When it happened, by the clock of the server or of a test account. Only sequence gives the order."
    )
    instance_id: strawberry.ID | None = strawberry.field(
        description="The instance. Null for an event of the account itself."
    )
    payload: str = strawberry.field(description="The details, as a JSON object in text.")
    summary: str = sources.computed(
        _summarize,
        *("type", "payload", "instance_id", "instance_name", "time_zone", "currency"),
        description=(
            "One sentence about the event in the caller's language, with dates in the account's time zone. "
            "For an unknown type it only names the type."
        ),
    )


async def resolve_events(
    info: Info,
    after: Annotated[
        int | None,
        strawberry.argument(
            description="The last sequence already seen: events after it are sent first. Null: only new events."
        ),
    ] = strawberry.UNSET,
) -> AsyncIterator[Event]:
    """Return the account's events, until the caller's key ends."""
    context = info.context
    events: Any = await event_log.subscribe(
        context.account_id, inputs.unset_to_none(after), context.is_authorized
    )
    return events  # type: ignore[no-any-return]
