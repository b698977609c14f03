"""The role VIEWER: it can read all data of its account, and cannot change anything by any path."""

from collections.abc import Callable
from typing import Any

import pytest
from graphql import build_schema

from schema.customer import schema as customer_schema
from tests.isolation import names, stage, walk
from tests.support.fixtures import World
from tests.support.graphql_client import URL, Client

SCHEMA = build_schema(customer_schema.sdl())
MUTATIONS = [place for place in walk.places(SCHEMA) if place.operation == "mutation" and len(place.way) == 1]
FORBIDDEN = (
    "The role VIEWER is read-only, so nothing was changed. Use a key or a token with the role RENEWER."
)
RESET = "mutation { resetCalendarToken { token } }"


@pytest.fixture
def many_fields(settings_override: Callable[..., None]) -> None:
    """Raise the limit on fields, so that a request can select every field of a long list."""
    settings_override(fields_max=100_000_000, cost_max=100_000_000)


@pytest.fixture
async def viewer_client(world: World, many_fields: None, graphql: Client) -> Client:
    """Return a client with a viewer's key of account `a`, which has data of each kind."""
    await world.account("a", balance="1000.00")
    await world.instance("i-1")
    graphql.key = await world.key("a", role="VIEWER")
    return graphql


def assert_forbidden(answer: dict[str, Any], field: str) -> None:
    [error] = answer["errors"]
    assert answer["data"] is None
    assert (error["message"], error["path"], error["extensions"]) == (
        FORBIDDEN,
        [field],
        {"code": "FORBIDDEN"},
    )


def test_every_mutation_is_tested_here() -> None:
    assert SCHEMA.mutation_type is not None
    without_arguments = {"resetCalendarToken"}
    assert {
        place.way[0].name for place in MUTATIONS
    } | without_arguments >= SCHEMA.mutation_type.fields.keys()


@pytest.mark.parametrize("place", MUTATIONS, ids=[place.coordinate for place in MUTATIONS])
async def test_no_mutation_is_executed_for_a_viewer(
    world: World, viewer_client: Client, place: walk.Place
) -> None:
    things = {kind: [value] for kind, value in names.NOBODYS.items()} | {"instance": ["i-1"]}
    own = stage.Stock("a", things=things).own
    query, sent = walk.request(SCHEMA, place, {}, own)
    before = await world.snapshot()
    for _ in range(2):
        answer = await viewer_client.post(query, **sent)
        assert answer.status_code == 200
        assert_forbidden(answer.json(), place.way[0].name)
    assert await world.snapshot() == before


async def test_a_mutation_that_another_key_has_cached_is_refused_to_a_viewer(
    world: World, viewer_client: Client
) -> None:
    viewer, viewer_client.key = viewer_client.key, await world.key("a")
    for _ in range(2):
        assert (await viewer_client(RESET))["resetCalendarToken"]["token"]
    assert customer_schema.schema.operations.find(RESET, None) is not None, "the mutation is cached"
    keys = await world.rows("SELECT id, revoked_at FROM api_keys ORDER BY id")
    viewer_client.key = viewer
    assert_forbidden((await viewer_client.post(RESET)).json(), "resetCalendarToken")
    assert await world.rows("SELECT id, revoked_at FROM api_keys ORDER BY id") == keys


async def test_none_of_several_mutations_in_one_document_is_executed_for_a_viewer(
    world: World, viewer_client: Client
) -> None:
    answer = await viewer_client.post(f"mutation {{ one: resetCalendarToken {{ token }} two: {RESET[11:]}")
    [error] = answer.json()["errors"]
    assert (error["path"], error["extensions"]) == (["one"], {"code": "FORBIDDEN"})
    assert await world.count("api_keys") == 1


async def test_a_viewer_cannot_execute_a_mutation_over_server_sent_events(
    world: World, viewer_client: Client
) -> None:
    headers = {"Authorization": f"Bearer {viewer_client.key}", "Accept": "text/event-stream"}
    answer = await viewer_client.http.post(URL, json={"query": RESET}, headers=headers)
    assert '"FORBIDDEN"' in answer.text
    assert await world.count("api_keys") == 1


async def test_a_viewer_can_execute_every_query(viewer_client: Client) -> None:
    for place in walk.places(SCHEMA):
        if place.operation == "query" and len(place.way) == 1:
            things = {kind: [value] for kind, value in names.NOBODYS.items()} | {"instance": ["i-1"]}
            query, sent = walk.request(SCHEMA, place, {}, stage.Stock("a", things=things).own)
            await viewer_client(query, **sent)
    assert await viewer_client("{ account { id balance } webhookEndpoints { id } products { code } }")


@pytest.mark.parametrize(
    "path", ["/export/instances.csv", "/export/orders.jsonl", "/export/ledger.csv", "/calendar.ics"]
)
async def test_a_viewer_can_read_exports_and_the_calendar(viewer_client: Client, path: str) -> None:
    headers = {"Authorization": f"Bearer {viewer_client.key}"}
    assert (await viewer_client.http.get(URL.replace("/graphql", path), headers=headers)).status_code == 200
