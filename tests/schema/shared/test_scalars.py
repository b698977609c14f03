"""Money, instants and dates in the form in which clients send and receive them, in variables and in documents."""

import json
from typing import Any

import pytest

from tests.support.fixtures import World
from tests.support.graphql_client import Client

PAY = """mutation ($expected: Money) { renewInstances(input: {
    selection: {ids: ["i-1"]}, months: 1, idempotencyKey: "key", expectedTotal: $expected}) {
  __typename ... on PriceChanged { expectedTotal total } } }"""
COUNT = "query ($from: DateTime) { instances(filter: {expiresFrom: $from}) { totalCount } }"
UNIFY = """query ($date: Date!) { quoteUnifyExpiry(input: {
    selection: {ids: ["i-1"]}, target: {date: $date}}) { lines { expiresAt } refusals { code } } }"""


def with_literal(query: str, value: object) -> str:
    """Return the query with the value as a literal instead of a variable."""
    head, _, rest = query.partition(") {")
    operation, _, variable = head.partition(" (")
    return f"{operation} {{{rest}".replace(variable.partition(":")[0], json.dumps(value, ensure_ascii=False))


async def send_as_variable_and_literal(client: Client, query: str, value: object) -> list[dict[str, Any]]:
    """Return the results for a value as a variable and as a literal."""
    name = query[query.index("$") + 1 : query.index(":")]
    results = (
        (await client.post(query, **{name: value})).json(),
        (await client.post(with_literal(query, value))).json(),
    )
    return list(results)


async def assert_refused(client: Client, query: str, value: object) -> None:
    for result in await send_as_variable_and_literal(client, query, value):
        assert result["data"] is None, value
        [error] = result["errors"]
        assert error["extensions"] == {"code": "BAD_REQUEST"}, value


@pytest.fixture
async def client_with_instance(world: World, client: Client) -> Client:
    """Account `a` without money, and with an instance whose renewal costs 512.90."""
    await world.instance("i-1", price="512.90", expires="2027-01-31")
    return client


@pytest.mark.parametrize("amount", ["512.90", "512.9"])
async def test_an_expected_total_can_have_one_or_two_decimal_places(
    client_with_instance: Client, amount: str
) -> None:
    for result in await send_as_variable_and_literal(client_with_instance, PAY, amount):
        assert result["data"]["renewInstances"] == {"__typename": "InsufficientFunds"}


@pytest.mark.parametrize(
    ("amount", "returned"),
    [
        (512, "512.00"),
        ("512", "512.00"),
        ("512.91", "512.91"),
        ("0", "0.00"),
        (0, "0.00"),
        ("-0.01", "-0.01"),
        (-3, "-3.00"),
        ("007.5", "7.50"),
        ("9999999999999.99", "9999999999999.99"),
        (10**13, "10000000000000.00"),
    ],
)
async def test_money_is_a_decimal_string_or_an_integer_and_returned_with_two_places(
    client_with_instance: Client, amount: object, returned: str
) -> None:
    for result in await send_as_variable_and_literal(client_with_instance, PAY, amount):
        changed = result["data"]["renewInstances"]
        assert changed == {"__typename": "PriceChanged", "expectedTotal": returned, "total": "512.90"}


INVALID_AMOUNTS = [
    *(1.5, 512.0, 1e3, 0.1, True, False, 10**13 + 1, -(10**14), 2**62, [], [512]),
    *("1e3", "NaN", "nan", "Infinity", "-Infinity", "1.234", "1.", ".5", ".", "", "-", "--1", "+1"),
    *(" 1", "1 ", "1\n", "1_000", "1,000.00", "1,5", "0x10", "¥1", "1.5.0", "1\0", "99999999999999"),
    *("１", "٣", "²", "1.５", "null", "true"),
]


async def test_an_invalid_amount_is_refused(world: World, client_with_instance: Client) -> None:
    before = await world.snapshot()
    for amount in INVALID_AMOUNTS:
        await assert_refused(client_with_instance, PAY, amount)
    assert await world.snapshot() == before


@pytest.mark.parametrize("amount", [10**13 + 1, -(10**14), 2**62, "99999999999999", "10000000000000.01"])
async def test_an_amount_that_is_too_large_is_refused_with_the_bound(
    client_with_instance: Client, amount: object
) -> None:
    for result in await send_as_variable_and_literal(client_with_instance, PAY, amount):
        [error] = result["errors"]
        assert error["extensions"] == {"code": "BAD_REQUEST"}
        bound = "must be between -10000000000000.00 and 10000000000000.00"
        assert f"the amount {bound}" in error["message"]


async def test_a_null_expected_total_is_not_compared_with_the_total(client_with_instance: Client) -> None:
    for result in await send_as_variable_and_literal(client_with_instance, PAY, None):
        assert result["data"]["renewInstances"] == {"__typename": "InsufficientFunds"}


@pytest.mark.parametrize(
    ("instant", "count"),
    [
        ("2027-01-31T15:59:59Z", 1),
        ("2027-01-31T15:59:59+00:00", 1),
        ("2027-01-31T23:59:59+08:00", 1),
        ("2027-01-31T23:59:59.000+08:00", 1),
        ("2027-01-31T10:29:59-05:30", 1),
        ("2027-01-31T15:59:59.000001Z", 0),
        ("2027-01-31T23:59:59Z", 0),
        ("2027-02-01T00:00:00+08:00", 0),
        ("0001-01-01T00:00:00Z", 1),
        ("0001-01-01T00:00:00-14:00", 1),
        ("9999-12-31T23:59:59.999999Z", 0),
        ("9999-12-31T23:59:59+14:00", 0),
    ],
)
async def test_an_instant_in_a_filter_has_the_same_meaning_with_any_offset(
    client_with_instance: Client, instant: str, count: int
) -> None:
    for result in await send_as_variable_and_literal(client_with_instance, COUNT, instant):
        assert result["data"]["instances"] == {"totalCount": count}


INVALID_INSTANTS = [
    *("2027-01-31T15:59:59", "2027-01-31", "15:59:59Z", "2027-01-31 15:59:59Z", "2027-01-31t15:59:59Z"),
    *("2027-02-29T00:00:00Z", "2027-13-01T00:00:00Z", "2027-01-31T25:00:00Z", "2027-01-31T23:59:60Z"),
    *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "0000-01-01T00:00:00Z"),
    *("10000-01-01T00:00:00Z", "-2027-01-31T00:00:00Z", "2027-01-31T00:00:00+24:00"),
    *("", "T", "now", "tomorrow", "infinity", "2027-01-31T00:00:00Z\0", " 2027-01-31T00:00:00Z"),
    *("２027-01-31T00:00:00Z", "2027-01-31T00:00:00Zulu", "2027-01-31T00:00:00[Asia/Shanghai]"),
    *(0, 1_800_000_000, 1.5, True, [], ["2027-01-31T00:00:00Z"]),
]


async def test_an_invalid_instant_or_an_instant_without_an_offset_is_refused(
    client_with_instance: Client,
) -> None:
    for instant in INVALID_INSTANTS:
        await assert_refused(client_with_instance, COUNT, instant)


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kathmandu", "Pacific/Kiritimati", "UTC"])
async def test_instants_are_returned_in_utc_for_an_account_in_any_time_zone(
    world: World, client_with_instance: Client, zone: str
) -> None:
    await world.account("far", zone=zone)
    await world.instance("far-1", account="far", expires="2027-07-31")
    client_with_instance.key = await world.key("far")
    result = await client_with_instance('{ instance(id: "far-1") { expiresAt createdAt } }')
    expected = world.end_of("2027-07-31", account="far").isoformat()
    assert result["instance"] == {"expiresAt": expected, "createdAt": "2027-01-10T04:00:00+00:00"}
    assert expected.endswith("+00:00")


@pytest.mark.parametrize(
    ("date", "expires"),
    [("2027-02-28", "2027-02-28T15:59:59+00:00"), ("2028-02-29", "2028-02-29T15:59:59+00:00")],
)
async def test_a_target_date_means_the_end_of_that_day_in_the_account_s_time_zone(
    client_with_instance: Client, date: str, expires: str
) -> None:
    for result in await send_as_variable_and_literal(client_with_instance, UNIFY, date):
        assert result["data"]["quoteUnifyExpiry"] == {"lines": [{"expiresAt": expires}], "refusals": []}


@pytest.mark.parametrize(
    ("date", "code"),
    [
        ("0001-01-01", "TARGET_NOT_LATER"),
        ("2027-01-31", "TARGET_NOT_LATER"),
        ("9999-12-31", "MAX_TERM_EXCEEDED"),
    ],
)
async def test_a_target_date_that_is_too_early_or_too_late_is_a_refusal_of_the_instance(
    client_with_instance: Client, date: str, code: str
) -> None:
    for result in await send_as_variable_and_literal(client_with_instance, UNIFY, date):
        quote = result["data"]["quoteUnifyExpiry"]
        assert quote == {"lines": [], "refusals": [{"code": code}]}


INVALID_DATES = [
    *("2027-02-29", "2027-13-01", "2027-00-01", "2027-1-1", "20270131", "2027-W01-1", "2027-031"),
    *("0000-01-01", "10000-01-01", "2027-01-31T00:00:00Z", " 2027-01-31", "2027-01-31\n", "2027/01/31"),
    *("２０２７-０１-３１", "", "today", 20270131, 1.5, True, []),
]


async def test_an_invalid_date_is_refused(client_with_instance: Client) -> None:
    for date in INVALID_DATES:
        await assert_refused(client_with_instance, UNIFY, date)
