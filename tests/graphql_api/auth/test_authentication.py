"""Authentication: a key reads only its own account, and cannot be used to find out whether another account exists."""

import hashlib

import httpx2
import orjson
import pytest

from tests.support import sql_log
from tests.support.fixtures import World
from tests.support.graphql_client import URL, Client

JSON = {"Content-Type": "application/json"}
ACCOUNT_BODY = b'{"query": "{ account { id } }"}'


@pytest.fixture
async def key(world: World) -> str:
    """Return a key of account `a`, which has a balance and an instance."""
    await world.account("a", balance="1000.00")
    await world.instance("i-1")
    return await world.key("a")


def assert_unauthenticated(answer: httpx2.Response, sent: object) -> None:
    assert answer.status_code == 401, sent
    assert answer.headers["www-authenticate"] == "Bearer"
    body = orjson.loads(answer.content)
    assert body["data"] is None
    assert [error["extensions"]["code"] for error in body["errors"]] == ["UNAUTHENTICATED"]


async def test_a_request_without_a_valid_key_is_refused_before_its_body_is_parsed(
    key: str, graphql: Client
) -> None:
    for sent in (
        *(
            None,
            "",
            "Bearer",
            "Bearer ",
            "Bearer x",
            f"Bearer {key}x",
            f"Bearer x{key}",
            f"Bearer {key[:-1]}",
        ),
        *(f"Basic {key}", f"Token {key}", key, f"Bearer{key}", f"Bearer {key} x", f"Bearer {key.upper()}"),
        *("Bearer \0", "Bearer é网".encode(), b"Bearer \xff", "Bearer ' OR TRUE --", f"Bearer {'x' * 9_000}"),
    ):
        for body in (ACCOUNT_BODY, b"not JSON", b'{"query": "{"}', b'{"query": "mutation { nothing }"}'):
            headers = [(name.encode(), value.encode()) for name, value in JSON.items()]
            if sent is not None:
                headers.append((b"Authorization", sent.encode() if isinstance(sent, str) else sent))
            with sql_log.counted() as statements:
                answer = await graphql.http.post(URL, content=body, headers=headers)
            assert_unauthenticated(answer, sent)
            assert [sql for sql in statements if "FROM api_keys" not in sql] == []


async def test_a_query_in_the_url_without_a_key_in_the_header_is_refused(key: str, graphql: Client) -> None:
    answer = await graphql.http.get(URL, params={"query": "{ account { id } }"})
    assert_unauthenticated(answer, None)
    address = {"query": "{ account { id } }", "key": key, "authorization": f"Bearer {key}"}
    assert_unauthenticated(await graphql.http.get(URL, params=address), address)


async def test_the_authorization_scheme_is_case_insensitive(key: str, graphql: Client) -> None:
    for scheme in ("Bearer", "bearer", "BEARER"):
        headers = {**JSON, "Authorization": f"{scheme} {key}"}
        answer = await graphql.http.post(URL, content=ACCOUNT_BODY, headers=headers)
        assert (answer.status_code, answer.json()["data"]) == (200, {"account": {"id": "a"}})


async def test_only_the_prefix_and_a_hash_of_a_key_are_in_the_database(world: World, key: str) -> None:
    prefix, secret_hash = await world.row("SELECT prefix, secret_hash FROM api_keys")
    assert secret_hash == hashlib.sha256(key.encode()).digest()
    assert (len(prefix), key.split("_")[1]) == (8, prefix)
    tables = await world.rows(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
    )
    secret = key.split("_", 2)[2]
    for (table,) in tables:
        assert await world.value(f"SELECT count(*) FROM {table} t WHERE strpos(t::text, $1) > 0", secret) == 0


async def test_a_key_reads_only_its_own_account(world: World, key: str, graphql: Client) -> None:
    await world.account("b")
    for account_id, secret in (("a", key), ("b", await world.key("b")), ("b", await world.key("b"))):
        graphql.key = secret
        assert await graphql("{ account { id } }") == {"account": {"id": account_id}}


TENANCY = """query ($instance: ID!, $search: String, $ids: [ID!]!, $order: ID!) {
  instance(id: $instance) { id }
  order(id: $order) { id }
  instances(filter: {ids: $ids, manageable: null}) { totalCount nodes { id } facets { products { count } } }
  searched: instances(filter: {search: $search}) { totalCount nodes { id } }
  quoteRenewal(input: {selection: {ids: $ids}, months: 1}) { total refusals { code bundleInstanceIds } } }"""
CHANGES = """mutation ($ids: [ID!]!) {
  renewInstances(input: {selection: {ids: $ids}, months: 1, idempotencyKey: "key"}) {
    __typename ... on NotRenewable { refusals { code bundleInstanceIds } } }
  setRenewalPolicy(input: {selection: {ids: $ids}, mode: AUTO}) {
    __typename ... on NotRenewable { refusals { code bundleInstanceIds } } } }"""
RENEW = """mutation ($id: ID!) { renewInstances(input: {
    selection: {ids: [$id]}, months: 1, idempotencyKey: "key"}) {
  ... on RenewInstancesSuccess { order { id } } } }"""
NO_ORDER = "00000000-0000-4000-8000-000000000000"


async def test_data_of_another_account_looks_like_missing_data(
    world: World, key: str, graphql: Client
) -> None:
    graphql.key = key
    order = (await graphql(RENEW, id="i-1"))["renewInstances"]["order"]["id"]
    await world.instances(["m-1", "m-2"], bundle="b-1")
    await world.account("b", balance="1000.00")
    graphql.key = await world.key("b")
    before = await world.snapshot()
    for instance in ("i-1", "m-1"):
        foreign = await graphql(TENANCY, instance=instance, search=instance, ids=[instance], order=order)
        missing = await graphql(TENANCY, instance="x-9", search="x-9", ids=["x-9"], order=NO_ORDER)
        assert foreign == missing
        assert foreign["instance"] is foreign["order"] is None
        assert foreign["quoteRenewal"]["refusals"] == [{"code": "NOT_FOUND", "bundleInstanceIds": []}]
        assert await graphql(CHANGES, ids=[instance]) == await graphql(CHANGES, ids=["x-9"])
    assert await world.snapshot() == before


async def test_a_cursor_of_another_account_returns_no_data_of_that_account(
    world: World, key: str, graphql: Client
) -> None:
    lists = """query ($i: String, $o: String, $l: String) {
      instances(after: $i, filter: {manageable: null}) { totalCount nodes { id } pageInfo { endCursor } }
      orders(after: $o) { totalCount nodes { id } pageInfo { endCursor } }
      ledger(after: $l) { totalCount nodes { id } pageInfo { endCursor } }
      account { id balance vouchers(usable: null) { id } } }"""
    graphql.key = key
    await world.voucher("1.00")
    await graphql(RENEW, id="i-1")
    lists_of_a = await graphql(lists)
    cursors = [lists_of_a[name]["pageInfo"]["endCursor"] for name in ("instances", "orders", "ledger")]
    await world.account("b")
    graphql.key = await world.key("b")
    empty = {"totalCount": 0, "nodes": [], "pageInfo": {"endCursor": None}}
    for sent in ({}, dict(zip("iol", cursors, strict=True))):
        assert await graphql(lists, **sent) == {
            "instances": empty,
            "orders": empty,
            "ledger": empty,
            "account": {"id": "b", "balance": "0.00", "vouchers": []},
        }
