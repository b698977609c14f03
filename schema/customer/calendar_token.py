"""The token that opens an account's calendar, and nothing else."""

import urllib.parse

import strawberry

from renewals.accounts import api_keys
from schema.context import Info


@strawberry.type(description="Shown once; it opens the calendar to whoever has it, and nothing else.")
class CalendarToken:
    token: str
    path: str = strawberry.field(
        description="Where to subscribe, on the host of this API: /calendar.ics?token=..."
    )


async def reset_calendar_token(info: Info) -> CalendarToken:
    context = info.context
    token = await api_keys.rotate_calendar_token(context.account_id, context.clock)
    return CalendarToken(token=token, path=f"/calendar.ics?{urllib.parse.urlencode({'token': token})}")
