"""The ASGI application: both GraphQL APIs, exports, the calendar, the console, GraphiQL's files, and the probes."""

import asyncio
import contextlib
import signal
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import NamedTuple

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Lifespan
from starlette_compress import add_compress_type

from graphql_api import responses
from graphql_api.auth import jwt_tokens
from graphql_api.graphql import api_config, console_queries, graphiql, trusted_documents, view
from graphql_api.limits import concurrency, export_costs
from graphql_api.middleware import (
    direct_routes,
    request_language,
    request_log,
    request_logging,
    response_headers,
    slow_clients,
    trusted_host,
)
from graphql_api.rest import api_probes, calendar_endpoint, console, exports
from graphql_api.server import graceful_shutdown
from renewals import config
from renewals.accounts import api_keys
from renewals.compute import process_pool
from renewals.db import connection as database
from renewals.domain import clock as clocks
from renewals.domain.clock import Clock
from renewals.events import pubsub
from renewals.exports import formats
from renewals.i18n import catalogs
from renewals.instances import account_sizes
from renewals.observability import gc_tuning, tracing
from schema.limits import document_limits

_EXAMPLES = Path(__file__).parent / "graphql"
EXAMPLE_QUERY = (_EXAMPLES / "example.graphql").read_text(encoding="utf-8")
OPERATOR_EXAMPLE_QUERY = (_EXAMPLES / "operator_example.graphql").read_text(encoding="utf-8")

CUSTOMER_PATH = "/graphql"
OPERATOR_PATH = "/operator/graphql"


def create(
    settings: config.Settings | None = None,
    *,
    clock: Clock = clocks.utc_now,
    serves_customers: bool = True,
) -> ASGIApp:
    """Return the application for `settings`. If `settings` is None, use the settings of the environment.

    Raises ManifestError if the trusted documents of the settings cannot be used.
    """
    settings = settings or config.get_settings()
    shared = _Shared(settings, clock, concurrency.RequestLimiter(), account_sizes.AccountSizes())
    views = _build_views(shared, serves_customers=serves_customers)
    probe_routes = api_probes.ProbeRoutes(settings, clock)
    routes: list[BaseRoute] = []
    for path, endpoint in views.items():
        routes.append(Route(path, endpoint))
        if endpoint.protocols:
            routes.append(WebSocketRoute(path, endpoint))
    if serves_customers:
        routes += _build_rest_routes(shared, views[CUSTOMER_PATH])
    routes += probe_routes.routes()
    routes += _build_page_routes(settings, next(iter(views)), serves_customers=serves_customers)
    _register_compressible_types()
    starlette = Starlette(
        routes=routes,
        lifespan=_lifespan(settings, [*views.values()], probe_routes),
        exception_handlers={Exception: _reraise},
    )
    return _wrap(direct_routes.DirectRoutes(starlette, views), settings)


def create_for_operators() -> ASGIApp:
    """Return the application that serves the operator API without the customer API, for use on a separate port."""
    return create(serves_customers=False)


class _Shared(NamedTuple):
    """Objects that the endpoints of the application share."""

    settings: config.Settings
    clock: Clock
    requests: concurrency.RequestLimiter
    sizes: account_sizes.AccountSizes


def _build_views(shared: _Shared, *, serves_customers: bool) -> dict[str, view.GraphQLView]:
    settings = shared.settings
    customers, operators = api_config.customers(settings), api_config.operators(settings)
    trusted = trusted_documents.load_trusted_documents(
        settings,
        document_limits.Limits.of(settings),
        customers.schema,
        operators.schema,
        built_manifest=console.MANIFEST if settings.console else None,
    )

    def build(
        api: api_config.ApiConfig, example_query: str, key: str | None, more_examples: Sequence[str] = ()
    ) -> view.GraphQLView:
        return view.GraphQLView(
            api,
            clock=shared.clock,
            settings=settings,
            trusted=trusted,
            requests=shared.requests,
            sizes=shared.sizes,
            graphiql_page=(
                graphiql.page(example_query, _headers(key), more_examples=more_examples)
                if settings.graphiql
                else None
            ),
        )

    views = {}
    if serves_customers:
        views[CUSTOMER_PATH] = build(
            customers, EXAMPLE_QUERY, settings.graphiql_key, console_queries.read_all()
        )
    if settings.operator_api or not serves_customers:
        views[OPERATOR_PATH] = build(operators, OPERATOR_EXAMPLE_QUERY, settings.graphiql_operator_key)
    return views


def _build_rest_routes(shared: _Shared, customers: view.GraphQLView) -> list[Route]:
    settings, clock, requests, sizes = shared
    costs_of_exports = export_costs.ExportCosts(customers.budgets, sizes)
    feed = calendar_endpoint.CalendarFeed(settings, clock, requests, costs_of_exports)
    return [
        *exports.Exports(settings, clock, requests, costs_of_exports).routes(),
        Route(calendar_endpoint.PATH, feed.respond, methods=["GET"]),
    ]


def _build_page_routes(
    settings: config.Settings, graphiql_path: str, *, serves_customers: bool
) -> list[BaseRoute]:
    """Return the routes of the console and of GraphiQL's files, and a redirect from / to the console, else to GraphiQL.

    Routes of a page that the settings disable are left out.
    """
    routes: list[BaseRoute] = []
    has_console = settings.console and serves_customers
    if has_console:
        routes += console.Console(settings).routes()
    if settings.graphiql and graphiql.FOLDER.is_dir():
        routes.append(Mount(graphiql.PREFIX, StaticFiles(directory=graphiql.FOLDER)))
    if has_console or settings.graphiql:
        first = f"{console.PREFIX}/" if has_console else graphiql_path
        routes.append(Route("/", lambda _: RedirectResponse(first), methods=["GET"]))
    return routes


def _register_compressible_types() -> None:
    add_compress_type(responses.RESPONSE)
    for writer in (formats.CSV, formats.JSONL):
        # With `streaming`, the compressor passes each piece of an export on without waiting for the next one.
        add_compress_type(writer.media_type.partition(";")[0], streaming=True)


def _wrap(app: ASGIApp, settings: config.Settings) -> ASGIApp:
    """Return the application wrapped in its middleware. The middleware that is added last is the outermost."""
    app = response_headers.with_cors(app, settings.cors_origins)
    has_page = settings.graphiql or settings.console
    if has_page and (settings.graphiql_key or settings.graphiql_operator_key):
        app = trusted_host.TrustedHostMiddleware(app, settings.host)
    app = request_logging.RequestLoggingMiddleware(app)
    app = response_headers.ResponseHeadersMiddleware(app, graceful_shutdown.is_draining)
    app = request_language.RequestLanguageMiddleware(app)
    return slow_clients.SlowClientMiddleware(app)


def _lifespan(
    settings: config.Settings, views: list[view.GraphQLView], probe_routes: api_probes.ProbeRoutes
) -> Lifespan[Starlette]:
    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        gc_tuning.tune_gc()
        catalogs.load()
        async with (
            database.connect_from_settings(settings),
            pubsub.connect(settings.redis_url, listening=True),
            api_keys.track_last_used(),
            process_pool.opened(settings),
            jwt_tokens.opened(settings),
            probe_routes.running(),
            contextlib.AsyncExitStack() as budgets,
        ):
            for endpoint in views:
                await budgets.enter_async_context(endpoint.budgets.opened(settings.redis_url))
            with tracing.configure(settings, "renewals-api"), _close_subscriptions_on_shutdown():
                try:
                    yield
                finally:
                    request_log.flush()

    return lifespan


async def _reraise(_: Request, problem: Exception) -> Response:
    """Raise an unexpected error again, so that `RequestLoggingMiddleware` handles it instead of Starlette."""
    raise problem


@contextlib.contextmanager
def _close_subscriptions_on_shutdown() -> Iterator[None]:
    """End the subscriptions on SIGTERM and SIGINT; otherwise, uvicorn would wait for them before it stops."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    previous = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    handlers = {number: handler for number, handler in previous.items() if callable(handler)}

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
    """Return GraphiQL's request headers with a key, as JSON, or None if there is no key."""
    return orjson.dumps({"Authorization": f"Bearer {key}"}).decode() if key else None
