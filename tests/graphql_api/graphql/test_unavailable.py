"""If a database connection ends inside a resolver and there is no data, the response is a 503 with Retry-After."""

import pytest

from renewals.db import connection as database
from tests.graphql_api.cli.test_refused_servers import CUT
from tests.support import customer
from tests.support.fixtures import World
from tests.support.graphql_client import URL, Client

LIST = "{ instances { totalCount nodes { id name } } }"
COUNT = "{ instances { totalCount } }"
ONE = '{ instance(id: "i-1") { id } }'
BOTH = '{ account { id } instance(id: "i-1") { id } }'
RESPONSE = "application/graphql-response+json"


@pytest.fixture
async def client(world: World, graphql: Client) -> Client:
    await world.account("a", balance="100.00")
    await world.instance("i-1")
    graphql.key = await world.key("a")
    return graphql


async def cut_connections_that_read_instances() -> None:
    """Make PostgreSQL end each connection that reads instances."""
    await database.execute(database.pool(), "ALTER TABLE instances RENAME TO instances_of_old")
    await database.execute(
        database.pool(),
        "CREATE VIEW instances AS SELECT i.* FROM instances_of_old i WHERE pg_terminate_backend(pg_backend_pid())",
    )


@pytest.mark.parametrize("is_known", [False, True], ids=["first time", "known operation"])
@pytest.mark.parametrize("query", [LIST, ONE], ids=["not null", "nullable"])
async def test_a_lost_database_connection_without_data_is_a_503_with_retry_after(
    client: Client, query: str, is_known: bool
) -> None:
    assert (await client.post(COUNT)).status_code == 200, "the instances of the account are now counted"
    if is_known:
        assert (await client.post(query)).status_code == 200
    await cut_connections_that_read_instances()
    answer = await client.post(query)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    [error] = answer.json()["errors"]
    assert error["extensions"] == {"code": "UNAVAILABLE"}
    assert answer.json()["extensions"]["cost"] > 0


async def test_a_lost_connection_before_the_account_is_counted_is_a_503_without_cost(
    client: Client,
) -> None:
    await cut_connections_that_read_instances()
    answer = await client.post(LIST)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    [error] = answer.json()["errors"]
    assert error["extensions"] == {"code": "UNAVAILABLE"}
    assert "extensions" not in answer.json()


@pytest.mark.parametrize("is_known", [False, True], ids=["first time", "known operation"])
async def test_a_lost_database_connection_with_partial_data_is_a_200(client: Client, is_known: bool) -> None:
    if is_known:
        assert (await client.post(BOTH)).status_code == 200
    await cut_connections_that_read_instances()
    answer = await client.post(BOTH)
    assert (answer.status_code, "retry-after" in answer.headers) == (200, False)
    assert answer.json()["data"] == {"account": {"id": "a"}, "instance": None}
    assert [error["extensions"]["code"] for error in answer.json()["errors"]] == ["UNAVAILABLE"]


@pytest.mark.parametrize(
    ("accept", "media_type", "has_data"),
    [(RESPONSE, RESPONSE, False), ("text/event-stream", "application/json", True)],
)
async def test_the_503_of_a_lost_database_connection_has_the_media_type_of_a_refusal(
    client: Client, accept: str, media_type: str, has_data: bool
) -> None:
    await cut_connections_that_read_instances()
    headers = {"Authorization": f"Bearer {client.key}", "Accept": accept}
    answer = await client.http.post(URL, json={"query": LIST}, headers=headers)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.headers["content-type"].partition(";")[0] == media_type
    assert ("data" in answer.json()) is has_data


async def test_an_error_of_another_kind_without_data_is_a_200(client: Client) -> None:
    answer = await client.post("{ instances(first: -1) { totalCount } }")
    assert (answer.status_code, answer.json()["data"]) == (200, None)


async def test_a_renewal_that_loses_its_connection_is_a_503_and_charges_nothing(
    world: World, client: Client
) -> None:
    await world.instance("i-2", expires="2027-01-31", price="30.00")
    for statement in CUT.split(";\n"):
        await database.execute(database.pool(), statement)
    before = await world.snapshot()
    renewal = {"selection": {"ids": ["i-2"]}, "months": 1, "idempotencyKey": "k"}
    answer = await client.post(customer.RENEW, input=renewal)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert await world.snapshot() == before
