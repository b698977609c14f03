"""The MCP server: over standard input and output for one key, or over HTTP for the key of each caller."""

import importlib.metadata
import logging
import socket

import httpx2
import uvicorn
from mcp.server.mcpserver import MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from starlette.types import ASGIApp

from graphql_api.mcp import request_checks
from graphql_api.mcp.api_client import ApiClient
from graphql_api.mcp.change_tools import ChangeTools
from graphql_api.mcp.read_tools import ReadTools

log = logging.getLogger(__name__)

PATH = "/mcp"
_LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")
INSTRUCTIONS = (
    "Renewal management of prepaid cloud instances. Reading is free. Before a payment, call its quote tool, and show "
    "the customer the total and the refused instances. Pay only when the customer agrees: send the quote's total as "
    "expectedTotal, and its idempotencyKey. If a response is lost, repeat the same call: it pays only once. Before "
    "set_renewal_policy, call preview_renewal_policy. Amounts are in the account's currency, days in its time zone."
)


def build(api: ApiClient) -> MCPServer[None]:
    """Return the MCP server, whose tools call `api`."""
    return MCPServer(
        "renewals",
        title="Renewals",
        version=importlib.metadata.version("renewals"),
        instructions=INSTRUCTIONS,
        tools=[*ReadTools(api).tools(), *ChangeTools(api).tools()],
        subscriptions=False,
    )


def build_app(server: MCPServer[None], allowed_hosts: tuple[str, ...] = ()) -> ASGIApp:
    """Return the application that serves MCP over HTTP, without sessions.

    It refuses hosts and origins other than loopback names and `allowed_hosts`, which prevents DNS rebinding. It also
    refuses requests without the header Authorization, and methods other than POST.
    """
    names = (*_LOOPBACK_NAMES, *allowed_hosts)
    security = TransportSecuritySettings(
        allowed_hosts=[*names, *(f"{name}:*" for name in names)],
        allowed_origins=[
            f"{scheme}://{name}{port}"
            for scheme in ("http", "https")
            for name in names
            for port in ("", ":*")
        ],
    )
    app = server.streamable_http_app(
        streamable_http_path=PATH, stateless_http=True, json_response=True, transport_security=security
    )
    return request_checks.RequestChecksMiddleware(app)


def _log_errors_only() -> None:
    """Log only warnings and errors of the libraries: their other messages contain addresses and callers' arguments."""
    for name in ("httpx2", "mcp"):
        logging.getLogger(name).setLevel(logging.WARNING)


async def run_stdio(url: str, key: str, language: str) -> None:
    """Serve over standard input and output for the account of a key."""
    _log_errors_only()
    async with httpx2.AsyncClient() as http:
        await build(ApiClient(http, url, language=language, authorization=f"Bearer {key}")).run_stdio_async()


async def run_http(url: str, language: str, host: str, port: int, allowed_hosts: tuple[str, ...]) -> None:
    """Serve over streamable HTTP; each caller sends its own key. Raises OSError if it cannot listen on the address."""
    async with httpx2.AsyncClient() as http:
        app = build_app(build(ApiClient(http, url, language=language)), allowed_hosts)
        configuration = uvicorn.Config(app, log_config=None, access_log=False, server_header=False)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.create_server((host, port), family=family) as listener:
            _log_errors_only()
            log.info(
                "the MCP server listens at http://%s:%d%s", f"[{host}]" if ":" in host else host, port, PATH
            )
            await uvicorn.Server(configuration).serve([listener])
