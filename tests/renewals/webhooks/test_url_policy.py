"""No webhook is sent into a private network, however its address is written, named or resolved."""

import asyncio
import ipaddress
import ssl
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import uvicorn

from renewals.domain import errors
from renewals.webhooks import endpoint_requests, http_client, url_policy
from tests.renewals.webhooks.conftest import LOOPBACK, Sending
from tests.support.webhook_receiver import Receiver, listening

NOT_PUBLIC = (
    "0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 100.127.255.255 127.0.0.1 127.255.255.254 "
    "168.63.129.16 169.254.0.1 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.192 192.0.2.1 192.88.99.1 "
    "192.168.0.1 192.168.255.255 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 "
    "240.0.0.1 "
    "255.255.255.255 "
    ":: ::1 ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:a9fe:a9fe ::ffff:0:127.0.0.1 64:ff9b::127.0.0.1 "
    "64:ff9b::a00:1 64:ff9b::169.254.169.254 64:ff9b:1::1 100::1 2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 "
    "2001:2::1 "
    "2001:10::1 2001:20::1 2001:db8::1 2002:7f00:1:: 2002:a00:1::1 2002:a9fe:a9fe:: 2002:c0a8:101:: 3fff::1 5f00::1 "
    "fc00::1 fd00:ec2::254 fdff::1 fe80::1 fe80::1%eth0 febf::1 fec0::1 ff00::1 ff02::1 "
)
PUBLIC = (
    "1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.1 168.63.129.15 "
    "169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 192.0.1.1 192.167.255.255 192.169.0.0 198.17.255.255 "
    "198.20.0.0 223.255.255.255 2606:4700:4700::1111 2001:4860:4860::8888 2400:3200::1 ::ffff:8.8.8.8 "
    "64:ff9b::8.8.8.8 2002:808:808::1 "
)
REFUSED_URLS = [
    *(
        f"https://{f'[{address}]' if ':' in address else address}/"
        for address in NOT_PUBLIC.split()
        if "%" not in address
    ),
    "https://[fe80::1%25eth0]/",
    "https://2130706433/",  # 127.0.0.1 as one number
    "https://017700000001/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://127.1/",
    "https://127.0.1/",
    "https://10.1/",
    "https://127.0.0.1./",
    "https://%31%32%37.0.0.1/",
    "https://１２７.０.０.１/",
    "https://①②⑦.⓪.⓪.①/",
    "https://127。0。0。1/",
    "https://[::ffff:7f00:1]/",
    "https://[0:0:0:0:0:ffff:127.0.0.1]/",
    "https://[::1/",
    "https://user@example.com/",
    "https://user:word@example.com/",
    "https://@example.com/",
    "https://example.com@127.0.0.1/",
    "https://example.com\\@127.0.0.1/",
    "https://example.com#@127.0.0.1/",
    "https://@example.com?m=a",
    "https://example.com@127.0.0.1?m=a",
    "https://exam ple.com/",
    "https://example.com/\r\nx: y",
    "https://example.com/\0",
    "http://example.com/",
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://example.com/",
    "//example.com/",
    "example.com",
    "https://",
    "https:///hook",
    "https://example.com:22/",
    "https://example.com:0/",
    "https://example.com:80/",
    "https://example.com:99999/",
    "https://a..b/",
    "https://exa%6dple.com/",
    "https://example.com/" + "x" * 2048,
    "",
]


def parse(url: str) -> url_policy.WebhookUrl:
    return url_policy.parse_webhook_url(url, allows_http=False, ports=(443,))


@pytest.mark.parametrize("address", NOT_PUBLIC.split())
def test_a_private_or_reserved_address_is_not_public(address: str) -> None:
    assert not url_policy.is_public_address(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", PUBLIC.split())
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert url_policy.is_public_address(ipaddress.ip_address(address))


@pytest.mark.parametrize("url", REFUSED_URLS)
def test_a_url_that_is_private_ambiguous_or_invalid_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"^(must|is not)"):
        parse(url)
    with pytest.raises(errors.InvalidInputError, match=r"input\.url"):
        endpoint_requests.check_url(url)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://example.com", "example.com"),
        ("https://EXAMPLE.com:443/a?b=c", "example.com"),
        ("https://hooks.example.com./x", "hooks.example.com"),
        ("https://例え.jp/", "xn--r8jz45g.jp"),
        ("https://example.com?m=a@b", "example.com"),
        ("https://example.com/a@b?m=a@b", "example.com"),
        ("https://8.8.8.8/", "8.8.8.8"),
        ("https://[2606:4700:4700::1111]/", "2606:4700:4700::1111"),
    ],
)
def test_a_url_of_the_internet_is_parsed_into_scheme_host_and_port(url: str, host: str) -> None:
    assert parse(url)[:3] == ("https", host, 443)


def test_an_address_in_an_allowed_network_counts_as_public_also_as_mapped_ipv6() -> None:
    for address in ("127.0.0.1", "::ffff:127.0.0.1"):
        assert url_policy.is_public_address(ipaddress.ip_address(address), LOOPBACK)
    assert not url_policy.is_public_address(ipaddress.ip_address("::1"), LOOPBACK)
    assert not url_policy.is_public_address(ipaddress.ip_address("10.0.0.1"), LOOPBACK)


@pytest.mark.parametrize("address", NOT_PUBLIC.split())
async def test_no_client_is_opened_for_a_host_that_has_a_private_address(address: str) -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        assert (host, port) == ("hooks.example.com", 443)
        return ["8.8.8.8", address]

    with pytest.raises(http_client.UrlNotAllowedError, match=r"^the host has a private or reserved address$"):
        async with http_client.open_client("https://hooks.example.com/", resolve):
            pass


async def test_a_delivery_to_a_host_with_a_private_address_fails_without_revealing_the_address(
    sending: Sending, receiver: Receiver, settings_override: Callable[..., None]
) -> None:
    settings_override(webhook_networks=())

    async def resolve(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    await sending.endpoint(f"http://hooks.example.com:{receiver.port}/")
    await sending.write("i-1")
    async with sending.running(resolve):
        await sending.until_tried()
    assert receiver.got == []
    error = await sending.value("SELECT last_error->>'text' FROM webhook_deliveries")
    assert error == "the host has a private or reserved address"


async def test_a_host_whose_address_becomes_private_receives_no_further_request(
    sending: Sending, receiver: Receiver, settings_override: Callable[..., None]
) -> None:
    # In this test, 127.0.0.1 represents the Internet, and 127.0.0.2 the private network.
    settings_override(webhook_networks=(ipaddress.ip_network("127.0.0.1/32"),))
    resolved: list[str] = []

    async def resolve(host: str, port: int) -> Sequence[str]:
        resolved.append(host)
        return ["127.0.0.1"] if len(resolved) == 1 else ["127.0.0.2"]

    await sending.endpoint(f"http://hooks.example.com:{receiver.port}/")
    await sending.write("i-1", "i-2", "i-3")
    async with sending.running(resolve):
        await receiver.wait(3)
        assert resolved == ["hooks.example.com"]
        assert {request.headers["host"] for request in receiver.got} == {f"hooks.example.com:{receiver.port}"}
        await sending.until("SELECT bool_and(claim IS NULL) FROM webhook_states")  # released
        await sending.write("i-1")
        await sending.until_tried()
    assert len(receiver.got) == 3


async def test_the_second_address_of_a_host_is_tried_if_the_first_is_unreachable(
    sending: Sending, receiver: Receiver
) -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.9", "127.0.0.1"]

    await sending.endpoint(f"http://hooks.example.com:{receiver.port}/")
    await sending.write("i-1", "i-2")
    async with sending.running(resolve):
        await receiver.wait(2)
    assert await sending.world.count("webhook_deliveries") == 0


async def test_a_delivery_to_a_host_that_is_not_found_fails(sending: Sending) -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        raise OSError("Name or service not known")

    await sending.endpoint("http://nowhere.example.com:8080/")
    await sending.write("i-1")
    async with sending.running(resolve):
        await sending.until_tried()
    assert (
        await sending.value("SELECT last_error->>'text' FROM webhook_deliveries")
        == "the host could not be resolved"
    )


async def test_the_proxies_of_the_environment_are_not_used(
    sending: Sending, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    await sending.endpoint(receiver)
    await sending.write("i-1")
    async with sending.running():
        await receiver.wait(1)


@pytest.mark.parametrize(
    ("name", "is_delivered"), [("hooks.example.com", True), ("other.example.com", False)]
)
async def test_the_certificate_must_match_the_host_name_and_not_the_address(
    sending: Sending, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, is_delivered: bool
) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subject = ["-subj", "/CN=hooks", "-addext", "subjectAltName=DNS:hooks.example.com"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject]
    command += ["-keyout", str(key), "-out", str(certificate)]
    await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True)
    monkeypatch.setattr(http_client, "_tls", lambda: ssl.create_default_context(cafile=certificate))
    server_names: list[str | None] = []
    build = uvicorn.config.create_ssl_context

    def create_recording_context(*args: object, **kwargs: object) -> ssl.SSLContext:
        context = build(*args, **kwargs)  # type: ignore[arg-type]
        context.sni_callback = lambda _socket, name, _context: server_names.append(name)
        return context

    monkeypatch.setattr(uvicorn.config, "create_ssl_context", create_recording_context)

    async def resolve(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    async with listening(ssl_keyfile=key, ssl_certfile=certificate) as receiver:
        await sending.endpoint(f"https://{name}:{receiver.port}/hook")
        await sending.write("i-1")
        async with sending.running(resolve):
            if is_delivered:
                await receiver.wait(1)
            else:
                await sending.until_tried()
                assert receiver.got == []
                assert (
                    await sending.value("SELECT last_error->>'text' FROM webhook_states")
                    == "no connection: TLS failed"
                )
    assert set(server_names) == {name}
