"""GraphQL over HTTP: who asks is settled before anything is parsed, and every error is JSON with a code."""

import asyncio
import contextlib
import functools
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

import orjson
import strawberry
from graphql import OperationType
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.http import process_result
from strawberry.http.streaming import SSETransport
from strawberry.schema.exceptions import CannotGetOperationTypeError
from strawberry.subscriptions import GRAPHQL_SSE_PROTOCOL, GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types.execution import ExecutionResult, SubscriptionExecutionResult
from strawberry.types.unset import UnsetType

from graphql_api import errors as graphql_api_errors
from graphql_api import responses
from graphql_api.auth import authentication
from graphql_api.graphql import http_request, persisted_queries, websocket
from graphql_api.limits import answer_size, concurrency, rate_limit
from graphql_api.middleware import request_log, security_headers
from renewals import config
from renewals.db import pool
from renewals.domain.clock import Clock
from renewals.instances import account_sizes
from renewals.observability import request_record
from schema.context import Context
from schema.customer import schema as customer_schema
from schema.execution import schema as execution_schema
from schema.limits import document_limits, list_sizes
from schema.operator import context
from schema.operator import schema as operator_schema
from schema.shared import errors

_SPENT = 429
_BY_POST = {"Allow": "POST"}
_PAGE_HEADERS = {"Content-Security-Policy": security_headers.PAGE_POLICY}
_NOT_STORED = {"Cache-Control": "no-store"}  # Strawberry lets a stream be stored
_PROTOCOLS = (GRAPHQL_TRANSPORT_WS_PROTOCOL, GRAPHQL_SSE_PROTOCOL)

Authenticate = Callable[[str, Clock], Awaitable[Any]]
"""Answers the context of whoever sends an Authorization header, or None if its key does not open this door."""


class ApiConfig(NamedTuple):
    """A schema, and who may ask it."""

    schema: execution_schema.RenewalSchema
    authenticate: Authenticate
    has_subscriptions: bool


async def _admit_customer(header: str, clock: Clock) -> Context | None:
    customer = await authentication.identify_customer(header, clock())
    if customer is None or customer.account_id is None:
        return None
    return Context(
        customer.account_id,
        clock,
        caller=customer.rate_limit_key,
        can_write=authentication.can_write(customer),
        is_authorized=functools.partial(authentication.is_still_valid, header, customer.account_id, clock),
    )


async def _admit_operator(header: str, clock: Clock) -> context.Context | None:
    operator = await authentication.identify_operator(header, clock())
    return None if operator is None else context.Context(operator=operator, clock=clock)


CUSTOMERS = ApiConfig(customer_schema.schema, _admit_customer, has_subscriptions=True)
OPERATORS = ApiConfig(operator_schema.schema, _admit_operator, has_subscriptions=False)


class GraphQLView(GraphQL[Any, None]):
    """Strawberry's view for streams and web sockets; what is asked and answered at once is read and written here."""

    websocket_adapter_class = websocket.Adapter
    graphql_transport_ws_handler_class = websocket.Handler

    def __init__(
        self,
        door: ApiConfig,
        *,
        clock: Clock,
        settings: config.Settings,
        trusted: persisted_queries.TrustedDocuments,
        requests: concurrency.RequestLimiter,
        sizes: account_sizes.AccountSizes,
        graphiql_page: str | None,
    ) -> None:
        self.schema: execution_schema.RenewalSchema
        super().__init__(
            schema=door.schema,
            graphql_ide="graphiql" if graphiql_page else None,
            subscription_protocols=_PROTOCOLS if door.has_subscriptions else (),
            connection_init_wait_timeout=websocket.INIT_TIME_MAX,
            max_subscriptions_per_connection=websocket.OPERATIONS_MAX,
            allowed_origins=settings.cors_origins,
        )
        self.authenticate = door.authenticate
        self.clock = clock
        self.graphiql_page = graphiql_page
        self.seconds_max = settings.request_seconds_max
        self.bytes_max = (
            settings.body_bytes_max if door.has_subscriptions else settings.operator_body_bytes_max
        )
        self.values_max = http_request.VALUES_MAX if door.has_subscriptions else None
        self.documents = document_limits.DocumentLimits(
            door.schema._schema, document_limits.Limits.of(settings)
        )
        self.store = persisted_queries.DocumentStore(door.schema, trusted, settings.persisted_characters_max)
        self.budgets = rate_limit.CostRateLimiter(settings.cost_per_minute_max)
        self.requests = requests
        self.sizes = sizes
        self.answer_bytes_max = settings.answer_bytes_max
        self.unread = answer_size.UnreadAnswers(answer_size.UNREAD_ANSWERS_MAX * settings.answer_bytes_max)
        self.sockets = concurrency.ConcurrencyLimiter(settings.sockets_per_key_max, "web sockets")
        self.subscriptions = concurrency.ConcurrencyLimiter(
            settings.subscriptions_per_key_max, "subscriptions"
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self.run(WebSocket(scope, receive, send))
            return
        request = Request(scope, receive)
        with contextlib.ExitStack() as request.state.places:
            response = await self._respond(request)
            try:
                await response(scope, receive, send)
            finally:
                if isinstance(response, StreamingResponse):
                    # A reader that has gone leaves the stream standing.
                    await response.body_iterator.aclose()  # type: ignore[attr-defined]

    async def _respond(self, request: Request) -> Response:
        deadline = asyncio.timeout(self.seconds_max)
        try:
            if self.graphiql_page and self._asks_for_page(request):
                return HTMLResponse(self.graphiql_page, headers=_PAGE_HEADERS)
            async with deadline:
                context = await self.authenticate(request.headers.get("authorization", ""), self.clock)
                if context is None:
                    return responses.unauthenticated("Send an API key: Authorization: Bearer <key>.")
                return await self._answer_in_turn(context, request)
        except graphql_api_errors.HTTPError as refused:
            return responses.error(refused.status, refused.code, str(refused), refused.headers)
        except document_limits.LimitExceededError as exceeded:
            return responses.error_response(400, exceeded.message, exceeded.extensions)
        except Exception as problem:  # noqa: BLE001 - the last line: a client is told nothing, the log everything
            if deadline.expired():
                return responses.error(503, "TIMEOUT", http_request.timeout_message(self.seconds_max))
            return responses.internal_error(problem)

    async def _answer_in_turn(self, context: Any, request: Request) -> Response:
        """Answer a request once its key may; in steps, for `RequestLimiter.turn` costs more where nothing waits."""
        caller: str = context.caller
        if not self.requests.try_begin(caller):
            await self.requests.begin(caller)
        try:
            with pool.sharing(context.owner):
                return await self._answer(request, context)
        except graphql_api_errors.HTTPError as refused:
            # What is refused before it is examined costs as much as any request.
            if refused.status != _SPENT:
                size = min(http_request.body_length(http_request.headers_of(request)) or 0, self.bytes_max)
                await self.budgets.consume_request(caller, 0, body_bytes=size)
            raise
        finally:
            self.requests.end(caller)

    async def check_limits(
        self, asked: http_request.GraphQLRequest, context: Any, lane: concurrency.Lane, body_bytes: int = 0
    ) -> tuple[str, document_limits.Admitted]:
        """The document of a request that may be executed, and what it costs, which is spent.

        The request leaves the lane as soon as the document is known to be valid, unless it costs much: what is
        executed may wait for others. Raises errors.HTTPError or document_limits.LimitExceededError.
        """
        query = self.store.find(asked)
        if not self.schema.is_known_to_be_valid(query):
            await lane.enter()
        caller, spend = context.caller, self.budgets.consume_request
        try:
            admitted = await self.admitted(query, asked.operation_name, asked.variables, context)
        except document_limits.LimitExceededError as exceeded:
            await spend(caller, 0, reading=exceeded.reading, body_bytes=body_bytes)
            raise
        request_record.note_cost(admitted.cost)
        await spend(caller, admitted.cost, reading=admitted.reading, body_bytes=body_bytes)
        self.store.keep(asked)
        if admitted.cost > concurrency.HEAVY_COST:
            await lane.enter()
        elif lane.is_entered and self.schema.is_valid(query):
            lane.leave()
        if lane.is_entered:
            await asyncio.sleep(0)  # others go first between two long steps
        return query, admitted

    async def admitted(
        self, query: str, name: str | None, variables: Mapping[str, Any], context: Any
    ) -> document_limits.Admitted:
        """What is known of an operation, by the size of the account where its cost depends on that.

        Raises document_limits.LimitExceededError.
        """
        account_id = getattr(context, "account_id", None)
        try:
            return self.documents.check(query, name, variables, self.sizes.known(account_id))
        except list_sizes.SizeNeededError as needed:
            reading = needed.reading
        try:
            async with asyncio.timeout(self.seconds_max):
                size = await self.sizes.find(account_id)
        except TimeoutError:
            raise graphql_api_errors.HTTPError(
                503, "TIMEOUT", http_request.timeout_message(self.seconds_max)
            ) from None
        try:
            return self.documents.check(query, name, variables, size)._replace(reading=reading)
        except document_limits.LimitExceededError as exceeded:
            exceeded.reading = reading
            raise

    async def _answer(self, request: Request, context: Any) -> Response:
        headers = http_request.headers_of(request)
        http_request.check_request(request.method, headers)
        body = await self._receive(request, headers, context.owner)
        with self.requests.lane(context.owner) as lane:
            if body is not None and len(body) > concurrency.HEAVY_BODY_BYTES:
                await lane.enter()
            asked = http_request.parse(request, body, values_max=self.values_max)
            accepted = responses.parse_accept(headers.get(b"accept", b"").decode("latin-1"))
            return await self._answer_in_lane(request, asked, accepted, context, lane, len(body or b""))

    async def _receive(self, request: Request, headers: Mapping[bytes, bytes], owner: str) -> bytes | None:
        """Return the body of a POST, None of a GET, which has its text in the address; raises errors.HTTPError."""
        if request.method == "GET":
            return None
        length = http_request.body_length(headers)
        if length is not None and length <= concurrency.HEAVY_BODY_BYTES:
            return await http_request.read_body(request, headers, self.bytes_max)
        async with self.requests.receiving(owner):
            return await http_request.read_body(request, headers, self.bytes_max)

    async def _answer_in_lane(
        self,
        request: Request,
        asked: http_request.GraphQLRequest,
        accepted: responses.AcceptedTypes,
        context: Any,
        lane: concurrency.Lane,
        body_bytes: int,
    ) -> Response:
        query, admitted = await self.check_limits(asked, context, lane, body_bytes)
        if request.method == "GET" and admitted.kind is OperationType.MUTATION:
            raise graphql_api_errors.HTTPError(
                405, "BAD_REQUEST", "What changes anything is sent by POST.", _BY_POST
            )
        if admitted.kind is OperationType.SUBSCRIPTION:
            if not accepted.takes_stream:
                raise graphql_api_errors.HTTPError(
                    400,
                    "BAD_REQUEST",
                    "A subscription is served over a web socket, or to Accept: text/event-stream.",
                )
            return await self._stream(request, query, asked, context)
        if accepted.media_type is None and not accepted.takes_stream:
            raise graphql_api_errors.HTTPError(406, "BAD_REQUEST", f"The answer is {responses.JSON}.")
        result = await self._execute(query, asked, context)
        if lane.is_entered:
            await asyncio.sleep(0)
        response = self._write(result, accepted.media_type, admitted)
        size = len(response.body)
        if size > answer_size.PIECE_BYTES:
            request.state.places.enter_context(self.unread.sending(context.caller, size))
        return response

    async def _execute(self, query: str, asked: http_request.GraphQLRequest, context: Any) -> ExecutionResult:
        variables, name = asked.variables, asked.operation_name
        known = await self.schema.execute_cached(query, variables, name, context)
        if known is not None:
            return known
        try:
            return await self.schema.execute(query, variables, context, operation_name=name)
        except CannotGetOperationTypeError as unknown:
            raise graphql_api_errors.HTTPError(400, "BAD_REQUEST", unknown.as_http_error_reason()) from None

    def _write(
        self, result: ExecutionResult, media_type: str | None, admitted: document_limits.Admitted
    ) -> Response:
        body: dict[str, Any] = {
            **process_result(result),
            "extensions": {**(result.extensions or {}), "cost": admitted.cost},
        }
        if _is_unavailable(result):
            return self._write_unavailable(body, media_type)
        if media_type is None:
            stream = SSETransport()
            text = stream.encode_next(body, self.encode_json_string) + stream.encode_complete()  # type: ignore[arg-type]
            return answer_size.PiecewiseResponse(text, headers={**stream.headers, **_NOT_STORED})
        status = 200
        was_executed = result.data is not None or any(problem.path for problem in result.errors or ())
        if media_type == responses.RESPONSE and not was_executed:
            status = 400
            del body["data"]
        encoded = self.encode_json(body)
        if len(encoded) > self.answer_bytes_max:
            is_done = admitted.kind is OperationType.MUTATION
            instead = answer_size.too_large(self.answer_bytes_max, is_done=is_done)
            return responses.error_response(400, instead["message"], instead["extensions"])
        return answer_size.PiecewiseResponse(encoded, status, media_type=media_type)

    def _write_unavailable(self, body: dict[str, Any], media_type: str | None) -> Response:
        """Write the errors of a result without any data: a stream, too, begins with its status."""
        if media_type == responses.RESPONSE:
            del body["data"]
        return Response(
            self.encode_json(body), 503, responses.RETRY_HEADERS, media_type=media_type or responses.JSON
        )

    async def _stream(
        self, request: Request, query: str, asked: http_request.GraphQLRequest, context: Any
    ) -> Response:
        request.state.places.enter_context(self.subscriptions.slot(context.caller))
        name = asked.operation_name
        result = await self.schema.stream(query, asked.variables, context, operation_name=name)
        assert isinstance(result, SubscriptionExecutionResult)
        empty = await self.get_sub_response(request)
        costed: Any = request_log.with_cost(result)
        response = await self._create_streaming_response(request, costed, "sse", empty)
        response.headers.update(_NOT_STORED)
        return response

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Any:
        assert isinstance(request, WebSocket)
        return websocket.SocketContext(clock=self.clock, socket=request)

    async def on_ws_connect(self, context: Context) -> UnsetType:
        assert isinstance(context, websocket.SocketContext)
        await context.identify()
        context.places.enter_context(self.sockets.slot(context.caller))
        nothing: UnsetType = strawberry.UNSET  # None would be sent as a payload
        return nothing

    def encode_json(self, data: object) -> bytes:
        return orjson.dumps(data)

    def encode_json_string(self, data: object) -> str:
        """Return one result of a stream of events, or an error in place of one that is too large."""
        return answer_size.encode(data, self.answer_bytes_max).decode()

    def _asks_for_page(self, request: Request) -> bool:
        return request.method == "GET" and "text/html" in request.headers.get("accept", "")


def _is_unavailable(result: ExecutionResult) -> bool:
    """Return whether a result holds no data because a server was unavailable, so that all of it may be asked again."""
    if not result.errors or any(value is not None for value in (result.data or {}).values()):
        return False
    return any((error.extensions or {}).get("code") == errors.UNAVAILABLE for error in result.errors)
