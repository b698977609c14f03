"""Requests to subgraphs, as a gateway sends them."""

from typing import Any

from tests.support.graphql_client import Client

INSTANCES = """query($representations: [_Any!]!) { _entities(representations: $representations) {
  ... on Instance { id name } } }"""


def refer(type_name: str, *ids: str) -> list[dict[str, str]]:
    """Return representations of entities, as a gateway sends them."""
    return [{"__typename": type_name, "id": entity_id} for entity_id in ids]


async def resolve(client: Client, query: str, *references: dict[str, str]) -> list[Any]:
    entities: list[Any] = (await client(query, representations=references))["_entities"]
    return entities
