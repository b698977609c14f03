"""`renewals mcp`: serve the customer API as tools for agents."""

import enum
import os
import urllib.parse
from typing import Annotated

import typer

from graphql_api.cli import output_language
from graphql_api.server import bootstrap

KEY_VARIABLE = "GRAPHQL_KEY"
PORT = 8800
URL = "http://127.0.0.1:8000/graphql"


class Transport(enum.StrEnum):
    """The transport between an agent and the server."""

    STDIO = "stdio"
    HTTP = "http"


def _check_url(url: str) -> str:
    """Return the URL. Raises BadParameter if it has another scheme than HTTP, or no host."""
    try:
        parts = urllib.parse.urlsplit(url)
        is_valid = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # an invalid IPv6 address or port
        is_valid = False
    if not is_valid:
        raise typer.BadParameter(f"must look like {URL}, with http:// or https://")
    return url


def mcp(
    url: Annotated[
        str, typer.Option(help="URL of the GraphQL API.", envvar="GRAPHQL_URL", callback=_check_url)
    ] = URL,
    transport: Annotated[
        Transport,
        typer.Option(
            help="stdio uses the key in GRAPHQL_KEY; http (streamable HTTP) uses the key of each caller."
        ),
    ] = Transport.STDIO,
    host: Annotated[str, typer.Option(help="With --transport http: address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(help="With --transport http: port to listen on.", min=1, max=65535)
    ] = PORT,
    allowed_hosts: Annotated[
        list[str] | None,
        typer.Option(
            "--allow-host",
            help="With --transport http: a host to accept in Host and Origin headers. Repeat the option for several.",
        ),
    ] = None,
    lang: output_language.Lang = None,
) -> None:
    """Serve the customer API to agents over MCP.

    With stdio, GRAPHQL_KEY is the API key of the account. The package `renewals[mcp]` must be installed.
    """
    try:
        from graphql_api.mcp import server
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in ("mcp", "mcp_types"):
            raise
        bootstrap.fail("The package mcp is missing. Install it: pip install 'renewals[mcp]'")

    bootstrap.configure()
    language = output_language.choose(lang)
    if transport is Transport.HTTP:
        bootstrap.run(server.run_http(url, language, host, port, tuple(allowed_hosts or ())))
        return
    key = os.environ.get(KEY_VARIABLE)
    if not key:
        bootstrap.fail(f"{KEY_VARIABLE} is not set. Set it to an API key of the account.")
    bootstrap.run(server.run_stdio(url, key, language))
