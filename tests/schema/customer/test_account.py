"""The account, and its vouchers in the order in which they pay (rule 15)."""

import datetime as dt
from collections.abc import Callable

import pytest

from tests.support import sql_log
from tests.support.fixtures import World
from tests.support.graphql_client import Client

SOON = "00000000-0000-4000-8000-000000000001"
LARGE = "00000000-0000-4000-8000-000000000002"
SMALL = "00000000-0000-4000-8000-000000000003"
EQUAL = "00000000-0000-4000-8000-000000000004"
PAST = "00000000-0000-4000-8000-000000000005"
EMPTY = "00000000-0000-4000-8000-000000000006"


@pytest.fixture
async def client_with_vouchers(world: World, client: Client) -> Client:
    """Account `a` with four usable vouchers, an expired one and a used one; and account `b` with one voucher."""
    await world.voucher("100.00", expires="2027-01-09", voucher_id=PAST)
    await world.voucher("300.00", expires="2027-01-10", voucher_id=EMPTY)
    await world.voucher("10.00", expires="2027-12-31", voucher_id=EQUAL)
    await world.voucher("10.00", expires="2027-12-31", voucher_id=SMALL)
    await world.voucher("20.00", expires="2027-12-31", voucher_id=LARGE)
    await world.voucher("5.00", expires="2027-06-30", voucher_id=SOON, products=["kec", "ebs"])
    await world.instance("i-1", price="300.00")
    await client(
        """mutation { renewInstances(input: {selection: {ids: ["i-1"]}, months: 1, idempotencyKey: "key"}) {
             __typename } }"""
    )
    await world.account("b")
    await world.voucher("7.00", account="b")
    return client


async def list_vouchers(client: Client, argument: str = "") -> list[str]:
    data = await client(f"{{ account {{ vouchers{argument} {{ id }} }} }}")
    return [voucher["id"] for voucher in data["account"]["vouchers"]]


async def test_an_account_has_its_id_name_currency_time_zone_and_balance(
    world: World, client: Client
) -> None:
    await world.top_up("1234.50")
    assert (await client("{ account { id name currency timeZone balance } }"))["account"] == {
        "id": "a",
        "name": "Account a",
        "currency": "CNY",
        "timeZone": "Asia/Shanghai",
        "balance": "1234.50",
    }


async def test_usable_vouchers_are_listed_in_the_order_in_which_they_pay(
    client_with_vouchers: Client,
) -> None:
    assert await list_vouchers(client_with_vouchers) == [SOON, LARGE, SMALL, EQUAL]
    assert await list_vouchers(client_with_vouchers, "(usable: true)") == [SOON, LARGE, SMALL, EQUAL]


async def test_unusable_vouchers_are_those_that_have_expired_or_are_used_up(
    client_with_vouchers: Client,
) -> None:
    assert await list_vouchers(client_with_vouchers, "(usable: false)") == [PAST, EMPTY]


async def test_the_argument_usable_null_lists_usable_and_unusable_vouchers(
    client_with_vouchers: Client,
) -> None:
    assert await list_vouchers(client_with_vouchers, "(usable: null)") == [
        PAST,
        EMPTY,
        SOON,
        LARGE,
        SMALL,
        EQUAL,
    ]


async def test_a_voucher_is_usable_until_the_last_second_of_its_last_day(
    world: World, client_with_vouchers: Client
) -> None:
    before = await world.snapshot()
    client_with_vouchers.at(world.end_of("2027-06-30"))
    assert SOON in await list_vouchers(client_with_vouchers)
    client_with_vouchers.at(world.end_of("2027-06-30") + dt.timedelta(microseconds=1))
    assert SOON not in await list_vouchers(client_with_vouchers)
    assert SOON in await list_vouchers(client_with_vouchers, "(usable: false)")
    assert await world.snapshot() == before


async def test_a_voucher_has_its_face_value_available_amount_expiry_and_products(
    client_with_vouchers: Client,
) -> None:
    everything = "{ account { vouchers(usable: null) { id faceValue available expiresAt products } } }"
    listed = (await client_with_vouchers(everything))["account"]["vouchers"]
    by_id = {voucher["id"]: voucher for voucher in listed}
    assert by_id[SOON] == {
        "id": SOON,
        "faceValue": "5.00",
        "available": "5.00",
        "expiresAt": "2027-06-30T15:59:59+00:00",
        "products": ["kec", "ebs"],
    }
    assert (by_id[EMPTY]["faceValue"], by_id[EMPTY]["available"]) == ("300.00", "0.00")
    assert by_id[LARGE]["products"] == []


async def test_all_vouchers_of_an_account_are_read_in_one_statement(client_with_vouchers: Client) -> None:
    with sql_log.counted() as seen:
        assert len(await list_vouchers(client_with_vouchers, "(usable: null)")) == 6
    assert len(seen) == 3  # the key's account, the account, its vouchers


async def test_an_account_has_its_lead_days_auto_renew_time_and_price_rise_cap(
    world: World, client: Client
) -> None:
    facts = "{ account { leadDays autoRenewTime priceRiseCapPercent } }"
    assert (await client(facts))["account"] == {
        "leadDays": 0,
        "autoRenewTime": "00:30",
        "priceRiseCapPercent": None,
    }
    await world.rows("UPDATE accounts SET lead_days = 3, price_rise_cap_bps = 1250")
    assert (await client(facts))["account"] == {
        "leadDays": 3,
        "autoRenewTime": "00:30",
        "priceRiseCapPercent": "12.5",
    }


async def test_an_account_without_lead_days_has_the_lead_days_of_the_settings(
    client: Client, settings_override: Callable[..., None]
) -> None:
    settings_override(auto_renew_lead_days=2, auto_renew_time=dt.time(4, 15))
    account = (await client("{ account { leadDays autoRenewTime } }"))["account"]
    assert account == {"leadDays": 2, "autoRenewTime": "04:15"}
