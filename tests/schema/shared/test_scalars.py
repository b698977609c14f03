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


def literal(query: str, value: object) -> str:
    """Return the query with the value as a literal instead of a variable."""
    head, _, rest = query.partition(") {")
    operation, _, variable = head.partition(" (")
    return f"{operation} {{{rest}".replace(variable.partition(":")[0], json.dumps(value, ensure_ascii=False))


async def both(client: Client, query: str, value: object) -> list[dict[str, Any]]:
    """Return the results for a value as a variable and as a literal."""
    name = query[query.index("$") + 1 : query.index(":")]
    sent = (
        (await client.post(query, **{name: value})).json(),
        (await client.post(literal(query, value))).json(),
    )
    return list(sent)


async def assert_refused(client: Client, query: str, value: object) -> None:
    for answer in await both(client, query, value):
        assert answer["data"] is None, value
        [error] = answer["errors"]
        assert error["extensions"] == {"code": "BAD_REQUEST"}, value


@pytest.fixture
async def holder(world: World, asked: Client) -> Client:
    """Account `a` without money, and with an instance whose renewal costs 512.90."""
    await world.instance("i-1", price="512.90", expires="2027-01-31")
    return asked


@pytest.mark.parametrize("amount", ["512.90", "512.9"])
async def test_the_total_is_met_however_its_amount_is_written(holder: Client, amount: str) -> None:
    for answer in await both(holder, PAY, amount):
        assert answer["data"]["renewInstances"] == {"__typename": "InsufficientFunds"}


@pytest.mark.parametrize(
    ("amount", "read"),
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
    holder: Client, amount: object, read: str
) -> None:
    for answer in await both(holder, PAY, amount):
        changed = answer["data"]["renewInstances"]
        assert changed == {"__typename": "PriceChanged", "expectedTotal": read, "total": "512.90"}


NO_AMOUNTS = [
    *(1.5, 512.0, 1e3, 0.1, True, False, 10**13 + 1, -(10**14), 2**62, [], [512]),
    *("1e3", "NaN", "nan", "Infinity", "-Infinity", "1.234", "1.", ".5", ".", "", "-", "--1", "+1"),
    *(" 1", "1 ", "1\n", "1_000", "1,000.00", "1,5", "0x10", "¥1", "1.5.0", "1\0", "99999999999999"),
    *("１", "٣", "²", "1.５", "null", "true"),
]


async def test_an_invalid_amount_is_refused(world: World, holder: Client) -> None:
    before = await world.snapshot()
    for amount in NO_AMOUNTS:
        await assert_refused(holder, PAY, amount)
    assert await world.snapshot() == before


@pytest.mark.parametrize("amount", [10**13 + 1, -(10**14), 2**62, "99999999999999", "10000000000000.01"])
async def test_an_amount_that_is_too_large_is_refused_with_the_bound(holder: Client, amount: object) -> None:
    for answer in await both(holder, PAY, amount):
        [error] = answer["errors"]
        assert error["extensions"] == {"code": "BAD_REQUEST"}
        bound = "must be between -10000000000000.00 and 10000000000000.00"
        assert f"the amount {bound}" in error["message"]


async def test_no_amount_is_expected_where_none_is_given(holder: Client) -> None:
    for answer in await both(holder, PAY, None):
        assert answer["data"]["renewInstances"] == {"__typename": "InsufficientFunds"}


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
async def test_an_instant_means_the_same_in_every_offset(holder: Client, instant: str, count: int) -> None:
    for answer in await both(holder, COUNT, instant):
        assert answer["data"]["instances"] == {"totalCount": count}


NO_INSTANTS = [
    *("2027-01-31T15:59:59", "2027-01-31", "15:59:59Z", "2027-01-31 15:59:59Z", "2027-01-31t15:59:59Z"),
    *("2027-02-29T00:00:00Z", "2027-13-01T00:00:00Z", "2027-01-31T25:00:00Z", "2027-01-31T23:59:60Z"),
    *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "0000-01-01T00:00:00Z"),
    *("10000-01-01T00:00:00Z", "-2027-01-31T00:00:00Z", "2027-01-31T00:00:00+24:00"),
    *("", "T", "now", "tomorrow", "infinity", "2027-01-31T00:00:00Z\0", " 2027-01-31T00:00:00Z"),
    *("２027-01-31T00:00:00Z", "2027-01-31T00:00:00Zulu", "2027-01-31T00:00:00[Asia/Shanghai]"),
    *(0, 1_800_000_000, 1.5, True, [], ["2027-01-31T00:00:00Z"]),
]


async def test_an_instant_without_an_offset_is_refused(holder: Client) -> None:
    for instant in NO_INSTANTS:
        await assert_refused(holder, COUNT, instant)


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kathmandu", "Pacific/Kiritimati", "UTC"])
async def test_instants_are_returned_in_utc_whatever_the_accounts_zone(
    world: World, holder: Client, zone: str
) -> None:
    await world.account("far", zone=zone)
    await world.instance("far-1", account="far", expires="2027-07-31")
    holder.key = await world.key("far")
    answer = await holder('{ instance(id: "far-1") { expiresAt createdAt } }')
    expected = world.end_of("2027-07-31", account="far").isoformat()
    assert answer["instance"] == {"expiresAt": expected, "createdAt": "2027-01-10T04:00:00+00:00"}
    assert expected.endswith("+00:00")


@pytest.mark.parametrize(
    ("date", "expires"),
    [("2027-02-28", "2027-02-28T15:59:59+00:00"), ("2028-02-29", "2028-02-29T15:59:59+00:00")],
)
async def test_a_date_is_a_day_of_the_accounts_calendar(holder: Client, date: str, expires: str) -> None:
    for answer in await both(holder, UNIFY, date):
        assert answer["data"]["quoteUnifyExpiry"] == {"lines": [{"expiresAt": expires}], "refusals": []}


@pytest.mark.parametrize(
    ("date", "code"),
    [
        ("0001-01-01", "TARGET_NOT_LATER"),
        ("2027-01-31", "TARGET_NOT_LATER"),
        ("9999-12-31", "MAX_TERM_EXCEEDED"),
    ],
)
async def test_a_date_out_of_reach_is_refused_for_the_instance(holder: Client, date: str, code: str) -> None:
    for answer in await both(holder, UNIFY, date):
        quote = answer["data"]["quoteUnifyExpiry"]
        assert quote == {"lines": [], "refusals": [{"code": code}]}


NO_DATES = [
    *("2027-02-29", "2027-13-01", "2027-00-01", "2027-1-1", "20270131", "2027-W01-1", "2027-031"),
    *("0000-01-01", "10000-01-01", "2027-01-31T00:00:00Z", " 2027-01-31", "2027-01-31\n", "2027/01/31"),
    *("２０２７-０１-３１", "", "today", 20270131, 1.5, True, []),
]


async def test_an_invalid_date_is_refused(holder: Client) -> None:
    for date in NO_DATES:
        await assert_refused(holder, UNIFY, date)
