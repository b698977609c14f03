"""The Python client of `clients/python` against a real server."""

import asyncio
import datetime as dt
from collections.abc import AsyncGenerator
from decimal import Decimal
from typing import Any

import httpx
import pytest
import renewals_client as client_package
from renewals_client import RenewalsClient, RenewSuccess, RequestError, generated

from scripts import clients
from tests.clients.conftest import Served
from tests.support.fixtures import World

UNTIL = dt.date(2027, 1, 31)


def build_input(*ids: str, key: str = "key", total: str | None = None) -> generated.RenewInstancesInput:
    """Return the input of a renewal for one month."""
    selection = generated.Selection(ids=list(ids))
    if total is None:
        return generated.RenewInstancesInput(selection=selection, months=1, idempotency_key=key)
    return generated.RenewInstancesInput(
        selection=selection, months=1, idempotency_key=key, expected_total=Decimal(total)
    )


class LossyTransport(httpx.AsyncHTTPTransport):
    """A transport that loses the first responses after the server has sent them."""

    def __init__(self, lost: int) -> None:
        super().__init__()
        self.lost = lost
        self.requests: list[bytes] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request.content)
        response = await super().handle_async_request(request)
        await response.aread()
        if len(self.requests) <= self.lost:
            raise httpx.ReadError("the response is lost")
        return response


class Responses(httpx.AsyncBaseTransport):
    """A transport without a server. It always returns the same response, or raises the same error."""

    def __init__(self, result: httpx.Response | Exception) -> None:
        self.result = result
        self.count = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.count += 1
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


async def test_instances_are_listed_quoted_and_renewed_once_for_a_repeated_request(
    world: World, served: Served
) -> None:
    async with RenewalsClient(served.url, served.key) as client:
        page = await client.list_(filter_=generated.InstanceFilter(expires_on_to=UNTIL), first=2)
        assert page.viewer.account.balance == Decimal("700.00")
        assert [instance.expires_on for instance in page.instances.nodes] == [UNTIL, UNTIL]
        assert page.instances.total_count == 3
        assert page.instances.facets is not None
        tabs = {count.value: count.count for count in page.instances.facets.tabs}
        assert tabs["MANUAL"] == 3

        selection = generated.Selection(ids=[instance.id for instance in page.instances.nodes])
        quote = (
            await client.quote_renewal(generated.QuoteRenewalInput(selection=selection, months=1))
        ).quote_renewal
        assert quote.total == Decimal("600.00")
        assert quote.lines[0].expires_at == world.end_of("2027-02-28")

        request = generated.RenewInstancesInput(
            selection=selection,
            months=1,
            expected_total=quote.total,
            idempotency_key=client_package.new_key(),
        )
        results = [(await client.renew(request)).renew_instances for _ in range(2)]
        assert isinstance(results[0], RenewSuccess)
        assert results[0].account.balance == Decimal("100.00")
        assert results[0] == results[1]
    assert await world.count("orders") == 1


async def test_each_refusal_has_its_own_type_and_creates_no_order(world: World, served: Served) -> None:
    async with RenewalsClient(served.url, served.key, language="zh") as client:
        refused = [
            (await client.renew(request)).renew_instances
            for request in (
                build_input("i-1", total="1.00"),
                build_input("i-1", "i-2", "i-3"),
                build_input("i-9"),
            )
        ]
    changed, short, unknown = refused
    assert isinstance(changed, generated.RenewRenewInstancesPriceChanged)
    assert (changed.expected_total, changed.total) == (Decimal("1.00"), Decimal("300.00"))
    assert isinstance(short, generated.RenewRenewInstancesInsufficientFunds)
    assert short.shortfall == Decimal("200.00")
    assert "余额" in short.message
    assert isinstance(unknown, generated.RenewRenewInstancesNotRenewable)
    assert [refusal.code for refusal in unknown.refusals] == [generated.RefusalCode.NOT_FOUND]
    assert await world.count("orders") == 0


async def test_a_payment_without_a_response_is_sent_again_with_the_same_key(
    world: World, served: Served
) -> None:
    transport = LossyTransport(lost=2)
    async with RenewalsClient(served.url, served.key, transport=transport) as client:
        result = (await client.renew(build_input("i-1"))).renew_instances
    assert isinstance(result, RenewSuccess)
    assert result.account.balance == Decimal("400.00")
    assert len(transport.requests) == 3
    assert len(set(transport.requests)) == 1
    assert await world.count("orders") == 1


async def test_an_expired_key_raises_a_request_error_without_a_retry(served: Served) -> None:
    transport = LossyTransport(lost=0)
    async with RenewalsClient(served.url, served.expired_key, transport=transport) as client:
        with pytest.raises(RequestError) as refusal:
            await client.ledger()
    assert (refusal.value.code, refusal.value.status) == ("UNAUTHENTICATED", 401)
    assert refusal.value.request_id
    assert len(transport.requests) == 1


async def test_a_request_to_an_unavailable_server_is_repeated_after_the_retry_after_time() -> None:
    times: list[float] = []

    async def respond(request: httpx.Request) -> httpx.Response:
        times.append(asyncio.get_running_loop().time())
        return httpx.Response(503, headers={"Retry-After": "1"}, text="no server")

    async with RenewalsClient(
        "http://test/graphql", "key", attempts=2, transport=httpx.MockTransport(respond)
    ) as client:
        with pytest.raises(RequestError, match="503: the response is not GraphQL"):
            await client.forecast()
    first, second = times
    assert second - first >= 1


async def test_a_retry_after_time_over_the_limit_raises_the_error_without_a_retry() -> None:
    transport = Responses(httpx.Response(503, headers={"Retry-After": "121"}))
    async with RenewalsClient("http://test/graphql", "key", transport=transport) as client:
        with pytest.raises(RequestError, match="503"):
            await client.forecast()
    assert transport.count == 1


async def test_the_error_of_a_request_contains_the_partial_data_of_its_response() -> None:
    data = {"renewInstances": {"__typename": "RenewInstancesSuccess", "order": {"id": "o-1"}}}
    errors = [{"message": "Failed.", "path": ["renewInstances", "account"], "extensions": None}]
    transport = Responses(httpx.Response(200, json={"data": data, "errors": errors}))
    async with RenewalsClient("http://test/graphql", "key", transport=transport) as client:
        with pytest.raises(RequestError, match="Failed") as failure:
            await client.renew(build_input("i-1"))
    assert failure.value.data == data
    assert transport.count == 1


@pytest.mark.parametrize("error", [httpx.UnsupportedProtocol, httpx.LocalProtocolError])
async def test_an_error_that_a_retry_cannot_solve_is_raised_at_once(
    error: type[httpx.TransportError],
) -> None:
    transport = Responses(error("the address cannot be sent"))
    async with RenewalsClient("http://test/graphql", "key", transport=transport) as client:
        with pytest.raises(error):
            await client.forecast()
    assert transport.count == 1


def test_a_client_with_zero_attempts_is_refused() -> None:
    with pytest.raises(ValueError, match="attempts must be at least 1, not 0"):
        RenewalsClient("http://test/graphql", "key", attempts=0)


async def test_a_list_without_a_filter_has_all_instances(world: World, served: Served) -> None:
    await world.instance("i-4", expires="2027-01-31", mode="AUTO")
    async with RenewalsClient(served.url, served.key) as client:
        page = await client.list_()
    assert page.instances.total_count == 4


async def test_the_program_of_the_readme_renews_the_expiring_manual_instances(
    world: World, served: Served
) -> None:
    await world.instance("i-4", expires="2027-01-31", mode="AUTO")
    readme = (clients.PYTHON / "README.md").read_text(encoding="utf-8")
    program: dict[str, Any] = {}
    exec(readme.split("```python\n")[1].split("```")[0], program)
    renew_expiring = program["renew_expiring"]
    assert await renew_expiring(served.url, served.key, 30, "key") == (
        "InsufficientFunds: 900.00 is required and 700.00 is available; 200.00 is missing."
    )
    await world.top_up("250.00")
    assert await renew_expiring(served.url, served.key, 30, "key") == "order of 900.00, balance 50.00"
    assert await world.expiry("i-4") == "2027-01-31"


async def test_a_client_receives_the_event_of_a_renewal(served: Served) -> None:
    async with RenewalsClient(served.url, served.key) as client:
        events = client.follow()
        following = asyncio.ensure_future(anext(events))
        for instance_id in ("i-1", "i-2"):  # the first renewal can precede the subscription
            await client.renew(build_input(instance_id, key=instance_id))
            await asyncio.wait([following], timeout=2)
            if following.done():
                break
        event = (await following).events
        assert isinstance(events, AsyncGenerator)
        await events.aclose()
    assert event.type_ == "instance.renewed"
    assert event.instance is not None
    assert event.instance.expires_on == dt.date(2027, 2, 28)


def test_unknown_enum_values_and_types_of_a_newer_server_are_accepted() -> None:
    code = generated.RefusalCode("LATER_REASON")
    assert (code.value, code.name, f"{code}") == ("LATER_REASON",) * 3
    data = {"renewInstances": {"__typename": "LaterError", "message": "Later."}}
    result = generated.Renew.model_validate(data).renew_instances
    assert isinstance(result, client_package.OtherError)
    assert result.message == "Later."
    known = {"renewInstances": {"__typename": "IdempotencyKeyReused", "message": "Used."}}
    assert isinstance(
        generated.Renew.model_validate(known).renew_instances,
        generated.RenewRenewInstancesIdempotencyKeyReused,
    )


def test_amounts_are_sent_without_an_exponent_and_times_require_a_time_zone() -> None:
    assert (
        generated.RenewInstancesInput(
            selection=generated.Selection(ids=[]),
            months=1,
            idempotency_key="key",
            expected_total=Decimal("1E+2"),
        ).model_dump(by_alias=True)["expectedTotal"]
        == "100"
    )
    assert generated.UnifyTarget(date=UNTIL).date == UNTIL
    with pytest.raises(ValueError, match="timezone"):
        generated.EventFilter(occurred_from=dt.datetime(2027, 1, 1))  # noqa: DTZ001
