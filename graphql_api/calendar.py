"""GET /calendar.ics: what expires and what is renewed on the coming days, as a calendar to subscribe to."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from graphql_api import answers, arguments, authentication, calendar_file, concurrency, over_http
from graphql_api.spending import Spending
from renewals import clocks, compute, errors, pooling, settings
from schema import records

PATH = "/calendar.ics"
MEDIA_TYPE = "text/calendar; charset=utf-8"


class Calendar:
    """The calendars of one process."""

    def __init__(
        self,
        limits: settings.Settings,
        clock: clocks.Clock,
        requests: concurrency.RequestLimiter,
        spending: Spending,
    ) -> None:
        self._days = limits.calendar_days
        self._seconds_max = limits.request_seconds_max
        self._requests = requests
        self._spending = spending
        self._clock = clock

    async def respond(self, request: Request) -> Response:
        """The account's calendar, for its calendar token, or a customer's key or token."""
        deadline = asyncio.timeout(self._seconds_max)
        try:
            async with deadline:
                return await self._respond(request)
        except errors.InvalidInput as refused:
            return arguments.refuse(refused)
        except over_http.Refused as refused:
            return answers.error(refused.status, refused.code, str(refused), refused.headers)
        except Exception as problem:  # noqa: BLE001 - the last line, as for /graphql
            if deadline.expired():
                return answers.error(503, "TIMEOUT", over_http.late(self._seconds_max))
            return answers.failed(problem)

    async def _respond(self, request: Request) -> Response:
        now = self._clock()
        records.note_operation("calendar.ics", "calendar")
        sent = dict(request.query_params)
        if "token" in sent:
            request.scope["query_string"] = b"token=..."  # what a log of requests is to know of it
        header = request.headers.get("authorization", "")
        account_id = await authentication.identify_calendar(header, sent.get("token"), now)
        if account_id is None:
            return answers.unauthenticated("Send a calendar token: /calendar.ics?token=<token>.")
        language = arguments.read_language(sent.get("lang"))
        async with self._requests.turn(account_id):
            with pooling.sharing(account_id):
                await self._spending.calendar(account_id, self._days)
                written = await compute.run(
                    account_id, calendar_file.compose, account_id, self._days, now, language
                )
        headers = {
            "Cache-Control": "private, no-cache",
            "Content-Disposition": 'inline; filename="renewals.ics"',
            "Referrer-Policy": "no-referrer",
        }
        return Response(written, headers=headers, media_type=MEDIA_TYPE)
