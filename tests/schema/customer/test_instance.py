"""One instance with its nested fields, each read in one statement for any number of rows."""

import datetime as dt

import pytest

from renewals.auto_renewal import renew
from renewals.instances import lifecycle
from tests.support import sql_log
from tests.support.fixtures import NOW, World
from tests.support.graphql_client import Client

ONE = """query ($id: ID!) { instance(id: $id) {
  id name billingMode isTrial status renewalMode autoRenewMonths expiresAt monthlyPrice createdAt
  product { code name nameZh renewable unsupportedReason maxTermMonths retentionDays }
  dataCenter { code name type { code } } configuration { label value } bundle { id } } }"""
HISTORY = """query ($id: ID!, $first: Int) { instance(id: $id) {
  attempts(first: $first) { id instanceId dueAt attemptedAt succeeded code message order { id total } }
  orders(first: $first) { id kind total lines { instanceId } } } }"""


async def run(world: World, moment: str) -> None:
    """Do a run at a local time in the zone of account `a`."""
    now = world.at(moment)
    await renew.run_at(now, lambda: now)


async def test_an_instance_has_all_registered_values(world: World, client: Client) -> None:
    await world.instance(
        "i-1",
        name="网站",
        product="kec",
        data_center="gz-edge",
        mode="AUTO",
        months=3,
        price="512.90",
        expires="2027-01-31",
        configuration={"带宽": "1Mbps", "CPU": "4", "备注": ""},
    )
    assert (await client(ONE, id="i-1"))["instance"] == {
        "id": "i-1",
        "name": "网站",
        "billingMode": "PREPAID",
        "isTrial": False,
        "status": "RUNNING",
        "renewalMode": "AUTO",
        "autoRenewMonths": 3,
        "expiresAt": "2027-01-31T15:59:59+00:00",
        "monthlyPrice": "512.90",
        "createdAt": "2027-01-10T04:00:00+00:00",
        "product": {
            "code": "kec",
            "name": "Elastic Compute",
            "nameZh": "云服务器",
            "renewable": True,
            "unsupportedReason": None,
            "maxTermMonths": 36,
            "retentionDays": 365,
        },
        "dataCenter": {"code": "gz-edge", "name": "广州边缘", "type": {"code": "EDGE"}},
        "configuration": [
            {"label": "带宽", "value": "1Mbps"},
            {"label": "CPU", "value": "4"},
            {"label": "备注", "value": ""},
        ],
        "bundle": None,
    }


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"trial": True}, {"isTrial": True, "billingMode": "PREPAID"}),
        ({"billing": "ONE_OFF"}, {"isTrial": False, "billingMode": "ONE_OFF"}),
        ({"expires": None}, {"expiresAt": None, "billingMode": "PAY_AS_YOU_GO"}),
        ({"product": "ddos"}, {"product": {"renewable": False, "unsupportedReason": "Not needed."}}),
    ],
    ids=str,
)
async def test_an_instance_that_is_not_manageable_is_found_by_id(
    world: World, client: Client, columns: dict[str, object], expected: dict[str, object]
) -> None:
    await world.instance("i-1", **columns)
    instance = (await client(ONE, id="i-1"))["instance"]
    product = {field: instance["product"][field] for field in ("renewable", "unsupportedReason")}
    assert expected.items() <= {**instance, "product": product}.items()


@pytest.mark.parametrize(
    "instance_id", ["i-2", "I-1", "i-1 ", "", "i-1\0", "\0", "%", "' OR TRUE --", "x" * 100_000]
)
async def test_an_instance_with_an_unknown_id_is_null(world: World, client: Client, instance_id: str) -> None:
    await world.instance("i-1")
    assert await client("query ($id: ID!) { instance(id: $id) { id } }", id=instance_id) == {"instance": None}


async def test_an_instance_is_expired_after_its_expiry_and_released_by_the_worker(
    world: World, client: Client
) -> None:
    status = '{ instance(id: "i-1") { status } }'
    await world.instance("i-1", expires="2027-01-10")
    client.at(world.end_of("2027-01-10"))
    assert (await client(status))["instance"] == {"status": "RUNNING"}
    client.at(world.at("2027-01-11 00:00"))
    assert (await client(status))["instance"] == {"status": "EXPIRED"}
    assert (await world.read("i-1")).status == "RUNNING"
    later = world.at("2027-01-18 00:00")
    await lifecycle.expire_and_release(later)
    client.at(later)
    assert (await client(status))["instance"] == {"status": "RELEASED"}


async def test_a_bundle_lists_its_members_sorted_by_id(world: World, client: Client) -> None:
    await world.instances(["m-2", "m-1"], bundle="b-1")
    await world.instance("m-3", bundle="b-1", product="ddos")
    await world.instance("m-4", bundle="b-2")
    bundle = '{ instance(id: "m-2") { bundle { id name instances { id bundle { id } } } } }'
    assert (await client(bundle))["instance"]["bundle"] == {
        "id": "b-1",
        "name": "Bundle b-1",
        "instances": [{"id": member_id, "bundle": {"id": "b-1"}} for member_id in ("m-1", "m-2", "m-3")],
    }


async def test_attempts_are_listed_newest_first_with_their_order_or_their_refusal(
    world: World, client: Client
) -> None:
    await world.instance("i-1", expires="2027-01-10", mode="AUTO", price="300.00")
    await run(world, "2027-01-10 00:30")
    await world.top_up("300.00")
    await run(world, "2027-01-10 01:30")
    history = (await client(HISTORY, id="i-1"))["instance"]
    succeeded, failed = history["attempts"]
    assert (succeeded["succeeded"], succeeded["code"], succeeded["message"]) == (True, None, None)
    assert succeeded["order"] == {"id": history["orders"][0]["id"], "total": "300.00"}
    assert (failed["succeeded"], failed["code"], failed["order"]) == (False, "INSUFFICIENT_FUNDS", None)
    assert failed["message"] == "300.00 is required and 0.00 is available; 300.00 is missing."
    assert [attempt["attemptedAt"] for attempt in (succeeded, failed)] == [
        "2027-01-09T17:30:00+00:00",
        "2027-01-09T16:30:00+00:00",
    ]
    assert {attempt["dueAt"] for attempt in (succeeded, failed)} == {"2027-01-09T16:30:00+00:00"}
    assert {attempt["instanceId"] for attempt in (succeeded, failed)} == {"i-1"}
    assert succeeded["id"] != failed["id"]
    [order] = history["orders"]
    assert (order["kind"], order["lines"]) == ("AUTO_RENEWAL", [{"instanceId": "i-1"}])


async def test_an_instance_has_the_requested_number_of_its_own_attempts_and_orders(
    world: World, client: Client
) -> None:
    await world.top_up("9000.00")
    await world.instance("i-1", expires="2027-01-10", mode="AUTO")
    await world.instance("i-2", expires="2027-01-10", mode="AUTO")
    await world.instance("i-3", expires="2027-06-30")
    for day in ("2027-01-10", "2027-02-10", "2027-03-10"):
        await run(world, f"{day} 00:30")
    longest = (await client(HISTORY, id="i-1", first=1_000))["instance"]
    due = [attempt["dueAt"] for attempt in longest["attempts"]]
    assert due == ["2027-03-09T16:30:00+00:00", "2027-02-09T16:30:00+00:00", "2027-01-09T16:30:00+00:00"]
    assert [attempt["order"]["id"] for attempt in longest["attempts"]] == [
        order["id"] for order in longest["orders"]
    ]
    assert (await client(HISTORY, id="i-1", first=None))["instance"] == longest
    for first in (0, 1, 2):
        history = (await client(HISTORY, id="i-1", first=first))["instance"]
        assert history == {field: listed[:first] for field, listed in longest.items()}
    assert (await client(HISTORY, id="i-3"))["instance"] == {"attempts": [], "orders": []}


@pytest.mark.parametrize("first", [-1, 1_001, 2**31 - 1, -(2**31)])
@pytest.mark.parametrize("field", ["attempts", "orders"])
async def test_a_length_of_a_history_out_of_bounds_is_refused_without_any_change(
    world: World, client: Client, field: str, first: int
) -> None:
    await world.instance("i-1")
    before = await world.snapshot()
    of_instance = f"{field}(first: {first}) {{ id }}"
    below_change = f"""mutation {{ setRenewalPolicy(input: {{selection: {{ids: ["i-1"]}}, mode: AUTO}}) {{
      ... on SetRenewalPolicySuccess {{ instances {{ {of_instance} }} }} }} }}"""
    for document in (
        f'{{ instance(id: "i-1") {{ {of_instance} }} }}',
        f"{{ instances {{ nodes {{ {of_instance} }} }} }}",
        below_change,
    ):
        [error] = await client.errors(document)
        assert error["extensions"] == {"code": "INVALID_INPUT", "field": "first"}
        assert error["message"] == f"first: must be between 0 and 1000, not {first}"
    assert await world.snapshot() == before


async def test_two_aliases_of_the_attempts_return_the_number_that_each_requests(
    world: World, client: Client
) -> None:
    await world.instance("i-1", expires="2027-01-10", mode="AUTO")
    for hour in ("00", "01", "02"):
        await run(world, f"2027-01-10 {hour}:30")
    query = '{ instance(id: "i-1") { one: attempts(first: 1) { id } all: attempts { id } } }'
    instance = (await client(query))["instance"]
    assert len(instance["all"]) == 3
    assert instance["one"] == instance["all"][:1]


NESTED = """{ instances(first: 50) { nodes { product { name } dataCenter { name } configuration { label }
  bundle { name instances { name product { name } bundle { name } } }
  attempts { order { id lines { price } vouchers { amount voucher { available } } } }
  orders { id lines { price } vouchers { amount voucher { available } } } } } }"""


async def test_the_number_of_statements_does_not_grow_with_the_number_of_instances(
    world: World, client: Client
) -> None:
    counts, pages = [], []
    for number in range(1, 4):
        await world.voucher("50.00")
        for batch in range(number * 4):
            bundle = f"b-{number}-{batch}"
            await world.instances([f"{bundle}-x", f"{bundle}-y"], bundle=bundle, mode="AUTO", price="10.00")
        await world.top_up("600.00")
        await run(world, f"2027-01-31 0{number}:30")
        with sql_log.counted() as seen:
            pages.append((await client(NESTED))["instances"]["nodes"])
        counts.append((len(pages[-1]), len(seen)))
    assert [row_count for row_count, _ in counts] == [8, 24, 48]
    assert len({statement_count for _, statement_count in counts}) == 1, counts
    assert [voucher_use["amount"] for voucher_use in pages[-1][0]["orders"][0]["vouchers"]] == ["20.00"]


async def test_pages_of_1_and_of_30_instances_take_the_same_statements(world: World, client: Client) -> None:
    await world.instances([f"i-{number}" for number in range(30)], created_at=NOW - dt.timedelta(days=1))
    with sql_log.counted() as few:
        await client("{ instances(first: 1) { nodes { product { code } } } }")
    with sql_log.counted() as many:
        await client("{ instances(first: 30) { nodes { product { code } } } }")
    assert few == many
