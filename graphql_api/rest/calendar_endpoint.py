"""GET /calendar.ics: the coming expiries and renewals of an account, as a calendar to subscribe to."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from graphql_api import errors as graphql_api_errors
from graphql_api import responses
from graphql_api.auth import authentication
from graphql_api.graphql import http_request
from graphql_api.limits import concurrency
from graphql_api.limits.export_costs import ExportCosts
from graphql_api.rest import icalendar_file, parameters
from renewals import config
from renewals.compute import process_pool
from renewals.db import pool
from renewals.domain import errors
from renewals.domain.clock import Clock
from renewals.domain.messages import Message
from renewals.observability import request_record

PATH = "/calendar.ics"
MEDIA_TYPE = "text/calendar; charset=utf-8"


class CalendarFeed:
    """The calendar endpoint of one process."""

    def __init__(
        self,
        settings: config.Settings,
        clock: Clock,
        requests: concurrency.RequestLimiter,
        costs: ExportCosts,
    ) -> None:
        self._days = settings.calendar_days
        self._seconds_max = settings.request_seconds_max
        self._requests = requests
        self._costs = costs
        self._clock = clock

    async def respond(self, request: Request) -> Response:
        """Return the calendar to the holder of the account's calendar token, or to a customer with a key or a token."""
        deadline = asyncio.timeout(self._seconds_max)
        try:
            async with deadline:
                return await self._respond(request)
        except errors.InvalidInputError as problem:
            return parameters.invalid_input(problem)
        except graphql_api_errors.HTTPError as refusal:
            return responses.refusal(refusal)
        except Exception as problem:  # noqa: BLE001 - the last handler, as for /graphql
            if deadline.expired():
                return responses.error(503, "TIMEOUT", http_request.timeout_message(self._seconds_max))
            return responses.internal_error(problem)

    async def _respond(self, request: Request) -> Response:
        now = self._clock()
        request_record.note_operation("calendar.ics", "calendar")
        arguments = dict(request.query_params)
        if "token" in arguments:
            request.scope["query_string"] = b"token=..."  # keeps the token out of logs
        header = request.headers.get("authorization", "")
        customer = await authentication.identify_calendar(header, arguments.get("token"), now)
        if customer is None or customer.account_id is None:
            return responses.unauthenticated(
                Message("Send a valid calendar token: /calendar.ics?token=<token>.")
            )
        account_id, instant = customer.account_id, customer.instant(now)
        language = parameters.parse_language(arguments.get("lang"))
        async with self._requests.turn(account_id):
            with pool.sharing(account_id):
                await self._costs.begin_calendar(account_id, self._days)
                content = await process_pool.run(
                    account_id, icalendar_file.compose, account_id, self._days, instant, language
                )
        headers = {
            "Cache-Control": "private, no-cache",
            "Content-Disposition": 'inline; filename="renewals.ics"',
            "Referrer-Policy": "no-referrer",
        }
        return Response(content, headers=headers, media_type=MEDIA_TYPE)
