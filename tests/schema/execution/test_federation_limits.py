"""References to entities are limited, and a subgraph's schema can be read only if introspection is allowed."""

import json
from collections.abc import Callable

from renewals.domain import limits
from schema.customer import federation as customer_federation
from schema.operator import federation as operator_federation
from tests.schema.execution.subgraphs import INSTANCES, refer, resolve
from tests.support.fixtures import World
from tests.support.graphql_client import Client
from tests.support.operator_client import Operator

MALFORMED: list[tuple[object, str]] = [
    (
        {"__typename": "Product", "id": "eip"},
        "__typename: must be one of the entity types of this subgraph: ",
    ),
    (
        {"id": "i-1"},
        "__typename: must be one of the entity types of this subgraph: Account, Instance, RenewOrder",
    ),
    ({"__typename": ["Instance"], "id": "i-1"}, "__typename: must be one of the entity types"),
    ({"__typename": "Instance", "id": 1}, "id: must be a string"),
    ({"__typename": "Instance"}, "id: must be a string"),
    ([], "__typename: must be one of the entity types"),
    ("Instance", "__typename: must be one of the entity types"),
]


async def test_each_entity_reference_has_a_cost_and_a_request_has_at_most_1_000_references(
    clients: tuple[Client, Operator], settings_override: Callable[..., None]
) -> None:
    customer, operator = clients

    async def cost(client: Client, query: str, count: int) -> int:
        response = await client.post(query, representations=refer("Instance", *["i-1"] * count))
        return int(response.json()["extensions"]["cost"])

    nested = INSTANCES.replace("id name", "id bundle { instances(first: 100) { id name } }")
    for client, query, cost_of_one in (
        (customer, INSTANCES, 4),
        (operator, INSTANCES, 4),
        (customer, nested, 304),
    ):
        assert await cost(client, query, 900) - await cost(client, query, 400) == cost_of_one * 500
    single = (
        '{ _entities(representations: {__typename: "Instance", id: "i-1"}) { ... on Instance { name } } }'
    )
    assert (await customer(single))["_entities"] == [{"name": "Instance i-1"}]

    at_most = refer("Instance", *["i-1"] * limits.PAGE_ROWS_MAX)
    assert len(await resolve(customer, INSTANCES, *at_most)) == limits.PAGE_ROWS_MAX
    for client in clients:
        [problem] = await client.errors(INSTANCES, representations=[*at_most, *refer("Instance", "i-1")])
        assert problem["message"] == "representations: must have at most 1,000 items, not 1,001"
    expensive = INSTANCES.replace("id name", "bundle { instances(first: 1000) { id } }")
    [problem] = await customer.errors(expensive, representations=at_most)
    assert problem["extensions"]["code"] == "COST_TOO_HIGH"


async def test_a_malformed_representation_is_refused_with_its_path(clients: tuple[Client, Operator]) -> None:
    for client in clients:
        for representation, message in MALFORMED:
            [problem] = await client.errors(
                INSTANCES, representations=[*refer("Instance", "i-1"), representation]
            )
            assert problem["message"].startswith(f"representations.1.{message}")
            assert problem["extensions"]["code"] == "INVALID_INPUT"


async def test_the_sdl_of_a_subgraph_requires_the_settings_introspection_and_federation(
    world: World, clients: tuple[Client, Operator], settings_override: Callable[..., None]
) -> None:
    customer, operator = clients
    service = "{ _service { sdl } }"
    for client in clients:
        [problem] = await client.errors(service)
        assert problem["extensions"]["code"] == "INTROSPECTION_DISABLED"
    settings_override(introspection=True, federation=True, operator_api=True)
    builds = (customer_federation.build, operator_federation.build)
    for client, build in zip((Client(), Operator()), builds, strict=True):
        client.key = operator.key if isinstance(client, Operator) else customer.key
        async with client.http:
            sdl = (await client(service))["_service"]["sdl"]
        assert sdl == build().as_str() + "\n"
        for name in ("Account", "Instance", "RenewOrder"):
            assert f'type {name} @key(fields: "id", resolvable: true) {{' in sdl
    settings_override(introspection=True, federation=False)
    plain = Client()
    plain.key = customer.key
    async with plain.http:
        assert (
            (await plain.post(service))
            .json()["errors"][0]["message"]
            .startswith("Cannot query field '_service'")
        )
        fields = await plain("{ __schema { queryType { fields { name } } directives { name } } }")
    assert not any(name in json.dumps(fields) for name in ("_entities", "_service", '"key"', "shareable"))
