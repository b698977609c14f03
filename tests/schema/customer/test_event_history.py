"""The account's events, newest first, with filters, their actor, instance and order (rule 25)."""

import datetime as dt
from typing import Any

import pytest

from renewals.accounts import api_keys
from renewals.auto_renewal import renew
from renewals.db import connection as database
from renewals.domain import model
from renewals.events import queries as events_queries
from renewals.instances import lifecycle
from tests.schema.customer import test_index_order
from tests.schema.customer.test_index_order import long_history  # noqa: F401
from tests.support import customer, sql_log
from tests.support.fixtures import NOW, World
from tests.support.graphql_client import Client

HISTORY = """query ($filter: EventFilter, $first: Int, $after: String, $last: Int, $before: String) {
  eventHistory(filter: $filter, first: $first, after: $after, last: $last, before: $before) {
    totalCount pageInfo { hasNextPage endCursor startCursor }
    nodes { sequence type instanceId actor { kind name } instance { id name } order { id kind } payload } } }"""
LATER = (NOW + dt.timedelta(hours=1)).isoformat()


@pytest.fixture
async def buyer(world: World, graphql: Client) -> customer.Buyer:
    """Account `a` after a renewal and a change of policy by the key `console`, a run, and a refund by `ops`."""
    await world.account("a", balance="1000.00")
    async with database.transaction() as connection:
        graphql.key = await api_keys.create(connection, "a", NOW, role=model.Role.RENEWER, name="console")
    buyer = customer.Buyer(graphql)
    await world.instances(["i-1", "i-2"], price="100.00", expires="2027-03-31")
    await world.instance("auto", mode="AUTO", expires="2027-01-11", price="10.00")
    renewed = await buyer.renew(["i-1"])
    graphql.at(NOW + dt.timedelta(hours=1))
    await buyer.set_policy(["i-2"], "NONE")
    await renew.run_at(world.at("2027-01-11 00:30"))
    await world.refund(renewed["order"]["id"], now=world.at("2027-01-11 01:00"))
    await world.account("b")
    await world.instance("theirs", account="b")
    await customer.Buyer(graphql).set_policy(["i-2"], "MANUAL")
    return buyer


async def read_history(client: Client, **variables: Any) -> dict[str, Any]:
    history: dict[str, Any] = (await client(HISTORY, **variables))["eventHistory"]
    return history


async def test_events_are_listed_newest_first_with_their_actor_instance_and_order(
    buyer: customer.Buyer,
) -> None:
    history = await read_history(buyer.client)
    assert [
        (event["sequence"], event["type"], event["instanceId"], event["actor"]) for event in history["nodes"]
    ] == [
        (5, "policy.changed", "i-2", {"kind": "CUSTOMER", "name": "console"}),
        (4, "instance.refunded", "i-1", {"kind": "OPERATOR", "name": "ops"}),
        (3, "instance.renewed", "auto", {"kind": "WORKER", "name": "worker"}),
        (2, "policy.changed", "i-2", {"kind": "CUSTOMER", "name": "console"}),
        (1, "instance.renewed", "i-1", {"kind": "CUSTOMER", "name": "console"}),
    ]
    assert history["totalCount"] == 5
    first, policy = history["nodes"][-1], history["nodes"][-2]
    assert first["instance"] == {"id": "i-1", "name": "Instance i-1"}
    assert first["order"] == {"id": first["payload"]["orderId"], "kind": "MANUAL_RENEWAL"}
    assert history["nodes"][1]["order"] == first["order"], "a refund names the order that it refunds"
    assert policy["order"] is None
    assert policy["payload"]["after"] == {"renewalMode": "NONE", "autoRenewMonths": 1}


@pytest.mark.parametrize(
    ("event_filter", "sequences"),
    [
        ({}, [5, 4, 3, 2, 1]),
        ({"types": ["instance.renewed"]}, [3, 1]),
        ({"types": ["policy.changed", "instance.refunded", "none"]}, [5, 4, 2]),
        ({"types": []}, []),
        ({"instanceId": "i-1"}, [4, 1]),
        ({"instanceId": "i-1", "types": ["instance.renewed"]}, [1]),
        ({"instanceId": "theirs"}, []),
        ({"instanceId": "i-1\0"}, []),
        ({"occurredFrom": LATER}, [5, 4, 3, 2]),
        ({"occurredBefore": LATER}, [1]),
        ({"occurredFrom": LATER, "occurredBefore": LATER}, []),
    ],
    ids=str,
)
async def test_a_filter_selects_events_that_meet_all_conditions(
    buyer: customer.Buyer, event_filter: dict[str, Any], sequences: list[int]
) -> None:
    history = await read_history(buyer.client, filter=event_filter)
    assert [event["sequence"] for event in history["nodes"]] == sequences
    assert history["totalCount"] == len(sequences)


async def test_the_event_history_is_paged_by_cursors(buyer: customer.Buyer) -> None:
    first = await read_history(buyer.client, first=2)
    assert [event["sequence"] for event in first["nodes"]] == [5, 4]
    second = await read_history(buyer.client, first=2, after=first["pageInfo"]["endCursor"])
    assert [event["sequence"] for event in second["nodes"]] == [3, 2]
    assert second["pageInfo"]["hasNextPage"]
    last = await read_history(buyer.client, last=2, before=second["pageInfo"]["startCursor"])
    assert last["nodes"] == first["nodes"]


async def test_the_worker_is_the_actor_of_an_expiry_that_a_late_renewal_reports(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql, balance="1000.00")
    await world.instance("i-1", expires="2027-01-09")
    await buyer.renew(["i-1"])
    history = await read_history(graphql)
    assert [(event["type"], event["actor"]["kind"]) for event in reversed(history["nodes"])] == [
        ("instance.expired", "WORKER"),
        ("instance.renewed", "CUSTOMER"),
        ("instance.restored", "CUSTOMER"),
    ]


async def test_the_worker_is_the_actor_of_expired_and_released_events(world: World, client: Client) -> None:
    await world.instance("i-1", expires="2027-01-09")
    await lifecycle.expire_and_release(world.at("2027-02-01 00:00"))
    history = await read_history(client)
    assert [(event["type"], event["actor"]) for event in history["nodes"]] == [
        ("instance.released", {"kind": "WORKER", "name": "worker"}),
        ("instance.expired", {"kind": "WORKER", "name": "worker"}),
    ]


async def test_the_number_of_statements_does_not_grow_with_the_page_of_events(buyer: customer.Buyer) -> None:
    counts = []
    for first in (1, 5):
        with sql_log.counted() as seen:
            await read_history(buyer.client, first=first)
        counts.append(len(seen))
    assert max(counts) - min(counts) <= 1, counts  # with only the newest event, there is no order to read


@pytest.mark.parametrize(
    "event_filter",
    [
        events_queries.EventFilter(),
        events_queries.EventFilter(types=["policy.changed"]),
        events_queries.EventFilter(instance_id="i-7"),
        events_queries.EventFilter(occurred_from=NOW - dt.timedelta(days=2), occurred_before=NOW),
    ],
    ids=str,
)
@pytest.mark.usefixtures("long_history")
async def test_a_page_of_the_event_history_is_read_in_the_order_of_an_index(
    event_filter: events_queries.EventFilter,
) -> None:
    pool = database.pool()
    with sql_log.noted() as seen:
        page = await events_queries.fetch_history(
            pool, "a", event_filter, test_index_order.FIRST, counted=False
        )
    assert len(page.rows) == 10
    [statement] = seen
    await test_index_order.assert_history_is_not_sorted(pool, statement.sql, statement.values)
