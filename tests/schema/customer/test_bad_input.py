"""Malformed input is refused with its reason, changes nothing, and is never an internal error."""

from typing import Any

import pytest

from tests.support import customer
from tests.support.fixtures import World
from tests.support.graphql_client import URL, Client

ONE_INSTANCE = {"ids": ["i-1"]}
VALID: dict[str, dict[str, Any]] = {
    customer.RENEW: {"selection": ONE_INSTANCE, "months": 1, "idempotencyKey": "key"},
    customer.UNIFY: {"selection": ONE_INSTANCE, "target": {"dayOfMonth": 1}, "idempotencyKey": "key"},
    customer.SET_POLICY: {"selection": ONE_INSTANCE, "mode": "AUTO"},
    customer.QUOTE: {"selection": ONE_INSTANCE, "months": 1},
    customer.QUOTE_UNIFY: {"selection": ONE_INSTANCE, "target": {"dayOfMonth": 1}},
}
NAMES = dict(zip(VALID, ("renew", "unify", "policy", "quote", "quote-unify"), strict=True))


@pytest.fixture
async def buyer(world: World, graphql: Client) -> customer.Buyer:
    """Return a customer with money and an instance, so that only the input can be a reason for a refusal."""
    opened = await customer.open_account(world, graphql, balance="100000.00")
    await world.instance("i-1", expires="2027-01-31", price="300.00")
    return opened


INVALID: list[tuple[str, dict[str, Any], str]] = [
    *((customer.RENEW, {"months": months}, "input.months") for months in (0, -1, 37, 2**31 - 1, -(2**31))),
    *(
        (customer.UNIFY, {"target": {"dayOfMonth": day}}, "input.target.dayOfMonth")
        for day in (0, -1, 32, 2**31 - 1, -(2**31))
    ),
    *(
        (operation, {"idempotencyKey": key}, "input.idempotencyKey")
        for operation in (customer.RENEW, customer.UNIFY)
        for key in ("", "k" * 65, "a\nb", "a\tb", "\0", "a\x7f", "\u200b", "\u2028")
    ),
    *((customer.SET_POLICY, {"autoRenewMonths": months}, "input.autoRenewMonths") for months in (0, -1, 37)),
    *(
        (
            operation,
            {"selection": customer.matching(expiresWithinDays=days)},
            "input.selection.matching.filter.expiresWithinDays",
        )
        for operation in (customer.RENEW, customer.UNIFY, customer.SET_POLICY)
        for days in (-1, 36_526, 2**31 - 1)
    ),
]


@pytest.mark.parametrize("document", [*VALID][:3], ids=[*NAMES.values()][:3])
async def test_a_value_out_of_bounds_returns_invalid_input_with_its_path(
    world: World, buyer: customer.Buyer, document: str
) -> None:
    before = await world.snapshot()
    for bad, field in [(bad, field) for operation, bad, field in INVALID if operation == document]:
        result = (await buyer.client(document, input=VALID[document] | bad))["result"]
        assert (result["__typename"], result["field"]) == ("InvalidInput", field), bad
        assert result["message"].startswith(f"{field}: must be ")
    assert await world.snapshot() == before


INVALID_AMOUNTS = [
    "1.001",
    "1e3",
    "NaN",
    "Infinity",
    "-Infinity",
    "",
    " 1.00",
    "1,00",
    "1.",
    ".5",
    "+1",
    "0x10",
    "１.00",
]
MALFORMED: list[tuple[str, dict[str, Any]]] = [
    *(
        (customer.RENEW, {"expectedTotal": value})
        for value in (*INVALID_AMOUNTS, 1.5, 300.0, True, ["1.00"], 10**20)
    ),
    *((customer.UNIFY, {"expectedTotal": value}) for value in ("1.001", 1.5)),
    *((customer.RENEW, {"months": value}) for value in list[Any]((None, "1", 1.5, True, 2**31, []))),
    *((customer.RENEW, {"idempotencyKey": value}) for value in (None, 1, ["key"])),
    *((operation, {"selection": {}}) for operation in VALID),
    *((operation, {"selection": {"ids": None}}) for operation in VALID),
    *((operation, {"selection": ONE_INSTANCE | customer.matching()}) for operation in VALID),
    *((operation, {"selection": ONE_INSTANCE | {"matching": None}}) for operation in VALID),
    *((operation, {"selection": {"ids": [None]}}) for operation in VALID),
    *((operation, {"selection": {"matching": {"filter": None}}}) for operation in VALID),
    *((operation, {"selection": {"matching": {"filter": {"nonsense": 1}}}}) for operation in VALID),
    *((operation, {"bundles": "SOME"}) for operation in VALID),
    *((operation, {"target": {}}) for operation in (customer.UNIFY, customer.QUOTE_UNIFY)),
    *((operation, {"target": {"date": None}}) for operation in (customer.UNIFY, customer.QUOTE_UNIFY)),
    *(
        (operation, {"target": {"date": "2027-06-30", "dayOfMonth": 30}})
        for operation in (customer.UNIFY, customer.QUOTE_UNIFY)
    ),
    *(
        (customer.UNIFY, {"target": {"date": date}})
        for date in ("2027-02-30", "2027-13-01", "20270630", "2027-W26-3", "0000-01-01", "10000-01-01")
    ),
    *((customer.UNIFY, {"target": {"date": date}}) for date in ("2027-6-30", "2027-06-30T00:00:00Z", "", 0)),
    *((customer.SET_POLICY, {"mode": mode}) for mode in (None, "auto", "NO_EXPIRY", 1)),
    *((customer.RENEW, {"batchMode": mode}) for mode in (None, "SOME")),
]


@pytest.mark.parametrize("document", VALID, ids=NAMES.values())
async def test_a_variable_that_does_not_match_the_schema_is_a_bad_request(
    world: World, buyer: customer.Buyer, document: str
) -> None:
    before = await world.snapshot()
    for bad in [bad for operation, bad in MALFORMED if operation == document]:
        response = await buyer.client.post(document, input=VALID[document] | bad)
        assert response.status_code in (200, 400)
        assert {error["extensions"]["code"] for error in response.json()["errors"]} == {"BAD_REQUEST"}, bad
    assert await world.snapshot() == before


async def test_an_invalid_amount_as_a_literal_is_a_bad_request(world: World, buyer: customer.Buyer) -> None:
    before = await world.snapshot()
    for literal in ("1.5", "1e2", "300.00", "true", "NAN", "[300]", "{a: 1}", '"1e2"'):
        [error] = await buyer.client.errors(
            f"""mutation {{ renewInstances(input: {{ selection: {{ids: ["i-1"]}}, months: 1,
                  idempotencyKey: "key", expectedTotal: {literal} }}) {{ __typename }} }}"""
        )
        assert error["extensions"]["code"] == "BAD_REQUEST", literal
    assert await world.snapshot() == before


@pytest.mark.parametrize("literal", ["300", '"300"', '"300.0"', '"300.00"', "null"])
async def test_an_expected_total_can_be_an_integer_a_decimal_string_or_null(
    buyer: customer.Buyer, literal: str
) -> None:
    done = await buyer.client(
        f"""mutation {{ renewInstances(input: {{ selection: {{ids: "i-1"}}, months: 1,
              idempotencyKey: "key", expectedTotal: {literal} }}) {{ __typename }} }}"""
    )
    assert done == {"renewInstances": {"__typename": "RenewInstancesSuccess"}}


UNUSUAL_IDS = [
    "",
    " ",
    "nul\0",
    "\0",
    "i-1\0",
    "I-1",
    " i-1",
    "x" * 100_000,
    "实例",
    "😀",
    "'; DROP TABLE orders",
    "%",
    "\\",
]


@pytest.mark.parametrize("document", VALID, ids=NAMES.values())
async def test_an_unusual_unknown_id_is_refused_as_not_found(
    world: World, buyer: customer.Buyer, document: str
) -> None:
    before = await world.snapshot()
    good = VALID[document] | {"selection": {"ids": UNUSUAL_IDS}}
    result = (await buyer.client(document, input=good))["result"]
    assert customer.codes(result) == dict.fromkeys(UNUSUAL_IDS, "NOT_FOUND")
    assert await world.snapshot() == before


async def test_best_effort_renews_an_instance_and_refuses_unusual_unknown_ids(buyer: customer.Buyer) -> None:
    renewed = await buyer.renew(["i-1", *UNUSUAL_IDS], batchMode="BEST_EFFORT")
    assert [line["instanceId"] for line in renewed["order"]["lines"]] == ["i-1"]
    assert customer.codes(renewed) == dict.fromkeys(UNUSUAL_IDS, "NOT_FOUND")


@pytest.mark.parametrize("selection", ['"ids": ["\\ud800"]', '"matching": {"filter": {"search": "\\udfff"}}'])
async def test_an_unpaired_surrogate_in_json_is_a_bad_request(
    world: World, buyer: customer.Buyer, selection: str
) -> None:
    before = await world.snapshot()
    query = "query ($s: Selection!) { quoteRenewal(input: {selection: $s, months: 1}) { total } }"
    response = await buyer.client.http.post(
        URL,
        content=f'{{"query": "{query}", "variables": {{"s": {{{selection}}}}}}}',
        headers={"Authorization": f"Bearer {buyer.client.key}", "Content-Type": "application/json"},
    )
    assert response.status_code == 400
    assert response.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
    assert await world.snapshot() == before


async def test_an_unpaired_surrogate_in_a_graphql_literal_is_a_bad_request(
    world: World, buyer: customer.Buyer
) -> None:
    before = await world.snapshot()
    [error] = await buyer.client.errors(
        r"""mutation { renewInstances(input: { selection: {ids: ["i-1", "\ud800"]}, months: 1,
              idempotencyKey: "\udfff", batchMode: BEST_EFFORT }) { __typename } }"""
    )
    assert error["extensions"]["code"] == "BAD_REQUEST"
    assert await world.snapshot() == before
