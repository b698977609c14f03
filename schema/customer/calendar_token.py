"""The token of an account's calendar feed."""

import urllib.parse

import strawberry

from renewals.accounts import api_keys
from schema.context import Info


@strawberry.type(
    description="A secret that gives access to the calendar feed and nothing else. It is returned only once."
)
class CalendarToken:
    token: str = strawberry.field(description="The secret itself. Anyone who has it can read the calendar.")
    path: str = strawberry.field(
        description="Path and query of the feed on the host of this API: /calendar.ics?token=..."
    )


async def reset_calendar_token(info: Info) -> CalendarToken:
    """Replace the token of the account's calendar and return the new one."""
    context = info.context
    token = await api_keys.rotate_calendar_token(context.account_id, context.clock)
    return CalendarToken(token=token, path=f"/calendar.ics?{urllib.parse.urlencode({'token': token})}")
