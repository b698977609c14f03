"""Both APIs can be subgraphs of Apollo Federation 2, with the isolation, the limits and the speed of normal fields."""

import asyncio
import datetime as dt
import json
import re
import subprocess
import uuid
from pathlib import Path
from typing import Any

import pytest
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from schema.customer import federation as customer_federation
from schema.operator import federation as operator_federation
from scripts import node_packages
from tests.schema.execution.subgraphs import INSTANCES, refer, resolve
from tests.support import core_calls, sql_log
from tests.support.fixtures import NOW, World
from tests.support.graphql_client import Client
from tests.support.operator_client import Operator

PAGE = Path(__file__).parents[3] / "docs/federation.md"
QUERY = """query($representations: [_Any!]!) { _entities(representations: $representations) {
  __typename
  ... on Instance { id name expiresAt monthlyPrice product { code } tags { key } }
  ... on Account { id balance }
  ... on RenewOrder { id total lines { instanceId } } } }"""
OPERATORS_QUERY = """query($representations: [_Any!]!) { _entities(representations: $representations) {
  ... on Instance { id accountId status } ... on Account { id name } ... on RenewOrder { id accountId } } }"""
RENEW = """mutation($ids: [ID!]!) { renewInstances(input: {selection: {ids: $ids}, months: 1, idempotencyKey: "k"}) {
  ... on RenewInstancesSuccess { order { id } } } }"""


@node_packages.schema_tools_needed
async def test_both_apis_compose_with_another_subgraph_and_execute_the_fetches_of_a_gateway(
    world: World, clients: tuple[Client, Operator]
) -> None:
    catalogue, page_query = re.findall(r"```graphql\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    customers, operators = (api.build().as_str() for api in (customer_federation, operator_federation))
    plans = [
        {"subgraphs": {"renewals": sdl, "catalogue": text}, "query": page_query}
        for sdl, text in (
            (customers, catalogue),
            (operators, catalogue),
            (customers, catalogue.replace("PageInfo @shareable", "PageInfo")),
        )
    ]
    process = await asyncio.to_thread(
        subprocess.run,
        [node_packages.NODE, str(node_packages.SCHEMA_TOOLS / "compose.mjs")],
        input=json.dumps(plans),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    *planned, refused = json.loads(process.stdout)
    assert "PageInfo" in refused["errors"][0]  # a type of both subgraphs must be shareable in both

    order_id = (await clients[0](RENEW, ids=["i-1"]))["renewInstances"]["order"]["id"]
    ids = {"Instance": "i-1", "Account": "a", "RenewOrder": order_id}
    expected = {
        "Instance": {"name": "Instance i-1"},
        "Account": {"name": "Account a"},
        "RenewOrder": {"kind": "MANUAL_RENEWAL"},
    }
    for client, plan in zip(clients, planned, strict=True):
        fetches = [fetch["query"] for fetch in plan["fetches"] if fetch["subgraph"] == "renewals"]
        assert len(fetches) == len(ids)
        for query in fetches:
            [type_name] = [name for name in ids if f"...on {name}{{" in query]
            [entity] = await resolve(client, query, *refer(type_name, ids[type_name]))
            assert entity == expected[type_name]


async def test_entities_equal_the_normal_fields_in_the_order_of_the_representations(
    clients: tuple[Client, Operator],
) -> None:
    customer, _ = clients
    order_id = (await customer(RENEW, ids=["i-1", "i-2"]))["renewInstances"]["order"]["id"]
    normal = await customer(
        """query($order: ID!) {
          i: instance(id: "i-2") { __typename id name expiresAt monthlyPrice product { code } tags { key } }
          a: account { __typename id balance } o: order(id: $order) { __typename id total lines { instanceId } } }""",
        order=order_id,
    )
    references = [
        *refer("Instance", "i-2", "none"),
        *refer("RenewOrder", order_id, "none"),
        *refer("Account", "a"),
    ]
    expected = [normal["i"], None, normal["o"], None, normal["a"]]
    assert await resolve(customer, QUERY, *references) == expected
    assert await resolve(customer, QUERY, *references[::-1]) == expected[::-1]
    assert await resolve(customer, QUERY, *refer("Instance", "i-2", "i-2")) == [normal["i"]] * 2
    capital = order_id.upper()
    assert await resolve(customer, QUERY, *refer("RenewOrder", capital, order_id)) == [normal["o"]] * 2


async def test_entities_of_another_account_are_null_like_unknown_entities(
    world: World, clients: tuple[Client, Operator]
) -> None:
    customer, operator = clients
    await world.account("b", balance="1000.00", test_clock=NOW + dt.timedelta(days=60))
    await world.instances(["theirs"], account="b", expires="2027-01-31", price="100.00")
    other_customer = Client()
    other_customer.key = await world.key("b")
    async with other_customer.http:
        await world.put("theirs", expires_at=NOW + dt.timedelta(days=90))
        order_id = (await other_customer(RENEW, ids=["theirs"]))["renewInstances"]["order"]["id"]
    await world.put("theirs", expires_at=NOW + dt.timedelta(days=59))
    foreign = [*refer("Instance", "theirs"), *refer("Account", "b"), *refer("RenewOrder", order_id)]
    missing = [*refer("Instance", "none"), *refer("Account", "none"), *refer("RenewOrder", str(uuid.uuid4()))]
    unusual = [*refer("Instance", "\0", ""), *refer("Account", "", "\0"), *refer("RenewOrder", "\0", "a")]
    bodies = [(await customer.post(QUERY, representations=part)).content for part in (foreign, missing)]
    assert bodies[0] == bodies[1]
    assert json.loads(bodies[0])["data"] == {"_entities": [None] * 3}
    assert await resolve(customer, QUERY, *unusual) == [None] * 6

    # An operator reads every account. The status of an instance is that at its account's own instant (rule 37).
    entities = await resolve(operator, OPERATORS_QUERY, *foreign)
    assert entities == [
        {"id": "theirs", "accountId": "b", "status": "EXPIRED"},
        {"id": "b", "name": "Account b"},
        {"id": order_id, "accountId": "b"},
    ]
    assert await resolve(operator, OPERATORS_QUERY, *missing, *unusual) == [None] * 9
    customer.key, operator.key = operator.key, customer.key
    for client, query in ((customer, QUERY), (operator, OPERATORS_QUERY)):
        assert (await client.post(query, representations=foreign)).status_code == 401


async def test_entities_of_one_type_are_read_in_one_statement_and_completed_without_graphql_core(
    world: World, clients: tuple[Client, Operator], monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = await world.instances([f"n-{number:03}" for number in range(200)])
    completed = core_calls.count_core_calls(monkeypatch, "complete_list_item_value")
    for client in clients:
        counts = []
        for references in (refer("Instance", "n-000"), refer("Instance", *ids, "none", "i-1")):
            await resolve(
                client, INSTANCES, *references
            )  # the key's use and the account's size are recorded once
            with sql_log.counted() as statements:
                entities = await resolve(client, INSTANCES, *references)
            assert [entity and entity["id"] for entity in entities] == [
                None if reference["id"] == "none" else reference["id"] for reference in references
            ]
            counts.append(len(statements))
            assert sum("FROM instances" in statement for statement in statements) == 1
        assert counts[0] == counts[1] <= 2  # the other statement is the key's
    assert not completed


async def test_compiled_entities_equal_the_entities_of_graphql_core(
    clients: tuple[Client, Operator], monkeypatch: pytest.MonkeyPatch
) -> None:
    customer, _ = clients
    order_id = (await customer(RENEW, ids=["i-1"]))["renewInstances"]["order"]["id"]
    queries = [
        INSTANCES,
        QUERY,
        QUERY.replace("tags { key }", "attempts { id } orders { id } outlook { dueAt }"),
        INSTANCES.replace("id name", "__typename"),
        INSTANCES.replace(
            "{ id name }", "{ id ...F } } } fragment F on Instance { bundle { id } outlook { dueAt"
        ),
    ]
    parts = [
        [*refer("Instance", "i-1", "none", "i-2")],
        [*refer("Account", "a", "b")],
        [*refer("RenewOrder", order_id), *refer("Instance", "i-2"), *refer("Account", "a")],
        [],
    ]

    async def read_entities() -> list[Any]:
        return [await customer(query, representations=part) for query in queries for part in parts]

    compiled = await read_entities()
    for name in ("complete_iterable_value", "execute_fields"):
        original = getattr(StrawberryGraphQLCoreExecutionContext, name)
        monkeypatch.setattr("schema.execution.executor.Executor." + name, original)
    assert await read_entities() == compiled
