"""Posts to a URL that a customer chose: only to addresses that were looked at, bounded in time and in size.

A host is resolved here, every one of its addresses must be allowed, and the connection goes to one of these, with
the host's name for TLS and for HTTP. Nothing is resolved twice, no redirect is followed, no cookie is kept, and no
proxy of the environment is asked.
"""

import asyncio
import contextlib
import datetime as dt
import email.utils
import functools
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple

import httpcore2
import httpx2

from renewals import config
from renewals.webhooks import bounded_network, url_policy

CONNECT_SECONDS_MAX = 5.0
RESOLVE_SECONDS_MAX = 5.0
REQUEST_SECONDS_MAX = 15.0
"""From the first byte sent to the status; also what the resolving and connecting takes is in it."""
BODY_SECONDS_MAX = 2.0
"""What was answered is known by then: the body is for the log alone."""
BODY_BYTES_MAX = 16_384
"""An answer with more costs the connection."""
EXCERPT_LENGTH_MAX = 500
ADDRESSES_TRIED_MAX = 3
IDLE_SECONDS_MAX = 5.0
USER_AGENT = "renewals-webhooks/1"

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""The addresses of a host, as text."""


class WebhookResponse(NamedTuple):
    """What became of a request: a status and the beginning of the body, or without a status an error."""

    status: int | None
    error: str | None = None
    excerpt: str = ""
    retry_after: str | None = None


class UrlNotAllowedError(Exception):
    """A URL may not be asked, or its host is not to be found; says why, and never an address."""


async def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a host by the system's resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


class PinnedClient:
    """Keeps the connections to one URL, all of them to addresses that were looked at when it was opened."""

    def __init__(
        self, target: url_policy.WebhookUrl, found: Sequence[str], transport: httpx2.AsyncHTTPTransport
    ) -> None:
        self._target = target
        self._addresses = list(found)
        self._transport = transport

    async def post(self, body: bytes, headers: Mapping[str, str]) -> WebhookResponse:
        """Posts JSON; never raises for what the other side does."""
        try:
            async with asyncio.timeout(REQUEST_SECONDS_MAX):
                response = await self._send(body, headers)
        except TimeoutError:
            return WebhookResponse(None, f"no answer within {REQUEST_SECONDS_MAX:.0f} seconds")
        except httpx2.ConnectTimeout:
            return WebhookResponse(None, f"no connection within {CONNECT_SECONDS_MAX:.0f} seconds")
        except httpx2.ConnectError as problem:
            reason = "TLS failed" if _is_tls(problem) else "refused or unreachable"
            return WebhookResponse(None, f"no connection: {reason}")
        except httpx2.TransportError as problem:
            if str(problem) == bounded_network.TOO_LONG:
                return WebhookResponse(None, bounded_network.TOO_LONG)
            return WebhookResponse(None, f"the connection broke: {type(problem).__name__}")
        excerpt = await _read_excerpt(response)
        error = "a redirect, which is not followed" if response.is_redirect else None
        return WebhookResponse(response.status_code, error, excerpt, response.headers.get("retry-after"))

    async def _send(self, body: bytes, headers: Mapping[str, str]) -> httpx2.Response:
        while True:
            address = self._addresses[0]
            try:
                return await self._transport.handle_async_request(self._request(address, body, headers))
            except (httpx2.ConnectError, httpx2.ConnectTimeout):
                # Nothing was sent yet: the host may be there at another of its addresses.
                if address == self._addresses[0]:
                    self._addresses.pop(0)
                if not self._addresses:
                    self._addresses.append(address)
                    raise

    def _request(self, address: str, body: bytes, headers: Mapping[str, str]) -> httpx2.Request:
        target = self._target
        host = f"[{address}]" if ":" in address else address
        return httpx2.Request(
            "POST",
            f"{target.scheme}://{host}:{target.port}{target.path}",
            headers={
                "host": target.netloc,
                "content-type": "application/json",
                "user-agent": USER_AGENT,
                "accept-encoding": "identity",
                **headers,
            },
            content=body,
            extensions={
                "sni_hostname": target.host,
                "timeout": {
                    "connect": CONNECT_SECONDS_MAX,
                    "read": REQUEST_SECONDS_MAX,
                    "write": REQUEST_SECONDS_MAX,
                    "pool": REQUEST_SECONDS_MAX,
                },
            },
        )


@contextlib.asynccontextmanager
async def open_client(url: str, resolver: Resolver = resolve) -> AsyncIterator[PinnedClient]:
    """A line to a URL; raises UrlNotAllowedError where the settings or the host's addresses forbid it."""
    settings = config.get_settings()
    try:
        target = url_policy.parse_webhook_url(
            url,
            allows_http=settings.webhook_http,
            ports=settings.webhook_ports,
            networks=settings.webhook_networks,
        )
    except ValueError as problem:
        raise UrlNotAllowedError(f"the URL {problem}") from None
    found = await _find(target, resolver)
    transport = httpx2.AsyncHTTPTransport(verify=_tls())
    transport._pool = httpcore2.AsyncConnectionPool(
        ssl_context=_tls(),
        max_connections=settings.webhook_requests_at_once,
        keepalive_expiry=IDLE_SECONDS_MAX,
        network_backend=bounded_network.BoundedBackend(),  # for which httpx2 has no argument
    )
    try:
        yield PinnedClient(target, found, transport)
    finally:
        await transport.aclose()


async def _find(target: url_policy.WebhookUrl, resolver: Resolver) -> list[str]:
    """The addresses of a target, all of them allowed."""
    try:
        async with asyncio.timeout(RESOLVE_SECONDS_MAX):
            found = list(dict.fromkeys(await resolver(target.host, target.port)))
    except (OSError, UnicodeError):  # a TimeoutError is an OSError
        found = []
    if not found:
        raise UrlNotAllowedError("the host was not found")
    networks = config.get_settings().webhook_networks
    if not all(url_policy.is_public_address(ipaddress.ip_address(each), networks) for each in found):
        raise UrlNotAllowedError("the host has a private or reserved address")
    return found[:ADDRESSES_TRIED_MAX]


async def _read_excerpt(response: httpx2.Response) -> str:
    """The beginning of a body as text; reads on to its end only where it is short."""
    body = b""
    size = 0
    with contextlib.suppress(TimeoutError, httpx2.TransportError):
        async with asyncio.timeout(BODY_SECONDS_MAX):
            async for part in response.aiter_raw():
                body += part[: max(0, EXCERPT_LENGTH_MAX - len(body))]
                size += len(part)
                if size > BODY_BYTES_MAX:
                    break
    with contextlib.suppress(httpx2.TransportError):
        await response.aclose()
    text = body.decode(errors="replace")
    return "".join(
        letter if letter.isprintable() or letter == "\n" else "\N{REPLACEMENT CHARACTER}" for letter in text
    )


def _is_tls(problem: BaseException | None) -> bool:
    while problem and not isinstance(problem, ssl.SSLError):
        problem = problem.__cause__ or problem.__context__
    return problem is not None


def parse_retry_after(retry_after: str | None, now: dt.datetime) -> float | None:
    """What a Retry-After header asks for, in seconds or as a date; None without one that can be read."""
    if retry_after is None:
        return None
    if retry_after.isascii() and retry_after.isdigit():
        return float(retry_after[:9])
    try:
        until = email.utils.parsedate_to_datetime(retry_after)
        return max(0.0, (until.replace(tzinfo=until.tzinfo or dt.UTC) - now).total_seconds())
    except (ValueError, OverflowError):
        return None


@functools.cache
def _tls() -> ssl.SSLContext:
    """Made once: it takes longer than many a delivery."""
    return httpx2.create_ssl_context()
