"""Requests over HTTP for one field of a schema, with given values of its leaves."""

import asyncio
from collections.abc import Mapping
from typing import Any, NamedTuple

from graphql import GraphQLSchema, build_schema

from graphql_api.graphql import api_config
from renewals import config
from schema.customer import schema as customer_schema
from schema.operator import schema as operator_schema
from tests.isolation import stage, walk
from tests.isolation.stage import Stock
from tests.support.graphql_client import URL
from tests.support.operator_client import OPERATOR_URL, Operator

CUSTOMERS: GraphQLSchema = build_schema(customer_schema.sdl())
OPERATORS: GraphQLSchema = build_schema(operator_schema.sdl())
SILENCE_SECONDS = 0.3
"""The time without a message after which a subscription counts as silent."""

Tried = dict[walk.Leaf, Any]


class Scene(NamedTuple):
    """The accounts, the operator, and the data of the account that could leak or change."""

    operator: Operator
    theirs: Stock
    twins: tuple[Stock, Stock]
    digest: stage.Digest
    before: dict[str, tuple[str | None, int]]
    words: frozenset[str]


async def ask(
    client: Operator, key: str | None, place: walk.Place, tried: Tried, value_of: Stock, url: str = URL
) -> tuple[int, str]:
    """Return the status and the body of a response; for a subscription, its first message."""
    schema = OPERATORS if url == OPERATOR_URL else CUSTOMERS
    query, sent = walk.request(schema, place, tried, value_of.own)
    if place.operation == "subscription":
        return 200, await listen(client, str(key), query, sent)
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    response = await client.http.post(url, json={"query": query, "variables": sent}, headers=headers)
    return response.status_code, response.text


async def listen(client: Operator, key: str, query: str, sent: Mapping[str, Any]) -> str:
    """Return a subscription's first message, or that it is silent. It runs in this process, without a socket."""
    context: Any = await api_config.customers(config.get_settings()).authenticate(
        f"Bearer {key}", lambda: client.now
    )
    assert context is not None
    stream = await customer_schema.schema.stream(query, dict(sent), context)
    try:
        async with asyncio.timeout(SILENCE_SECONDS):
            message = await anext(aiter(stream))
        return str((getattr(message, "data", None), [error.formatted for error in message.errors or ()]))  # type: ignore[union-attr]
    except TimeoutError:
        return "silence"
    finally:
        await stream.aclose()
