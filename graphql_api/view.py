"""GraphQL over HTTP: who asks is settled before anything is parsed, and every error is JSON with a code."""

import dataclasses
import functools
import logging
import secrets
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import orjson
import strawberry
from cross_web import HTTPException
from graphql import GraphQLError, OperationType, get_operation_ast, parse
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.http import process_result
from strawberry.subscriptions import GRAPHQL_SSE_PROTOCOL, GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types.unset import UnsetType

from graphql_api import authentication, sockets
from renewals import clocks
from schema import build
from schema.context import Context
from schema.operator import build as operator_build
from schema.operator import context as operator_context

log = logging.getLogger(__name__)

_PLAIN = frozenset({"application/json", "application/json; charset=utf-8"})
_MEMBERS = frozenset({"query", "variables", "operationName"})


_PROTOCOLS = (GRAPHQL_TRANSPORT_WS_PROTOCOL, GRAPHQL_SSE_PROTOCOL)

Admit = Callable[[str, clocks.Clock], Awaitable[Any]]
"""Answers the context of whoever sends an Authorization header, or None if its key does not open this door."""


class Door(NamedTuple):
    """A schema, and who may ask it."""

    schema: build.RenewalSchema
    admit: Admit
    has_subscriptions: bool


async def _admit_customer(header: str, clock: clocks.Clock) -> Context | None:
    customer = await authentication.identify_customer(header, clock())
    if customer is None or customer.account_id is None:
        return None
    is_admitted = functools.partial(authentication.holds, header, customer.account_id, clock)
    return Context(customer.account_id, clock, authentication.may_change(customer), is_admitted)


async def _admit_operator(header: str, clock: clocks.Clock) -> operator_context.Context | None:
    operator = await authentication.identify_operator(header, clock())
    return None if operator is None else operator_context.Context(operator=operator, clock=clock)


CUSTOMERS = Door(build.schema, _admit_customer, has_subscriptions=True)
OPERATORS = Door(operator_build.schema, _admit_operator, has_subscriptions=False)


class GraphQLView(GraphQL[Any, None]):
    """Strawberry's view with our identity, our errors and a GraphiQL page that needs no network."""

    websocket_adapter_class = sockets.Adapter
    graphql_transport_ws_handler_class = sockets.Handler

    def __init__(self, door: Door, *, clock: clocks.Clock, graphiql_page: str | None) -> None:
        self.schema: build.RenewalSchema
        super().__init__(
            schema=door.schema,
            graphql_ide="graphiql" if graphiql_page else None,
            subscription_protocols=_PROTOCOLS if door.has_subscriptions else (),
            connection_init_wait_timeout=sockets.INIT_TIME_MAX,
            max_subscriptions_per_connection=sockets.OPERATIONS_MAX,
        )
        self.admit = door.admit
        self.clock = clock
        self.graphiql_page = graphiql_page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self.run(WebSocket(scope, receive, send))
            return
        request = Request(scope, receive)
        response = await self._respond(request)
        try:
            await response(scope, receive, send)
        finally:
            if isinstance(response, StreamingResponse):  # a reader that has gone leaves the stream standing
                await response.body_iterator.aclose()  # type: ignore[attr-defined]

    async def _respond(self, request: Request) -> Response:
        try:
            if self.graphiql_page and self._asks_for_page(request):
                return HTMLResponse(self.graphiql_page)
            context = await self.admit(request.headers.get("authorization", ""), self.clock)
            if context is None:
                return unauthenticated("Send an API key: Authorization: Bearer <key>.")
            request.state.context = context
            if (known := await self._respond_again(request, context)) is not None:
                return known
            request.scope["headers"] = [_lower_media_type(header) for header in request.scope["headers"]]
            return await self.run(request)
        except HTTPException as refused:
            return error(refused.status_code, "BAD_REQUEST", refused.reason)
        except Exception as problem:  # noqa: BLE001 - the last line: a client is told nothing, the log everything
            return failed(problem)

    async def _respond_again(self, request: Request, context: object) -> Response | None:
        """Answers a plain request for an operation that was valid before; None leaves it to Strawberry."""
        headers = request.headers
        is_plain = request.method == "POST" and headers.get("content-type") in _PLAIN
        if not is_plain or not _takes_json(headers.get("accept", "")):
            return None
        try:
            asked = orjson.loads(await request.body())
        except ValueError:
            return None
        if type(asked) is not dict or not asked.keys() <= _MEMBERS:
            return None
        query, variables, name = asked.get("query"), asked.get("variables"), asked.get("operationName")
        if (
            type(query) is not str
            or not isinstance(variables, dict | None)
            or not isinstance(name, str | None)
        ):
            return None
        result = await self.schema.execute_again(query, variables or {}, name, context)
        if result is None:
            return None
        return Response(self.encode_json(process_result(result)), media_type="application/json")

    async def execute_operation(
        self, request: Request, request_adapter: Any, request_data: Any, *rest: Any, **named: Any
    ) -> Any:
        """Streams what can only be streamed: many clients take events as well as JSON, whatever they ask for."""
        subscribes = _subscribes(request_data.query, request_data.operation_name)
        if request_data.protocol == "http" and subscribes:
            raise HTTPException(
                400, "A subscription is served over a web socket, or to Accept: text/event-stream."
            )
        if not subscribes and _takes_json(request.headers.get("accept", "")):
            request_data = dataclasses.replace(request_data, protocol="http")
        return await super().execute_operation(request, request_adapter, request_data, *rest, **named)

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Any:
        if isinstance(request, WebSocket):
            return sockets.SocketContext(clock=self.clock, socket=request)
        return request.state.context

    async def on_ws_connect(self, context: Context) -> UnsetType:
        assert isinstance(context, sockets.SocketContext)
        await context.identify()
        nothing: UnsetType = strawberry.UNSET  # None would be sent as a payload
        return nothing

    def decode_json(self, data: str | bytes) -> Any:
        decoded = orjson.loads(data)
        if not isinstance(decoded, dict):
            raise HTTPException(400, "The body must be a JSON object with a query.")
        return decoded

    def encode_json(self, data: object) -> bytes:
        return orjson.dumps(data)

    def _asks_for_page(self, request: Request) -> bool:
        return request.method == "GET" and "text/html" in request.headers.get("accept", "")


def _takes_json(accept: str) -> bool:
    return not accept or "json" in accept or "*/*" in accept or "application/*" in accept


def _subscribes(query: str | None, name: str | None) -> bool:
    if query is None or "subscription" not in query:
        return False
    try:
        operation = get_operation_ast(parse(query), name)
    except GraphQLError:
        return False
    return operation is not None and operation.operation is OperationType.SUBSCRIPTION


def _lower_media_type(header: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    """Media types are the same in any case, which Strawberry does not know."""
    name, value = header
    return (name, value.lower()) if name == b"content-type" else header


def error(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Response:
    """An answer without data, in the shape of every GraphQL error."""
    body = orjson.dumps({"data": None, "errors": [{"message": message, "extensions": {"code": code}}]})
    return Response(body, status, headers, media_type="application/json")


def unauthenticated(message: str) -> Response:
    """The answer to whoever sends no key that opens what is asked for."""
    return error(401, "UNAUTHENTICATED", message, {"WWW-Authenticate": "Bearer"})


def failed(problem: Exception) -> Response:
    """The answer to what went wrong on our side: an id that stands beside the traceback in the log."""
    error_id = secrets.token_hex(8)
    log.error("internal error %s", error_id, exc_info=problem)
    return error(500, "INTERNAL", f"Something went wrong on our side ({error_id}).")
