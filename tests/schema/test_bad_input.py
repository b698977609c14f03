"""Nonsense is answered with what is wrong about it, changes nothing, and is never an error of ours."""

from typing import Any

import pytest

from tests import buyer as buyers
from tests.client import URL, Client
from tests.world import World

ONE = {"ids": ["i-1"]}
GOOD: dict[str, dict[str, Any]] = {
    buyers.RENEW: {"selection": ONE, "months": 1, "idempotencyKey": "key"},
    buyers.UNIFY: {"selection": ONE, "target": {"dayOfMonth": 1}, "idempotencyKey": "key"},
    buyers.SET_POLICY: {"selection": ONE, "mode": "AUTO"},
    buyers.QUOTE: {"selection": ONE, "months": 1},
    buyers.QUOTE_UNIFY: {"selection": ONE, "target": {"dayOfMonth": 1}},
}
NAMES = dict(zip(GOOD, ("renew", "unify", "policy", "quote", "quote-unify"), strict=True))


@pytest.fixture
async def buyer(world: World, graphql: Client) -> buyers.Buyer:
    """An account with money and an instance, so that only the input is in the way."""
    opened = await buyers.open_account(world, graphql, balance="100000.00")
    await world.instance("i-1", expires="2027-01-31", price="300.00")
    return opened


INVALID = [
    *((buyers.RENEW, {"months": months}, "input.months") for months in (0, -1, 37, 2**31 - 1, -(2**31))),
    *(
        (buyers.UNIFY, {"target": {"dayOfMonth": day}}, "input.target.dayOfMonth")
        for day in (0, -1, 32, 2**31 - 1, -(2**31))
    ),
    *(
        (verb, {"idempotencyKey": key}, "input.idempotencyKey")
        for verb in (buyers.RENEW, buyers.UNIFY)
        for key in ("", "k" * 65, "a\nb", "a\tb", "\0", "a\x7f", "\u200b", "\u2028")
    ),
    *((buyers.SET_POLICY, {"autoRenewMonths": months}, "input.autoRenewMonths") for months in (0, -1, 37)),
    *(
        (
            verb,
            {"selection": buyers.matching(expiresWithinDays=days)},
            "input.selection.matching.filter.expiresWithinDays",
        )
        for verb in (buyers.RENEW, buyers.UNIFY, buyers.SET_POLICY)
        for days in (-1, 36_526, 2**31 - 1)
    ),
]


@pytest.mark.parametrize("document", [*GOOD][:3], ids=[*NAMES.values()][:3])
async def test_what_is_out_of_bounds_is_invalid_and_names_its_path(
    world: World, buyer: buyers.Buyer, document: str
) -> None:
    before = await world.snapshot()
    for bad, field in [(bad, field) for verb, bad, field in INVALID if verb == document]:
        result = (await buyer.client(document, input=GOOD[document] | bad))["result"]
        assert (result["__typename"], result["field"]) == ("InvalidInput", field), bad
        assert result["message"].startswith(f"{field}: must be ")
    assert await world.snapshot() == before


MONEY = [
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
MALFORMED = [
    *((buyers.RENEW, {"expectedTotal": value}) for value in (*MONEY, 1.5, 300.0, True, ["1.00"], 10**20)),
    *((buyers.UNIFY, {"expectedTotal": value}) for value in ("1.001", 1.5)),
    *((buyers.RENEW, {"months": value}) for value in (None, "1", 1.5, True, 2**31, [])),
    *((buyers.RENEW, {"idempotencyKey": value}) for value in (None, 1, ["key"])),
    *((verb, {"selection": {}}) for verb in GOOD),
    *((verb, {"selection": {"ids": None}}) for verb in GOOD),
    *((verb, {"selection": ONE | buyers.matching()}) for verb in GOOD),
    *((verb, {"selection": ONE | {"matching": None}}) for verb in GOOD),
    *((verb, {"selection": {"ids": [None]}}) for verb in GOOD),
    *((verb, {"selection": {"matching": {"filter": None}}}) for verb in GOOD),
    *((verb, {"selection": {"matching": {"filter": {"nonsense": 1}}}}) for verb in GOOD),
    *((verb, {"bundles": "SOME"}) for verb in GOOD),
    *((verb, {"target": {}}) for verb in (buyers.UNIFY, buyers.QUOTE_UNIFY)),
    *((verb, {"target": {"date": None}}) for verb in (buyers.UNIFY, buyers.QUOTE_UNIFY)),
    *(
        (verb, {"target": {"date": "2027-06-30", "dayOfMonth": 30}})
        for verb in (buyers.UNIFY, buyers.QUOTE_UNIFY)
    ),
    *(
        (buyers.UNIFY, {"target": {"date": date}})
        for date in ("2027-02-30", "2027-13-01", "20270630", "2027-W26-3", "0000-01-01", "10000-01-01")
    ),
    *((buyers.UNIFY, {"target": {"date": date}}) for date in ("2027-6-30", "2027-06-30T00:00:00Z", "", 0)),
    *((buyers.SET_POLICY, {"mode": mode}) for mode in (None, "auto", "NO_EXPIRY", 1)),
    *((buyers.RENEW, {"batchMode": mode}) for mode in (None, "SOME")),
]


@pytest.mark.parametrize("document", GOOD, ids=NAMES.values())
async def test_what_does_not_fit_the_schema_is_a_bad_request(
    world: World, buyer: buyers.Buyer, document: str
) -> None:
    before = await world.snapshot()
    for bad in [bad for verb, bad in MALFORMED if verb == document]:
        answered = await buyer.client.post(document, input=GOOD[document] | bad)
        assert answered.status_code in (200, 400)
        assert {error["extensions"]["code"] for error in answered.json()["errors"]} == {"BAD_REQUEST"}, bad
    assert await world.snapshot() == before


async def test_money_written_into_the_document_is_read_as_strictly(world: World, buyer: buyers.Buyer) -> None:
    before = await world.snapshot()
    for literal in ("1.5", "1e2", "300.00", "true", "NAN", "[300]", "{a: 1}", '"1e2"'):
        [error] = await buyer.client.errors(
            f"""mutation {{ renewInstances(input: {{ selection: {{ids: ["i-1"]}}, months: 1,
                  idempotencyKey: "key", expectedTotal: {literal} }}) {{ __typename }} }}"""
        )
        assert error["extensions"]["code"] == "BAD_REQUEST", literal
    assert await world.snapshot() == before


@pytest.mark.parametrize("literal", ["300", '"300"', '"300.0"', '"300.00"', "null"])
async def test_money_has_a_few_spellings(buyer: buyers.Buyer, literal: str) -> None:
    done = await buyer.client(
        f"""mutation {{ renewInstances(input: {{ selection: {{ids: "i-1"}}, months: 1,
              idempotencyKey: "key", expectedTotal: {literal} }}) {{ __typename }} }}"""
    )
    assert done == {"renewInstances": {"__typename": "RenewInstancesSuccess"}}


STRANGE = [
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


@pytest.mark.parametrize("document", GOOD, ids=NAMES.values())
async def test_an_id_that_nothing_can_have_is_not_found(
    world: World, buyer: buyers.Buyer, document: str
) -> None:
    before = await world.snapshot()
    good = GOOD[document] | {"selection": {"ids": STRANGE}}
    result = (await buyer.client(document, input=good))["result"]
    assert buyers.codes(result) == dict.fromkeys(STRANGE, "NOT_FOUND")
    assert await world.snapshot() == before


async def test_best_effort_renews_beside_ids_that_nothing_can_have(buyer: buyers.Buyer) -> None:
    renewed = await buyer.renew(["i-1", *STRANGE], batchMode="BEST_EFFORT")
    assert [line["instanceId"] for line in renewed["order"]["lines"]] == ["i-1"]
    assert buyers.codes(renewed) == dict.fromkeys(STRANGE, "NOT_FOUND")


@pytest.mark.parametrize("where", ['"ids": ["\\ud800"]', '"matching": {"filter": {"search": "\\udfff"}}'])
async def test_half_a_character_is_no_json(world: World, buyer: buyers.Buyer, where: str) -> None:
    before = await world.snapshot()
    query = "query ($s: Selection!) { quoteRenewal(input: {selection: $s, months: 1}) { total } }"
    answered = await buyer.client.http.post(
        URL,
        content=f'{{"query": "{query}", "variables": {{"s": {{{where}}}}}}}',
        headers={"Authorization": f"Bearer {buyer.client.key}", "Content-Type": "application/json"},
    )
    assert answered.status_code == 400
    assert answered.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"
    assert await world.snapshot() == before


async def test_half_a_character_is_no_graphql(world: World, buyer: buyers.Buyer) -> None:
    before = await world.snapshot()
    [error] = await buyer.client.errors(
        r"""mutation { renewInstances(input: { selection: {ids: ["i-1", "\ud800"]}, months: 1,
              idempotencyKey: "\udfff", batchMode: BEST_EFFORT }) { __typename } }"""
    )
    assert error["extensions"]["code"] == "BAD_REQUEST"
    assert await world.snapshot() == before
