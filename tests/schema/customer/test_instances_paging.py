"""Pages of the list by cursor and by offset, and invalid cursors (rules 4 and 26)."""

import base64
import datetime as dt
import json
from typing import Any

import pytest

from tests.support import sql_log
from tests.support.fixtures import NOW, World
from tests.support.graphql_client import Client

LIST = """query ($filter: InstanceFilter, $orderBy: InstanceOrder, $first: Int, $after: String, $last: Int,
    $before: String, $offset: Int) {
  instances(filter: $filter, orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before,
      offset: $offset) {
    totalCount nodes { id } edges { cursor node { id } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"""

ORDERS = [
    {"field": field, "direction": direction}
    for field in ("EXPIRES_AT", "CREATED_AT", "NAME", "PRODUCT", "ID")
    for direction in ("ASC", "DESC")
]


@pytest.fixture
async def filled(world: World, asked: Client) -> Client:
    """Account `a` with 13 instances in groups of four that differ only in the id; account `b` with one."""
    for number in range(13):
        await world.instance(
            f"i-{number:02}",
            expires=(None, "2027-01-31", "2027-02-28", "2027-03-31")[number % 4],
            name=("网站", "web", "Web", "db")[number % 4],
            product=("kec", "ebs", "eip", "kes")[number % 4],
            created_at=NOW + dt.timedelta(microseconds=number % 4),
        )
    await world.account("b")
    await world.instance("i-99", account="b")
    return asked


async def page(client: Client, **arguments: Any) -> dict[str, Any]:
    """Return one page, and check that its edges, nodes and cursors are consistent."""
    listed: dict[str, Any] = (await client(LIST, **arguments))["instances"]
    cursors = [edge["cursor"] for edge in listed["edges"]]
    assert [edge["node"] for edge in listed["edges"]] == listed["nodes"]
    assert listed["pageInfo"]["startCursor"] == (cursors[0] if cursors else None)
    assert listed["pageInfo"]["endCursor"] == (cursors[-1] if cursors else None)
    return listed


def ids(listed: dict[str, Any]) -> list[str]:
    return [node["id"] for node in listed["nodes"]]


def cursor(*content: Any) -> str:
    """Return a forged cursor."""
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: "-".join(order.values()))
async def test_pages_by_cursor_hold_every_instance_once(filled: Client, order: dict[str, str]) -> None:
    everything = await page(filled, orderBy=order, first=1_000)
    assert len(set(ids(everything))) == everything["totalCount"] == 13
    forward, after, has_next = [], None, True
    while has_next:
        listed = await page(filled, orderBy=order, first=3, after=after)
        assert listed["totalCount"] == 13
        assert listed["pageInfo"]["hasPreviousPage"] is (after is not None)
        forward += ids(listed)
        after, has_next = listed["pageInfo"]["endCursor"], listed["pageInfo"]["hasNextPage"]
    backward: list[str] = []
    before, has_previous = None, True
    while has_previous:
        listed = await page(filled, orderBy=order, last=3, before=before)
        assert listed["pageInfo"]["hasNextPage"] is (before is not None)
        backward = ids(listed) + backward
        before, has_previous = listed["pageInfo"]["startCursor"], listed["pageInfo"]["hasPreviousPage"]
    assert forward == backward == ids(everything)


async def test_rows_added_or_removed_between_pages_move_no_other_row(world: World, filled: Client) -> None:
    order = {"field": "NAME", "direction": "ASC"}
    everything = ids(await page(filled, orderBy=order, first=100))
    seen = await page(filled, orderBy=order, first=5)
    await world.instance("i-early", name="A")
    await world.instance("i-late", name="zz")
    await world.rows("UPDATE instances SET name = 'zzz' WHERE id = $1 RETURNING id", everything[4])
    rest = await page(filled, orderBy=order, first=100, after=seen["pageInfo"]["endCursor"])
    assert ids(seen) == everything[:5]
    assert sorted(ids(rest)) == sorted([*everything[5:], "i-late", everything[4]])
    assert rest["totalCount"] == 15


async def test_a_renewal_between_pages_loses_no_other_instance(world: World, filled: Client) -> None:
    await world.top_up("3600.00")
    everything = ids(await page(filled, first=100))
    seen = await page(filled, first=2)
    renewed = await filled(
        """mutation ($id: ID!) { renewInstances(input: {
             selection: {ids: [$id]}, months: 12, idempotencyKey: "key"}) { __typename } }""",
        id=everything[1],
    )
    assert renewed["renewInstances"]["__typename"] == "RenewInstancesSuccess"
    rest = ids(await page(filled, first=100, after=seen["pageInfo"]["endCursor"]))
    assert [each for each in rest if each != everything[1]] == everything[2:]
    assert len(rest) == 12


async def test_a_page_has_ten_rows_by_default(filled: Client) -> None:
    everything = ids(await page(filled, first=13))
    for arguments in ({}, {"first": None}, {"first": None, "last": None, "after": None, "offset": None}):
        assert ids(await page(filled, **arguments)) == everything[:10]
    assert ids(await page(filled, before=None, last=2)) == everything[-2:]


async def test_an_empty_page_says_whether_rows_are_around_it(filled: Client) -> None:
    listed = await page(filled, first=0)
    assert (ids(listed), listed["totalCount"]) == ([], 13)
    assert listed["pageInfo"]["hasNextPage"] is True
    listed = await page(filled, last=0)
    assert ids(listed) == []
    assert listed["pageInfo"]["hasPreviousPage"] is True


async def test_an_offset_jumps_to_a_page(filled: Client) -> None:
    everything = ids(await page(filled, first=13))
    first, second, third = [await page(filled, first=5, offset=offset) for offset in (0, 5, 10)]
    assert ids(first) + ids(second) + ids(third) == everything
    assert [each["pageInfo"]["hasNextPage"] for each in (first, second, third)] == [True, True, False]
    assert [each["pageInfo"]["hasPreviousPage"] for each in (first, second, third)] == [False, True, True]
    assert ids(await page(filled, first=5, after=second["pageInfo"]["endCursor"])) == ids(third)


@pytest.mark.parametrize("offset", [13, 14, 2**31 - 1])
async def test_an_offset_beyond_the_end_is_an_empty_page(filled: Client, offset: int) -> None:
    listed = await page(filled, offset=offset)
    assert ids(listed) == []
    assert listed["totalCount"] == 13
    assert listed["pageInfo"]["hasNextPage"] is False


async def test_pages_contain_matching_rows_only(filled: Client) -> None:
    web = {"search": "web"}
    first = await page(filled, filter=web, first=4)
    rest = await page(filled, filter=web, first=4, after=first["pageInfo"]["endCursor"])
    assert ids(first) + ids(rest) == ["i-01", "i-05", "i-09", "i-02", "i-06", "i-10"]
    assert first["totalCount"] == rest["totalCount"] == 6
    assert rest["pageInfo"]["hasNextPage"] is False


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"first": 1_001}, "first"),
        ({"first": -1}, "first"),
        ({"first": 2**31 - 1}, "first"),
        ({"last": 1_001}, "last"),
        ({"last": -(2**31)}, "last"),
        ({"first": 1, "last": 1}, "last"),
        ({"offset": -1}, "offset"),
        ({"offset": -(2**31)}, "offset"),
        ({"offset": 0, "after": cursor("EXPIRES_AT False", None, "i-01")}, "offset"),
        ({"offset": 0, "before": cursor("EXPIRES_AT False", None, "i-01")}, "offset"),
        ({"offset": 0, "last": 1}, "offset"),
    ],
    ids=str,
)
async def test_a_page_out_of_bounds_is_refused_by_name(
    filled: Client, arguments: dict[str, Any], field: str
) -> None:
    with sql_log.counted() as seen:
        [error] = await filled.errors(LIST, **arguments)
    assert error["extensions"] == {"code": "INVALID_INPUT", "field": field}
    assert len(seen) == 1  # the key's account


async def test_a_page_holds_1_000_rows_and_no_more(filled: Client) -> None:
    assert len(ids(await page(filled, first=1_000))) == 13
    [error] = await filled.errors(LIST, first=1_001)
    assert error["extensions"] == {"code": "INVALID_INPUT", "field": "first"}


TAG = "EXPIRES_AT False"
NO_CURSORS = {
    "nothing": "",
    "a word": "x",
    "padding": "====",
    "not ascii": "é网",
    "a NUL": "\0",
    "very long": "a" * 200_000,
    "bytes": base64.urlsafe_b64encode(b"\xff\xfe").decode(),
    "a number": base64.urlsafe_b64encode(b"1").decode(),
    "null": base64.urlsafe_b64encode(b"null").decode(),
    "an object": base64.urlsafe_b64encode(b'{"tag": 1}').decode(),
    "nested deeply": base64.urlsafe_b64encode(b"[" * 100_000).decode(),
    "an empty list": cursor(),
    "no key": cursor(TAG),
    "half a key": cursor(TAG, None),
    "too much key": cursor(TAG, None, "i-01", "i-02"),
    "no tag": cursor(None, None, "i-01"),
    "a tag in a list": cursor([TAG], None, "i-01"),
    "another order": cursor("NAME False", "web", "i-01"),
    "another direction": cursor("EXPIRES_AT True", None, "i-01"),
    "another list": cursor("orders", "2027-01-01T00:00:00Z", "00000000-0000-0000-0000-000000000000"),
    "a number for an instant": cursor(TAG, 1, "i-01"),
    "a truth for an instant": cursor(TAG, True, "i-01"),
    "a list for an instant": cursor(TAG, ["2027-01-31T00:00:00Z"], "i-01"),
    "an object for an instant": cursor(TAG, {}, "i-01"),
    "no instant": cursor(TAG, "infinity", "i-01"),
    "an instant without an offset": cursor(TAG, "2027-01-31T00:00:00", "i-01"),
    "an instant before all": cursor(TAG, "0001-01-01T00:00:00+14:00", "i-01"),
    "an instant after all": cursor(TAG, "9999-12-31T23:59:59-14:00", "i-01"),
    "an instant with a NUL": cursor(TAG, "2027-01-31T00:00:00Z\0", "i-01"),
    "null for an id": cursor(TAG, None, None),
    "a number for an id": cursor(TAG, None, 1),
    "an id with a NUL": cursor(TAG, None, "i-01\0"),
    "an id with half a pair": cursor(TAG, None, "i-01\ud800"),
}


@pytest.mark.parametrize("argument", ["after", "before"])
async def test_an_invalid_cursor_is_refused_by_name(filled: Client, argument: str) -> None:
    for what, made_up in NO_CURSORS.items():
        with sql_log.counted() as seen:
            answer = (await filled.post(LIST.replace("totalCount", ""), **{argument: made_up})).json()
        assert answer["data"] is None, what
        for error in answer["errors"]:
            assert error["extensions"] == {"code": "INVALID_INPUT", "field": argument}, what
        assert len(seen) == 1, what  # the key's account
