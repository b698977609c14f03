"""GET and POST /export/<table>.csv and .jsonl: streamed exports of instances, orders and the ledger."""

import asyncio
import contextlib
import datetime as dt
import random
import urllib.parse
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from graphql_api import errors as graphql_api_errors
from graphql_api import responses
from graphql_api.auth import authentication
from graphql_api.limits import concurrency
from graphql_api.limits.export_costs import ExportCosts
from graphql_api.rest import export_arguments, parameters
from graphql_api.rest.streamed_body import StreamedBody
from renewals import config
from renewals.accounts import queries as accounts_queries
from renewals.concurrency import fair_queue
from renewals.db import connection as database
from renewals.db import pool, replica
from renewals.domain import errors
from renewals.domain.clock import Clock
from renewals.domain.messages import Message
from renewals.domain.model import Language
from renewals.exports import formats, tables
from renewals.exports import queries as export_queries
from renewals.exports.columns import ExportTable
from renewals.i18n import accept_language, catalogs
from renewals.observability import request_record

RETRY_SECONDS = 10
WAIT_SECONDS_MAX = 2.0
"""The longest wait of an export for its turn. A wait slows down a client with many exports more than a refusal does."""
WAITING_PER_ACCOUNT_MAX = 64


class ExportsBusyError(Exception):
    """An export got no free slot in time, or too many exports of its account already wait."""


class Exports:
    """The export endpoints of one process, which run a limited number of exports at a time."""

    def __init__(
        self,
        settings: config.Settings,
        clock: Clock,
        requests: concurrency.RequestLimiter,
        costs: ExportCosts,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._requests = requests
        self._costs = costs
        at_once_max = min(settings.exports_at_once_max, max(1, settings.database_pool_size // 2))
        self._slots = fair_queue.FairSlots(
            at_once_max, per_owner_max=max(1, at_once_max // 2), waiting_max=WAITING_PER_ACCOUNT_MAX
        )

    def routes(self) -> list[Route]:
        """Return the route of each table and format."""
        return [
            Route(
                f"/export/{table}.{file_format}", self._responder(table, file_format), methods=["GET", "POST"]
            )
            for table in tables.TABLES
            for file_format in formats.Format
        ]

    def _responder(self, table: str, file_format: formats.Format) -> Callable[[Request], object]:
        async def respond(request: Request) -> ASGIApp:
            try:
                return await self._respond(request, table, file_format)
            except errors.InvalidInputError as problem:
                return parameters.invalid_input(problem)
            except graphql_api_errors.HTTPError as refusal:
                return responses.refusal(refusal)
            except Exception as problem:  # noqa: BLE001 - the last handler, as for /graphql
                return responses.internal_error(problem)

        return respond

    async def _respond(self, request: Request, table: str, file_format: formats.Format) -> ASGIApp:
        now = self._clock()
        request_record.note_operation(f"export.{table}.{file_format}", "export")
        customer = await authentication.identify_customer(request.headers.get("authorization", ""), now)
        if customer is None or customer.account_id is None:
            return responses.unauthenticated(authentication.KEY_NEEDED)
        account_id, instant = customer.account_id, customer.instant(now)
        async with self._requests.turn(account_id):
            with pool.sharing(account_id):
                return await self._respond_in_turn(request, account_id, table, file_format, instant)

    async def _respond_in_turn(
        self, request: Request, account_id: str, table: str, file_format: formats.Format, now: dt.datetime
    ) -> ASGIApp:
        arguments = await export_arguments.read_arguments(
            request, export_arguments.ARGUMENTS[table], self._settings.body_bytes_max
        )
        language = parameters.parse_language(arguments.get("lang")) or accept_language.requested()
        export = export_arguments.build_export(account_id, table, arguments, now)
        account = await accounts_queries.fetch_account(database.pool(), account_id)
        language = language or Language(account["language"])
        zone = ZoneInfo(account["time_zone"])
        writer = formats.writer(
            file_format, export.columns, formats.ExportLocale(language, zone, account["currency"])
        )
        headers = {
            "Content-Type": writer.media_type,
            "Content-Disposition": _disposition(export.table, file_format, language, now.astimezone(zone)),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        }
        if request.method == "HEAD":
            return Response(headers=headers)
        await self._costs.begin_export(account_id)
        return StreamedBody(
            lambda: self._pieces(account_id, export, writer),
            headers,
            on_failure=_failed,
            seconds_max=self._settings.export_seconds_max,
            stall_seconds_max=self._settings.export_stall_seconds_max,
        )

    @contextlib.asynccontextmanager
    async def _turn(self, account_id: str) -> AsyncIterator[None]:
        """Hold one of the export slots for an account during the block. Raises ExportsBusyError.

        An account holds at most half of the slots; if there is only one slot, it can hold that one.
        """
        try:
            # The maximum wait is random, so that exports that arrived together are not refused together.
            seconds = WAIT_SECONDS_MAX * random.uniform(0.5, 1)  # noqa: S311 - not a secret
            async with asyncio.timeout(seconds):
                await self._slots.acquire(account_id)
        except (fair_queue.QueueFullError, TimeoutError):
            raise ExportsBusyError from None
        try:
            with pool.sharing(account_id):
                yield
        finally:
            self._slots.release(account_id)

    async def _pieces(
        self, account_id: str, export: export_queries.Export, writer: formats.CSV | formats.JSONL
    ) -> AsyncGenerator[bytes, None]:
        """Yield the header with the first page of rows, then one page at a time."""
        # PostgreSQL's time limit, which is longer than the export's, matters only if this process is killed.
        seconds_max = self._settings.export_seconds_max + self._settings.export_stall_seconds_max
        # Not the account's own lane, because a request in that lane may wait for the connection of this export.
        lane_name = f"export {account_id}"
        snapshot = replica.read_snapshot(seconds_max=seconds_max)
        async with self._turn(account_id), snapshot as connection:
            head = writer.header()
            total = 0
            async with contextlib.aclosing(export_queries.read_rows(connection, export)) as pages:
                async for page in pages:
                    total += len(page)
                    await self._costs.add_rows(account_id, len(page), total)
                    with self._requests.lane(account_id, lane_name) as lane:
                        await lane.enter()
                        rows = writer.rows(page)
                    yield head + rows
                    head = b""
        yield head


def _failed(error: Exception) -> Response:
    """Return the response to an error that occurred before the first row was sent."""
    if isinstance(error, ExportsBusyError):
        message = Message("Too many exports are running. Retry in {seconds} s.", seconds=RETRY_SECONDS)
        return responses.error(503, "BUSY", message, {"Retry-After": str(RETRY_SECONDS)})
    if isinstance(error, graphql_api_errors.HTTPError):
        return responses.refusal(error)
    return responses.internal_error(error)


def _disposition(
    table: ExportTable, file_format: formats.Format, language: Language, local: dt.datetime
) -> str:
    """Return a Content-Disposition: a name with the local time, in ASCII and in the export's language (RFC 6266)."""
    ending = f"{local:%Y-%m-%d-%H%M}.{file_format}"
    titled = urllib.parse.quote(f"{catalogs.translate(table.title, language)}-{ending}")
    return f"attachment; filename=\"{table.name}-{ending}\"; filename*=UTF-8''{titled}"
