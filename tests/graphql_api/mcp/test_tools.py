"""The tools of `renewals mcp`, called by the official client against the application with the demo account."""

import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest
from graphql import GraphQLInputObjectType, build_schema
from mcp.client import Client
from mcp.server.mcpserver import MCPServer

from graphql_api.mcp import inputs, server
from graphql_api.mcp.api_client import ApiClient
from renewals.demo import loader
from schema.customer import schema as customer_schema
from tests.graphql_api.mcp.agent import call, refused
from tests.support import graphql_client
from tests.support.fixtures import World

SCHEMA = build_schema(customer_schema.sdl())
PAGE = Path(__file__).parents[3] / "docs/mcp.md"
TOOL_ROW = re.compile(r"^\| `(\w+)` \|", re.MULTILINE)
DAY = dt.date(2027, 1, 15)
CHANGES = {"set_renewal_policy", "renew_instances", "unify_expiry"}
I_1 = {"selection": {"ids": ["i-1"]}, "months": 1}
BOTH = {"matching": {"filter": {"tab": "MANUAL", "expiresWithinDays": 60}, "except": ["i-3"]}}
Build = Callable[..., MCPServer[None]]


@pytest.fixture
def build(graphql: graphql_client.Client) -> Build:
    """Return an MCP server that calls the application with a key."""

    def build(key: str, language: str = "en", http: httpx2.AsyncClient | None = None) -> MCPServer[None]:
        api = ApiClient(http or graphql.http, graphql.url, language=language, authorization=f"Bearer {key}")
        return server.build(api)

    return build


@pytest.fixture
async def agent(world: World, build: Build) -> MCPServer[None]:
    """Return an MCP server with a key of account `a`, which has money and three instances."""
    await world.account("a", balance="1000.00")
    for number, expires in enumerate(("2027-02-01", "2027-02-02", "2027-02-03"), 1):
        await world.instance(f"i-{number}", expires=expires, price="300.00")
    return build(await world.key("a"))


async def test_each_tool_is_documented_and_declares_whether_it_changes_data(agent: MCPServer[None]) -> None:
    async with Client(agent) as client:
        tools = (await client.list_tools()).tools
    assert {tool.name for tool in tools} == set(TOOL_ROW.findall(PAGE.read_text(encoding="utf-8")))
    for tool in tools:
        hints = tool.annotations
        assert hints is not None and tool.title and tool.description and tool.output_schema
        assert hints.open_world_hint is False
        if tool.name in CHANGES:
            assert (hints.read_only_hint, hints.destructive_hint, hints.idempotent_hint) == (
                False,
                True,
                True,
            )
        else:
            assert hints.read_only_hint is True
        if tool.name in CHANGES - {"set_renewal_policy"}:
            assert {"expectedTotal", "idempotencyKey"} <= set(tool.input_schema["required"])


@pytest.mark.parametrize(
    "model",
    [
        *(inputs.InstanceFilter, inputs.TagFilter, inputs.Matching, inputs.Selection, inputs.UnifyTarget),
        *(inputs.OrderFilter, inputs.LedgerFilter, inputs.EventFilter),
    ],
)
def test_each_field_of_an_input_has_a_name_of_the_schema(model: type[inputs.Input]) -> None:
    definition = SCHEMA.type_map[model.__name__.replace("Matching", "MatchingInput")]
    assert isinstance(definition, GraphQLInputObjectType)
    assert {field.alias for field in model.model_fields.values()} <= definition.fields.keys()


async def test_the_reading_tools_return_consistent_data_of_the_demo_account(
    world: World, build: Build
) -> None:
    await world.load_demo(DAY)
    agent = build(await world.key(loader.ACCOUNT_ID))
    coming = {"tab": "AUTO", "expiresWithinDays": 28}
    listed = await call(agent, "list_instances", filter=coming, first=3)
    assert listed["viewer"]["canWrite"] is True
    assert listed["viewer"]["account"]["currency"] == "CNY"
    rows = listed["instances"]["nodes"]
    assert len(rows) == 3 < listed["instances"]["totalCount"]
    assert {row["renewalMode"] for row in rows} == {"AUTO"}
    page = (await call(agent, "list_instances", filter=coming, first=3, offset=3))["instances"]
    assert not {row["id"] for row in rows} & {row["id"] for row in page["nodes"]}

    counts = await call(agent, "count_instances", filter=coming)
    assert counts["totalCount"] == listed["instances"]["totalCount"]
    assert sum(product["count"] for product in counts["facets"]["products"]) == counts["totalCount"]

    instance = await call(agent, "get_instance", instanceId=rows[0]["id"])
    assert instance["outlook"]["willRenew"] is True
    assert {action["action"] for action in instance["actions"]} == {"RENEW", "SET_AUTO", "UNIFY"}

    forecast = await call(agent, "forecast", days=31)
    assert 0 < len(forecast["days"]) < 31
    assert all(day["dueCount"] for day in forecast["days"]), "other days are left out"

    ledger = await call(agent, "list_ledger", filter={"vouchers": False}, first=1)
    assert ledger["account"]["balance"] == ledger["ledger"]["nodes"][0]["balanceAfter"]


async def test_a_quote_is_paid_once_and_has_another_idempotency_key_after_a_refund(
    world: World, agent: MCPServer[None]
) -> None:
    quote = await call(agent, "quote_renewal", **I_1)
    assert await call(agent, "quote_renewal", **I_1) == quote, "a quote changes nothing"
    paying = I_1 | {"expectedTotal": quote["total"], "idempotencyKey": quote["idempotencyKey"]}
    paid = [await call(agent, "renew_instances", **paying) for _ in range(2)]
    assert paid[0]["order"] == paid[1]["order"]
    assert (quote["total"], paid[0]["account"]) == ("300.00", {"balance": quote["balanceAfter"]})
    assert (await world.count("orders"), await world.balance()) == (1, "700.00")

    await world.refund(paid[0]["order"]["id"])
    again = await call(agent, "quote_renewal", **I_1)
    assert (again["lines"], again["total"]) == (quote["lines"], quote["total"])
    assert again["idempotencyKey"] != quote["idempotencyKey"], "the same period is bought again"
    await call(agent, "renew_instances", **paying | {"idempotencyKey": again["idempotencyKey"]})
    assert await world.balance() == "700.00"

    orders = await call(agent, "list_orders", first=1)
    assert (orders["totalCount"], orders["nodes"][0]["lines"][0]["instance"]["id"]) == (2, "i-1")
    page = await call(agent, "list_orders", first=1, after=orders["pageInfo"]["endCursor"])
    assert (page["nodes"][0]["id"], page["nodes"][0]["refunds"][0]["total"]) == (
        paid[0]["order"]["id"],
        "300.00",
    )
    history = await call(agent, "list_history", filter={"types": ["instance.renewed"]}, first=1)
    assert (history["totalCount"], history["nodes"][0]["instance"]["id"]) == (2, "i-1")


async def test_a_unified_expiry_is_quoted_and_paid(world: World, agent: MCPServer[None]) -> None:
    wanted = {"selection": BOTH, "target": {"dayOfMonth": 1}}
    quote = await call(agent, "quote_unify_expiry", **wanted)
    agreed = {"expectedTotal": quote["total"], "idempotencyKey": quote["idempotencyKey"]}
    paid = await call(agent, "unify_expiry", **wanted, **agreed, batchMode="BEST_EFFORT")
    assert (paid["order"]["total"], paid["order"]["lineCount"]) == (quote["total"], 2)
    assert (await world.count("orders"), await world.balance()) == (1, quote["balanceAfter"])


async def test_a_policy_is_set_only_with_the_previewed_count_and_a_repetition_has_no_effect(
    world: World, agent: MCPServer[None]
) -> None:
    wanted = {"selection": BOTH, "mode": "AUTO", "autoRenewMonths": 3}
    preview = await call(agent, "preview_renewal_policy", **wanted)
    assert (preview["changeCount"], preview["changes"][0]["toMonths"]) == (2, 3)
    before = await world.snapshot()
    error = await refused(agent, "set_renewal_policy", **wanted, expectedChangeCount=1)
    assert error.startswith(
        "expectedChangeCount: the number of instances that would change is 2, not 1. Nothing was changed."
    )
    assert await world.snapshot() == before
    wanted = {"selection": {"ids": ["i-1", "i-2"]}, "mode": "AUTO", "autoRenewMonths": 3}
    results = [await call(agent, "set_renewal_policy", **wanted, expectedChangeCount=2) for _ in range(2)]
    assert [result["changedCount"] for result in results] == [2, 0]


async def test_a_renewal_without_the_total_of_a_quote_is_refused(
    world: World, agent: MCPServer[None]
) -> None:
    before = await world.snapshot()
    error = await refused(agent, "renew_instances", **I_1, idempotencyKey="k")
    assert error.startswith("expectedTotal: is required: total of the quote")
    error = await refused(agent, "renew_instances", **I_1, expectedTotal="0.01", idempotencyKey="k")
    assert error.startswith("PriceChanged: ")
    assert "(expectedTotal 0.01, total 300.00)" in error
    assert error.endswith("Nothing was changed. Quote again, and ask the customer to agree to the new total.")
    assert await world.snapshot() == before


async def test_an_invalid_argument_is_refused_with_the_reason(agent: MCPServer[None]) -> None:
    refusals: list[tuple[str, dict[str, object], str]] = [
        ("get_instance", {"instanceId": "i-9"}, "instanceId: the account has no instance 'i-9'."),
        ("list_instances", {"filters": {}}, "filters: Extra inputs are not permitted"),
        ("list_instances", {"filter": {"tabs": "AUTO"}}, "filter.tabs: Extra inputs are not permitted"),
        ("list_instances", {"first": 101}, "first: Input should be less than or equal to 100"),
        ("list_orders", {"after": "?"}, "INVALID_INPUT: after: "),
        ("list_orders", {"filter": {"createdFrom": "soon"}}, "BAD_REQUEST: "),
        (
            "quote_renewal",
            I_1 | {"selection": {}},
            "selection: Value error, send exactly one of ids and matching",
        ),
        (
            "quote_unify_expiry",
            {"selection": BOTH, "target": {}},
            "target: Value error, send exactly one of date and dayOfMonth",
        ),
    ]
    for tool, arguments, error in refusals:
        assert (await refused(agent, tool, **arguments)).startswith(error)


async def test_refused_instances_are_listed_in_the_language_of_the_client(
    world: World, agent: MCPServer[None], build: Build
) -> None:
    paying = {"months": 1, "expectedTotal": "1.00", "idempotencyKey": "k", "selection": {"ids": ["i-9"]}}
    english = await refused(agent, "renew_instances", **paying)
    assert "- i-9: NOT_FOUND: There is no such instance." in english.splitlines()
    chinese = await refused(build(await world.key("a"), "zh"), "renew_instances", **paying)
    assert "- i-9: NOT_FOUND: " in chinese
    assert "There is no such instance" not in chinese


async def test_a_viewer_can_read_and_quote_and_cannot_pay(
    world: World, agent: MCPServer[None], build: Build
) -> None:
    viewer = build(await world.key("a", role="VIEWER"))
    assert (await call(viewer, "list_instances"))["viewer"]["canWrite"] is False
    quote = await call(viewer, "quote_renewal", **I_1)
    before = await world.snapshot()
    agreed = {"expectedTotal": quote["total"], "idempotencyKey": quote["idempotencyKey"]}
    error = await refused(viewer, "renew_instances", **I_1, **agreed)
    assert error == (
        "FORBIDDEN: The role VIEWER is read-only, so nothing was changed. "
        "Use a key or a token with the role RENEWER."
    )
    assert await world.snapshot() == before


async def test_the_error_of_a_wrong_url_or_a_lost_response_contains_the_remedy(build: Build) -> None:
    def respond(request: httpx2.Request) -> httpx2.Response:
        if b'"operationName":"Renew"' in request.content:
            raise httpx2.ReadTimeout("lost")
        return httpx2.Response(502, text="<html>")

    paying = I_1 | {"expectedTotal": "300.00", "idempotencyKey": "k"}
    async with httpx2.AsyncClient(transport=httpx2.MockTransport(respond)) as http:
        agent = build("key", http=http)
        error = await refused(agent, "list_instances")
        assert error == "The API's URL returned HTTP 502 without a GraphQL response. Check --url."
        error = await refused(agent, "renew_instances", **paying)
        assert error.endswith("Repeat the call with the same arguments: the change is made only once.")
