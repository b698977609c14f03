"""The ASGI application: /graphql, /operator/graphql, exports, the calendar, GraphiQL's files, and the probes."""

import asyncio
import contextlib
import signal
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from types import FrameType

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette_compress import CompressMiddleware, add_compress_type

from graphql_api import responses
from graphql_api.auth import jwt_tokens
from graphql_api.graphql import graphiql, persisted_queries, view
from graphql_api.limits import concurrency, spending
from graphql_api.middleware import request_log, request_logging, security_headers, slow_clients, trusted_host
from graphql_api.rest import calendar_feed, exports, probes
from graphql_api.server import graceful_shutdown
from renewals import config
from renewals.accounts import api_keys
from renewals.compute import process_pool
from renewals.db import connection as database
from renewals.domain import clock as clocks
from renewals.domain.clock import Clock
from renewals.events import pubsub
from renewals.exports import formats
from renewals.instances import account_sizes
from renewals.observability import gc_tuning, spans
from schema.customer import schema as customer_schema
from schema.limits import document_limits
from schema.operator import schema as operator_schema

COMPRESSED_FROM_BYTES = 1_000
_EXAMPLES = Path(__file__).parent / "graphql"
EXAMPLE_QUERY = (_EXAMPLES / "example.graphql").read_text(encoding="utf-8")
OPERATOR_EXAMPLE_QUERY = (_EXAMPLES / "operator_example.graphql").read_text(encoding="utf-8")


def create(
    limits: config.Settings | None = None,
    *,
    clock: Clock = clocks.utc_now,
    serves_customers: bool = True,
) -> ASGIApp:
    """The application for the settings of the environment, or for those given."""
    settings = limits or config.get_settings()
    trusted = persisted_queries.load_trusted_documents(
        settings, document_limits.Limits.of(settings), customer_schema.schema, operator_schema.schema
    )
    endpoints: list[view.GraphQLView] = []
    requests = concurrency.RequestLimiter()
    sizes = account_sizes.AccountSizes()
    probing = probes.ProbeRoutes(settings, clock)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        gc_tuning.tune_gc()
        async with (
            database.connect_from_settings(settings),
            pubsub.connect(settings.redis_url, listening=True),
            api_keys.track_last_used(),
            process_pool.opened(settings),
            jwt_tokens.opened(settings),
            probing.running(),
            contextlib.AsyncExitStack() as counting,
        ):
            for endpoint in endpoints:
                await counting.enter_async_context(endpoint.budgets.opened(settings.redis_url))
            with spans.running(settings, "renewals-api"), _close_subscriptions_on_shutdown():
                try:
                    yield
                finally:
                    request_log.flush()

    routes: list[BaseRoute] = []
    straight: dict[str, ASGIApp] = {}

    def serve(path: str, door: view.ApiConfig, example_query: str, key: str | None) -> None:
        page = graphiql.page(example_query, _headers(key)) if settings.graphiql else None
        endpoint = view.GraphQLView(
            door,
            clock=clock,
            settings=settings,
            trusted=trusted,
            requests=requests,
            sizes=sizes,
            graphiql_page=page,
        )
        endpoints.append(endpoint)
        straight[path] = endpoint
        routes.append(Route(path, endpoint))
        if door.has_subscriptions:
            routes.append(WebSocketRoute(path, endpoint))

    if serves_customers:
        serve("/graphql", view.CUSTOMERS, EXAMPLE_QUERY, settings.graphiql_key)
        spending_of_accounts = spending.Spending(endpoints[0].budgets, sizes)
        routes += exports.Exports(settings, clock, requests, spending_of_accounts).routes()
        routes.append(
            Route(
                calendar_feed.PATH,
                calendar_feed.CalendarFeed(settings, clock, requests, spending_of_accounts).respond,
                methods=["GET"],
            )
        )
    if settings.operator_api or not serves_customers:
        serve("/operator/graphql", view.OPERATORS, OPERATOR_EXAMPLE_QUERY, settings.graphiql_operator_key)
    routes += probing.routes()
    if settings.graphiql:
        if graphiql.FOLDER.is_dir():
            routes.append(Mount(graphiql.PREFIX, StaticFiles(directory=graphiql.FOLDER)))
        page_path = next(iter(straight))
        routes.append(Route("/", lambda _: RedirectResponse(page_path), methods=["GET"]))
    add_compress_type(responses.RESPONSE)
    for writer in (formats.CSV, formats.JSONL):
        add_compress_type(writer.media_type.partition(";")[0], streaming=True)  # flushed piece by piece
    served = Starlette(routes=routes, lifespan=lifespan, exception_handlers={Exception: _leave})
    inner = security_headers.with_cors(DirectRoutes(served, straight), settings.cors_origins)
    if settings.graphiql and (settings.graphiql_key or settings.graphiql_operator_key):
        inner = trusted_host.TrustedHostMiddleware(inner, settings.host)
    recorded = request_logging.RequestLoggingMiddleware(inner)
    return slow_clients.SlowClientMiddleware(
        graceful_shutdown.ConnectionCloseMiddleware(security_headers.SecurityHeadersMiddleware(recorded))
    )


class DirectRoutes:
    """An application that compresses, of which some paths lead straight to their endpoint.

    What is asked most is looked for nowhere, and compressed for those alone who take it so: nothing else keeps it, who
    would have to be told of that. Web sockets are left to the routes, which know where there are any.
    """

    def __init__(self, app: ASGIApp, endpoints: Mapping[str, ASGIApp]) -> None:
        self._app = _compressed(app)
        self._endpoints = endpoints
        self._compressed = {path: _compressed(endpoint) for path, endpoint in endpoints.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"] if scope["type"] == "http" else ""
        if path not in self._endpoints:
            app = self._app
        elif b"accept-encoding" in dict(scope["headers"]):
            app = self._compressed[path]
        else:
            app = self._endpoints[path]
        await app(scope, receive, send)


def _compressed(app: ASGIApp) -> ASGIApp:
    return CompressMiddleware(app, minimum_size=COMPRESSED_FROM_BYTES)


def create_for_operators() -> ASGIApp:
    """The application that serves the provider's side alone, for a port of its own."""
    return create(serves_customers=False)


async def _leave(_: Request, problem: Exception) -> Response:
    """Leaves what nobody has answered to `request_logging`; Starlette would answer it by itself."""
    raise problem


@contextlib.contextmanager
def _close_subscriptions_on_shutdown() -> Iterator[None]:
    """Ends the subscriptions as soon as the process is told to stop: uvicorn waits for all that is under way."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    found = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    handlers = {number: handler for number, handler in found.items() if callable(handler)}

    def stop(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(pubsub.close_all)
        handlers[signal.Signals(number)](number, frame)

    for number in handlers:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _headers(key: str | None) -> str | None:
    return orjson.dumps({"Authorization": f"Bearer {key}"}).decode() if key else None
