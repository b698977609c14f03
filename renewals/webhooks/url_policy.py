"""The policy for webhook URLs and IP addresses, against server-side request forgery. No function performs I/O.

Every request goes to an address that this policy has allowed, whatever the URL or the DNS contains.
"""

import ipaddress
import re
from collections.abc import Sequence
from typing import NamedTuple

import httpx2

from renewals.domain import validation
from renewals.domain.messages import InvalidValueError, Message

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

URL_LENGTH_MAX = 2_048
_DEFAULT_PORTS = {"https": 443, "http": 80}
_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")
_AUTHORITY_ENDS = re.compile(r"[/?#]")
_NUMBER = re.compile(r"(0[xX][0-9a-fA-F]*|[0-9]+)")

_REFUSED_V4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # "this host on this network"
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier-grade NAT; metadata of a cloud at 100.100.100.200
        "127.0.0.0/8",
        "168.63.129.16/32",  # platform service of a cloud at a public address
        "169.254.0.0/16",  # link-local; metadata of most clouds at 169.254.169.254
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
_REFUSED_V6 = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # Teredo, ORCHID, benchmarking and other protocol assignments
        "2001:db8::/32",
        "2620:4f:8000::/48",
        "3fff::/20",
    )
)
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


_NO_URL = Message("is not a URL")
_HTTPS = Message("must begin with https://")
_HTTP_OR_HTTPS = Message("must begin with https:// or http://")


class WebhookUrl(NamedTuple):
    """The parts of a webhook URL. `netloc` is the value of the header Host, and `path` includes the query."""

    scheme: str
    host: str
    port: int
    netloc: str
    path: str


def parse_webhook_url(
    url: str, *, allows_http: bool, ports: Sequence[int], networks: Sequence[Network] = ()
) -> WebhookUrl:
    """Return the parts of an endpoint's URL. Raises InvalidValueError with the reason if the URL is forbidden."""
    if len(url) > URL_LENGTH_MAX:
        raise InvalidValueError(validation.at_most_characters(URL_LENGTH_MAX, url))
    if not url.isprintable() or " " in url or "\\" in url:
        raise InvalidValueError(Message("must not contain spaces, unprintable characters or backslashes"))
    try:
        parsed = httpx2.URL(url)
        host = parsed.raw_host.decode("ascii").rstrip(".")
    except (httpx2.InvalidURL, UnicodeError, ValueError):
        raise InvalidValueError(_NO_URL) from None
    if parsed.scheme not in (_DEFAULT_PORTS if allows_http else ("https",)):
        raise InvalidValueError(_HTTP_OR_HTTPS if allows_http else _HTTPS)
    if parsed.userinfo or "@" in _AUTHORITY_ENDS.split(url.split("//", 1)[-1], 1)[0]:
        raise InvalidValueError(Message("must not contain a user name or a password"))
    if "#" in url:
        raise InvalidValueError(Message("must not contain a fragment"))
    if not host:
        raise InvalidValueError(Message("must contain a host"))
    port = _DEFAULT_PORTS[parsed.scheme] if parsed.port is None else parsed.port
    if port not in ports:
        allowed = tuple(map(str, ports))
        raise InvalidValueError(
            Message("must use an allowed port ({ports}), not {port}", ports=allowed, port=port)
        )
    literal = _literal(host)
    if literal and not is_public_address(literal, networks):
        raise InvalidValueError(Message("must not point to a private or reserved address"))
    return WebhookUrl(
        parsed.scheme, host, port, parsed.netloc.decode("ascii"), parsed.raw_path.decode("ascii")
    )


def is_public_address(address: Address, networks: Sequence[Network] = ()) -> bool:
    """Return whether an address is public, or in one of the `networks` that the settings allow."""
    address = _embedded(address) or address
    if any(address.version == network.version and address in network for network in networks):
        return True
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _REFUSED_V4)
    return address in _GLOBAL_V6 and not any(address in network for network in _REFUSED_V6)


def _embedded(address: Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that an IPv6 address embeds (mapped, 6to4 or NAT64), or None."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address.sixtofour:
        return address.sixtofour
    if address in _MAPPED or address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def _literal(host: str) -> Address | None:
    """Parse a host as an IP address, or return None for a name. Raises InvalidValueError for any other text."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        pass
    if ":" in host or _NUMBER.fullmatch(host.rpartition(".")[2]):
        raise InvalidValueError(
            Message("must have its IP address in standard notation, such as 203.0.113.7 or [2001:db8::7]")
        )
    if not _NAME.fullmatch(host):
        raise InvalidValueError(_NO_URL)
    return None
