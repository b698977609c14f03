"""What happens to the account's instances, as it happens."""

import datetime as dt
from collections.abc import AsyncIterator
from typing import Any

import strawberry

from renewals.events import event_log
from schema.context import Info
from schema.shared import inputs


@strawberry.type(description="What happened to this account's instances, in order and without gaps.")
class Event:
    sequence: int = strawberry.field(description="Gap-free per account.")
    type: str
    occurred_at: dt.datetime
    instance_id: strawberry.ID | None
    payload: str = strawberry.field(description="The event's body as JSON text.")


async def resolve_events(info: Info, after: int | None = strawberry.UNSET) -> AsyncIterator[Event]:
    context = info.context
    found: Any = await event_log.subscribe(
        context.account_id, inputs.unset_to_none(after), context.is_authorized
    )
    return found  # type: ignore[no-any-return]
