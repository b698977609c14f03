"""The endpoints of GraphQL over HTTP. A request is authenticated before it is parsed; an error is JSON with a code."""

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

import strawberry
from graphql import OperationType
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.schema.exceptions import CannotGetOperationTypeError
from strawberry.subscriptions import GRAPHQL_SSE_PROTOCOL, GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types.execution import ExecutionResult, SubscriptionExecutionResult
from strawberry.types.unset import UnsetType

from graphql_api import errors, responses
from graphql_api.auth import authentication
from graphql_api.graphql import (
    api_config,
    http_request,
    operation_limits,
    result_writer,
    trusted_documents,
    websocket,
    websocket_messages,
)
from graphql_api.limits import answer_size, concurrency
from graphql_api.middleware import request_log, response_headers
from renewals import config
from renewals.db import pool
from renewals.domain.clock import Clock
from renewals.domain.messages import Message
from renewals.i18n import catalogs
from renewals.instances import account_sizes
from schema.execution import schema as execution_schema
from schema.limits import limit_errors

_TOO_MANY_REQUESTS = 429
_ALLOW_POST = {"Allow": "POST"}
_PAGE_HEADERS = {"Content-Security-Policy": response_headers.PAGE_POLICY}
_NO_STREAM = Message("Send subscriptions over a web socket, or with the header Accept: text/event-stream.")
_PROTOCOLS = (GRAPHQL_TRANSPORT_WS_PROTOCOL, GRAPHQL_SSE_PROTOCOL)


class GraphQLView(GraphQL[api_config.ApiContext, None]):
    """The endpoint of one API. Strawberry serves subscriptions and web sockets; this class serves the rest.

    This class does so because Strawberry does not write `application/graphql-response+json`, and authenticates a client
    only after it has read the body.
    """

    websocket_adapter_class = websocket_messages.Adapter
    graphql_transport_ws_handler_class = websocket.Handler

    def __init__(
        self,
        api: api_config.ApiConfig,
        *,
        clock: Clock,
        settings: config.Settings,
        trusted: trusted_documents.TrustedDocuments,
        requests: concurrency.RequestLimiter,
        sizes: account_sizes.AccountSizes,
        graphiql_page: str | None,
    ) -> None:
        self.schema: execution_schema.RenewalSchema
        super().__init__(
            schema=api.schema,
            graphql_ide="graphiql" if graphiql_page else None,
            subscription_protocols=_PROTOCOLS if api.has_subscriptions else (),
            connection_init_wait_timeout=websocket.INIT_TIME_MAX,
            max_subscriptions_per_connection=websocket.OPERATIONS_MAX,
            allowed_origins=settings.cors_origins,
        )
        self.authenticate = api.authenticate
        self.clock = clock
        self.graphiql_page = graphiql_page
        self.seconds_max = settings.request_seconds_max
        self.bytes_max = (
            settings.body_bytes_max if api.has_subscriptions else settings.operator_body_bytes_max
        )
        self.values_max = http_request.VALUES_MAX if api.has_subscriptions else None
        self.requests = requests
        self.answer_bytes_max = settings.answer_bytes_max
        self.writer = result_writer.ResultWriter(settings.answer_bytes_max)
        self.limits = operation_limits.OperationLimits(api.schema, settings, trusted, sizes)
        self.budgets = self.limits.budgets
        self.unread = answer_size.UnreadAnswers(answer_size.UNREAD_ANSWERS_MAX * settings.answer_bytes_max)
        self.sockets = concurrency.ConcurrencyLimiter(settings.sockets_per_key_max, concurrency.SOCKETS)
        self.subscriptions = concurrency.ConcurrencyLimiter(
            settings.subscriptions_per_key_max, concurrency.SUBSCRIPTIONS
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request or a web socket."""
        if scope["type"] == "websocket":
            await self.run(WebSocket(scope, receive, send))
            return
        request = Request(scope, receive)
        with contextlib.ExitStack() as request.state.slots:
            response = await self._respond(request)
            try:
                await response(scope, receive, send)
            finally:
                if isinstance(response, StreamingResponse):
                    # Starlette does not close the iterator of a stream whose client has disconnected.
                    await response.body_iterator.aclose()  # type: ignore[attr-defined]

    async def _respond(self, request: Request) -> Response:
        deadline = asyncio.timeout(self.seconds_max)
        try:
            if self.graphiql_page and self._wants_page(request):
                return HTMLResponse(self.graphiql_page, headers=_PAGE_HEADERS)
            async with deadline:
                context = await self.authenticate(request.headers.get("authorization", ""), self.clock)
                if context is None:
                    return responses.unauthenticated(authentication.KEY_NEEDED)
                return await self._respond_in_turn(context, request)
        except errors.HTTPError as refusal:
            return responses.refusal(refusal)
        except limit_errors.LimitExceededError as exceeded:
            return responses.error_response(
                400, catalogs.translate_for_request(exceeded.reason), exceeded.extensions
            )
        except Exception as problem:  # noqa: BLE001 - the last handler: details go to the log, not to the client
            if deadline.expired():
                return responses.error(503, "TIMEOUT", http_request.timeout_message(self.seconds_max))
            return responses.internal_error(problem)

    async def _respond_in_turn(self, context: api_config.ApiContext, request: Request) -> Response:
        """Respond once the key may run another request.

        This does what `RequestLimiter.turn` does, but without a context manager, which would take longer than acquiring
        a free slot.
        """
        caller: str = context.caller
        if not self.requests.try_begin(caller):
            await self.requests.begin(caller)
        try:
            with pool.sharing(context.owner):
                return await self._respond_to(request, context)
        except errors.HTTPError as refusal:
            # A refusal costs as much as the cheapest request, in addition to any cost that was already deducted.
            if refusal.status != _TOO_MANY_REQUESTS:
                size = min(http_request.body_length(http_request.headers_of(request)) or 0, self.bytes_max)
                await self.budgets.consume_request(caller, 0, body_bytes=size)
            raise
        finally:
            self.requests.end(caller)

    async def _respond_to(self, request: Request, context: api_config.ApiContext) -> Response:
        headers = http_request.headers_of(request)
        http_request.check_request(request.method, headers)
        body = await self._read_body(request, headers, context.owner)
        with self.requests.lane(context.owner) as lane:
            if body is not None and len(body) > concurrency.HEAVY_BODY_BYTES:
                await lane.enter()
            operation = http_request.parse(request, body, values_max=self.values_max)
            accepted = responses.parse_accept(headers.get(b"accept", b"").decode("latin-1"))
            return await self._respond_in_lane(request, operation, accepted, context, lane, len(body or b""))

    async def _read_body(self, request: Request, headers: Mapping[bytes, bytes], owner: str) -> bytes | None:
        """Return the body of a POST, or None for a GET, whose parameters are in its URL. Raises HTTPError."""
        if request.method == "GET":
            return None
        length = http_request.body_length(headers)
        if length is not None and length <= concurrency.HEAVY_BODY_BYTES:
            return await http_request.read_body(request, headers, self.bytes_max)
        async with self.requests.receiving(owner):
            return await http_request.read_body(request, headers, self.bytes_max)

    async def _respond_in_lane(
        self,
        request: Request,
        operation: http_request.GraphQLRequest,
        accepted: responses.AcceptedTypes,
        context: api_config.ApiContext,
        lane: concurrency.Lane,
        body_bytes: int,
    ) -> Response:
        query, admitted = await self.limits.check(operation, context, lane, body_bytes)
        if request.method == "GET" and admitted.kind is OperationType.MUTATION:
            raise errors.HTTPError(405, "BAD_REQUEST", Message("Send mutations by POST."), _ALLOW_POST)
        if admitted.kind is OperationType.SUBSCRIPTION and self.schema.subscription is not None:
            if not accepted.takes_stream:
                raise errors.HTTPError(400, "BAD_REQUEST", _NO_STREAM)
            return await self._stream(request, query, operation, context)
        if accepted.media_type is None and not accepted.takes_stream:
            message = Message("The Accept header must allow {media_type}.", media_type=responses.JSON)
            raise errors.HTTPError(406, "BAD_REQUEST", message)
        result = await self._execute(query, operation, context)
        if lane.is_entered:
            await asyncio.sleep(0)  # let other requests run between two long steps
        response = self.writer.write(result, accepted.media_type, admitted)
        size = len(response.body)
        if size > answer_size.PIECE_BYTES:
            request.state.slots.enter_context(self.unread.sending(context.caller, size))
        return response

    async def _execute(
        self, query: str, operation: http_request.GraphQLRequest, context: object
    ) -> ExecutionResult:
        variables, name = operation.variables, operation.operation_name
        result = await self.schema.execute_cached(query, variables, name, context)
        if result is not None:
            return result
        try:
            return await self.schema.execute(query, variables, context, operation_name=name)
        except CannotGetOperationTypeError as problem:
            reason = Message("{reason}", reason=problem.as_http_error_reason())
            raise errors.HTTPError(400, "BAD_REQUEST", reason) from None

    async def _stream(
        self, request: Request, query: str, operation: http_request.GraphQLRequest, context: Any
    ) -> Response:
        request.state.slots.enter_context(self.subscriptions.slot(context.caller))
        name = operation.operation_name
        result = await self.schema.stream(query, operation.variables, context, operation_name=name)
        assert isinstance(result, SubscriptionExecutionResult)
        empty = await self.get_sub_response(request)
        results: Any = request_log.with_cost(result)
        response = await self._create_streaming_response(request, results, "sse", empty)
        response.headers.update(result_writer.NOT_STORED)
        return response

    async def get_context(
        self, request: Request | WebSocket, response: Response | WebSocket
    ) -> api_config.ApiContext:
        """Return the context of a new web socket, whose account is not known yet."""
        assert isinstance(request, WebSocket)
        return websocket.SocketContext(clock=self.clock, socket=request)

    async def on_ws_connect(self, context: api_config.ApiContext) -> UnsetType:
        """Admit a web socket and count it. Raises ConnectionRejectionError, or HTTPError if the key has too many."""
        assert isinstance(context, websocket.SocketContext)
        await context.identify()
        context.slots.enter_context(self.sockets.slot(context.caller))
        nothing: UnsetType = strawberry.UNSET  # Strawberry would send None as a payload
        return nothing

    def encode_json_string(self, data: object) -> str:
        """Return one result of an event stream as JSON, or an error in its place if it is too large."""
        return self.writer.encode_event(data)

    def _wants_page(self, request: Request) -> bool:
        return request.method == "GET" and "text/html" in request.headers.get("accept", "")
