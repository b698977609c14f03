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
async def client_with_instances(world: World, client: Client) -> Client:
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
    return client


async def read_page(client: Client, **arguments: Any) -> dict[str, Any]:
    """Return one page, and check that its edges, nodes and cursors are consistent."""
    listed: dict[str, Any] = (await client(LIST, **arguments))["instances"]
    cursors = [edge["cursor"] for edge in listed["edges"]]
    assert [edge["node"] for edge in listed["edges"]] == listed["nodes"]
    assert listed["pageInfo"]["startCursor"] == (cursors[0] if cursors else None)
    assert listed["pageInfo"]["endCursor"] == (cursors[-1] if cursors else None)
    return listed


def list_ids(listed: dict[str, Any]) -> list[str]:
    return [node["id"] for node in listed["nodes"]]


def forge_cursor(*content: Any) -> str:
    """Return a forged cursor."""
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: "-".join(order.values()))
async def test_pages_by_cursor_contain_every_instance_exactly_once_in_both_directions(
    client_with_instances: Client, order: dict[str, str]
) -> None:
    everything = await read_page(client_with_instances, orderBy=order, first=1_000)
    assert len(set(list_ids(everything))) == everything["totalCount"] == 13
    forward, after, has_next = [], None, True
    while has_next:
        listed = await read_page(client_with_instances, orderBy=order, first=3, after=after)
        assert listed["totalCount"] == 13
        assert listed["pageInfo"]["hasPreviousPage"] is (after is not None)
        forward += list_ids(listed)
        after, has_next = listed["pageInfo"]["endCursor"], listed["pageInfo"]["hasNextPage"]
    backward: list[str] = []
    before, has_previous = None, True
    while has_previous:
        listed = await read_page(client_with_instances, orderBy=order, last=3, before=before)
        assert listed["pageInfo"]["hasNextPage"] is (before is not None)
        backward = list_ids(listed) + backward
        before, has_previous = listed["pageInfo"]["startCursor"], listed["pageInfo"]["hasPreviousPage"]
    assert forward == backward == list_ids(everything)


async def test_instances_that_are_added_or_renamed_between_pages_move_no_other_instance(
    world: World, client_with_instances: Client
) -> None:
    order = {"field": "NAME", "direction": "ASC"}
    everything = list_ids(await read_page(client_with_instances, orderBy=order, first=100))
    seen = await read_page(client_with_instances, orderBy=order, first=5)
    await world.instance("i-early", name="A")
    await world.instance("i-late", name="zz")
    await world.rows("UPDATE instances SET name = 'zzz' WHERE id = $1 RETURNING id", everything[4])
    rest = await read_page(
        client_with_instances, orderBy=order, first=100, after=seen["pageInfo"]["endCursor"]
    )
    assert list_ids(seen) == everything[:5]
    assert sorted(list_ids(rest)) == sorted([*everything[5:], "i-late", everything[4]])
    assert rest["totalCount"] == 15


async def test_a_renewal_between_pages_neither_skips_nor_repeats_another_instance(
    world: World, client_with_instances: Client
) -> None:
    await world.top_up("3600.00")
    everything = list_ids(await read_page(client_with_instances, first=100))
    seen = await read_page(client_with_instances, first=2)
    renewed = await client_with_instances(
        """mutation ($id: ID!) { renewInstances(input: {
             selection: {ids: [$id]}, months: 12, idempotencyKey: "key"}) { __typename } }""",
        id=everything[1],
    )
    assert renewed["renewInstances"]["__typename"] == "RenewInstancesSuccess"
    rest = list_ids(await read_page(client_with_instances, first=100, after=seen["pageInfo"]["endCursor"]))
    assert [instance_id for instance_id in rest if instance_id != everything[1]] == everything[2:]
    assert len(rest) == 12


async def test_a_page_has_ten_rows_by_default(client_with_instances: Client) -> None:
    everything = list_ids(await read_page(client_with_instances, first=13))
    for arguments in ({}, {"first": None}, {"first": None, "last": None, "after": None, "offset": None}):
        assert list_ids(await read_page(client_with_instances, **arguments)) == everything[:10]
    assert list_ids(await read_page(client_with_instances, before=None, last=2)) == everything[-2:]


async def test_a_page_of_zero_rows_reports_whether_other_rows_exist(client_with_instances: Client) -> None:
    listed = await read_page(client_with_instances, first=0)
    assert (list_ids(listed), listed["totalCount"]) == ([], 13)
    assert listed["pageInfo"]["hasNextPage"] is True
    listed = await read_page(client_with_instances, last=0)
    assert list_ids(listed) == []
    assert listed["pageInfo"]["hasPreviousPage"] is True


async def test_an_offset_returns_the_page_that_begins_after_that_number_of_rows(
    client_with_instances: Client,
) -> None:
    everything = list_ids(await read_page(client_with_instances, first=13))
    first, second, third = [
        await read_page(client_with_instances, first=5, offset=offset) for offset in (0, 5, 10)
    ]
    assert list_ids(first) + list_ids(second) + list_ids(third) == everything
    assert [listed["pageInfo"]["hasNextPage"] for listed in (first, second, third)] == [True, True, False]
    assert [listed["pageInfo"]["hasPreviousPage"] for listed in (first, second, third)] == [False, True, True]
    assert list_ids(
        await read_page(client_with_instances, first=5, after=second["pageInfo"]["endCursor"])
    ) == list_ids(third)


@pytest.mark.parametrize("offset", [13, 14, 2**31 - 1])
async def test_an_offset_beyond_the_end_returns_an_empty_page(
    client_with_instances: Client, offset: int
) -> None:
    listed = await read_page(client_with_instances, offset=offset)
    assert list_ids(listed) == []
    assert listed["totalCount"] == 13
    assert listed["pageInfo"]["hasNextPage"] is False


async def test_the_pages_of_a_filtered_list_contain_only_matching_instances(
    client_with_instances: Client,
) -> None:
    web = {"search": "web"}
    first = await read_page(client_with_instances, filter=web, first=4)
    rest = await read_page(client_with_instances, filter=web, first=4, after=first["pageInfo"]["endCursor"])
    assert list_ids(first) + list_ids(rest) == ["i-01", "i-05", "i-09", "i-02", "i-06", "i-10"]
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
        ({"offset": 0, "after": forge_cursor("EXPIRES_AT False", None, "i-01")}, "offset"),
        ({"offset": 0, "before": forge_cursor("EXPIRES_AT False", None, "i-01")}, "offset"),
        ({"offset": 0, "last": 1}, "offset"),
    ],
    ids=str,
)
async def test_invalid_arguments_of_a_page_are_refused_with_the_name_of_the_argument(
    client_with_instances: Client, arguments: dict[str, Any], field: str
) -> None:
    with sql_log.counted() as seen:
        [error] = await client_with_instances.errors(LIST, **arguments)
    assert error["extensions"] == {"code": "INVALID_INPUT", "field": field}
    assert len(seen) == 1  # the key's account


async def test_a_page_size_of_1_000_is_accepted_and_1_001_is_refused(client_with_instances: Client) -> None:
    assert len(list_ids(await read_page(client_with_instances, first=1_000))) == 13
    [error] = await client_with_instances.errors(LIST, first=1_001)
    assert error["extensions"] == {"code": "INVALID_INPUT", "field": "first"}


TAG = "EXPIRES_AT False"
INVALID_CURSORS = {
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
    "an empty list": forge_cursor(),
    "no key": forge_cursor(TAG),
    "an incomplete key": forge_cursor(TAG, None),
    "a key with an extra value": forge_cursor(TAG, None, "i-01", "i-02"),
    "no tag": forge_cursor(None, None, "i-01"),
    "a tag in a list": forge_cursor([TAG], None, "i-01"),
    "another order": forge_cursor("NAME False", "web", "i-01"),
    "another direction": forge_cursor("EXPIRES_AT True", None, "i-01"),
    "another list": forge_cursor("orders", "2027-01-01T00:00:00Z", "00000000-0000-0000-0000-000000000000"),
    "a number for an instant": forge_cursor(TAG, 1, "i-01"),
    "a boolean for an instant": forge_cursor(TAG, True, "i-01"),
    "a list for an instant": forge_cursor(TAG, ["2027-01-31T00:00:00Z"], "i-01"),
    "an object for an instant": forge_cursor(TAG, {}, "i-01"),
    "infinity for an instant": forge_cursor(TAG, "infinity", "i-01"),
    "an instant without an offset": forge_cursor(TAG, "2027-01-31T00:00:00", "i-01"),
    "an instant before the first date": forge_cursor(TAG, "0001-01-01T00:00:00+14:00", "i-01"),
    "an instant after the last date": forge_cursor(TAG, "9999-12-31T23:59:59-14:00", "i-01"),
    "an instant with a NUL": forge_cursor(TAG, "2027-01-31T00:00:00Z\0", "i-01"),
    "null for an id": forge_cursor(TAG, None, None),
    "a number for an id": forge_cursor(TAG, None, 1),
    "an id with a NUL": forge_cursor(TAG, None, "i-01\0"),
    "an id with an unpaired surrogate": forge_cursor(TAG, None, "i-01\ud800"),
}


@pytest.mark.parametrize("argument", ["after", "before"])
async def test_an_invalid_cursor_is_refused_with_the_name_of_the_argument(
    client_with_instances: Client, argument: str
) -> None:
    for description, invalid_cursor in INVALID_CURSORS.items():
        with sql_log.counted() as seen:
            result = (
                await client_with_instances.post(LIST.replace("totalCount", ""), **{argument: invalid_cursor})
            ).json()
        assert result["data"] is None, description
        for error in result["errors"]:
            assert error["extensions"] == {"code": "INVALID_INPUT", "field": argument}, description
        assert len(seen) == 1, description  # the key's account
