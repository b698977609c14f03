"""An HTTP client that posts to a webhook URL, only at checked addresses, with limits on time and size.

The host is resolved once. All its addresses must be public or allowed by the settings. The connection goes to one
of these addresses, with the host name in TLS and HTTP. Redirects are not followed, cookies are not stored, and proxy
variables of the environment are ignored.
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
from renewals.domain import stored_messages
from renewals.domain.messages import InvalidValueError, Message
from renewals.webhooks import bounded_network, url_policy

CONNECT_SECONDS_MAX = 5.0
RESOLVE_SECONDS_MAX = 5.0
REQUEST_SECONDS_MAX = 15.0
"""The maximum time of a request, including a new connection, until the end of the response's headers."""
BODY_SECONDS_MAX = 2.0
"""The maximum time to read the body, of which only an excerpt is kept for the owner."""
BODY_BYTES_MAX = 16_384
"""The body size above which the connection is closed instead of reused."""
EXCERPT_LENGTH_MAX = 500
ADDRESSES_TRIED_MAX = 3
IDLE_SECONDS_MAX = 5.0
USER_AGENT = "renewals-webhooks/1"

_TLS_FAILED = Message("no connection: TLS failed")
_UNREACHABLE = Message("no connection: refused or unreachable")
_TOO_LONG = Message(
    "the endpoint sent more than {count:,} bytes before the end of its response headers",
    count=bounded_network.RESPONSE_BYTES_MAX,
)

Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""A function that resolves a host and port to IP addresses as text."""


class WebhookResponse(NamedTuple):
    """The status and the beginning of the body of a response, or an error. A redirect has a status and an error."""

    status: int | None
    error: Message | None = None
    excerpt: str = ""
    retry_after: str | None = None

    @property
    def stored_error(self) -> str | None:
        """The error as JSON text, as the tables store it, or None."""
        return None if self.error is None else stored_messages.dumps(self.error)


class UrlNotAllowedError(Exception):
    """The error for a URL that is forbidden, or whose host is not resolved or has a forbidden address.

    The reason does not name the address.
    """

    def __init__(self, reason: Message) -> None:
        super().__init__(reason)
        self.reason = reason


async def resolve(host: str, port: int) -> Sequence[str]:
    """Return the IP addresses of a host from the resolver of the operating system. Raises OSError or UnicodeError."""
    results = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in results]


class PinnedClient:
    """A client for one URL that connects only to the addresses that were checked when it was opened."""

    def __init__(
        self, target: url_policy.WebhookUrl, addresses: Sequence[str], transport: httpx2.AsyncHTTPTransport
    ) -> None:
        self._target = target
        self._addresses = list(addresses)
        self._transport = transport

    async def post(self, body: bytes, headers: Mapping[str, str]) -> WebhookResponse:
        """Post JSON and return the response; errors of the network and of the receiver are returned, not raised."""
        try:
            async with asyncio.timeout(REQUEST_SECONDS_MAX):
                response = await self._send(body, headers)
        except TimeoutError:
            return WebhookResponse(
                None, Message("no response within {seconds} seconds", seconds=round(REQUEST_SECONDS_MAX))
            )
        except httpx2.ConnectTimeout:
            return WebhookResponse(
                None, Message("no connection within {seconds} seconds", seconds=round(CONNECT_SECONDS_MAX))
            )
        except httpx2.ConnectError as error:
            return WebhookResponse(None, _TLS_FAILED if _is_tls(error) else _UNREACHABLE)
        except httpx2.TransportError as error:
            if str(error) == bounded_network.TOO_LONG:
                return WebhookResponse(None, _TOO_LONG)
            return WebhookResponse(
                None, Message("the connection failed: {error}", error=type(error).__name__)
            )
        excerpt = await _read_excerpt(response)
        redirect = Message("redirects are not followed") if response.is_redirect else None
        return WebhookResponse(response.status_code, redirect, excerpt, response.headers.get("retry-after"))

    async def _send(self, body: bytes, headers: Mapping[str, str]) -> httpx2.Response:
        while True:
            address = self._addresses[0]
            try:
                return await self._transport.handle_async_request(self._request(address, body, headers))
            except (httpx2.ConnectError, httpx2.ConnectTimeout):
                # Nothing has been sent yet, so the next address can be tried.
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
    """Open a client for a URL.

    Raises UrlNotAllowedError if the URL or an address of its host is forbidden, or the host cannot be resolved.
    """
    settings = config.get_settings()
    try:
        target = url_policy.parse_webhook_url(
            url,
            allows_http=settings.webhook_http,
            ports=settings.webhook_ports,
            networks=settings.webhook_networks,
        )
    except InvalidValueError as error:
        raise UrlNotAllowedError(Message("the URL {problem}", problem=error.reason)) from None
    addresses = await _resolve_public(target, resolver)
    transport = httpx2.AsyncHTTPTransport(verify=_tls())
    transport._pool = httpcore2.AsyncConnectionPool(
        ssl_context=_tls(),
        max_connections=settings.webhook_requests_at_once,
        keepalive_expiry=IDLE_SECONDS_MAX,
        network_backend=bounded_network.BoundedBackend(),  # for which httpx2 has no argument
    )
    try:
        yield PinnedClient(target, addresses, transport)
    finally:
        await transport.aclose()


async def _resolve_public(target: url_policy.WebhookUrl, resolver: Resolver) -> list[str]:
    """Return at most ADDRESSES_TRIED_MAX addresses of the host.

    Raises UrlNotAllowedError if the host cannot be resolved or one of its addresses is not allowed.
    """
    try:
        async with asyncio.timeout(RESOLVE_SECONDS_MAX):
            addresses = list(dict.fromkeys(await resolver(target.host, target.port)))
    except (OSError, UnicodeError):  # a TimeoutError is an OSError
        addresses = []
    if not addresses:
        raise UrlNotAllowedError(Message("the host could not be resolved"))
    networks = config.get_settings().webhook_networks
    if not all(
        url_policy.is_public_address(ipaddress.ip_address(address), networks) for address in addresses
    ):
        raise UrlNotAllowedError(Message("the host has a private or reserved address"))
    return addresses[:ADDRESSES_TRIED_MAX]


async def _read_excerpt(response: httpx2.Response) -> str:
    """Return the beginning of the body as text; stop reading after BODY_BYTES_MAX bytes."""
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
        character if character.isprintable() or character == "\n" else "\N{REPLACEMENT CHARACTER}"
        for character in text
    )


def _is_tls(error: BaseException | None) -> bool:
    while error and not isinstance(error, ssl.SSLError):
        error = error.__cause__ or error.__context__
    return error is not None


def parse_retry_after(retry_after: str | None, now: dt.datetime) -> float | None:
    """Return the seconds that a Retry-After header requests (RFC 9110 10.2.3), or None if it is missing or invalid."""
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
    """Return the TLS context, which is built only once, because building it takes longer than a typical delivery."""
    return httpx2.create_ssl_context()
