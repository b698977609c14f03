"""Messages are in the caller's language, and their facts are also typed fields (rule 27)."""

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

import pytest
from graphql import GraphQLEnumType

from renewals.auto_renewal import renew
from renewals.domain.errors import RefusalCode
from renewals.domain.model import Language
from schema.customer import schema as customer_schema
from tests.support import customer
from tests.support.fixtures import World
from tests.support.graphql_client import Client

ENGLISH, CHINESE = "en", "zh-CN,zh;q=0.9,en;q=0.8"
HAN = re.compile(r"[\u4e00-\u9fff]")
AMOUNT = re.compile(r"\d+\.\d\d(?!\d)")
DATE = re.compile(r"\d{4}-\d\d-\d\d")
FACTS = "leastMonths latestExpiry required available agreedPrice monthlyPrice"
REFUSALS = f"refusals(first: 1000) {{ instanceId code message bundleInstanceIds {FACTS} }}"
QUOTES = f"""query ($ids: [ID!]!, $batch: [ID!]!) {{
  renewal: quoteRenewal(input: {{selection: {{ids: $ids}}, months: 1}}) {{ {REFUSALS} }}
  batch: quoteRenewal(input: {{selection: {{ids: $batch}}, months: 1}}) {{ {REFUSALS} }}
  part: quoteRenewal(input: {{selection: {{ids: ["b-1"]}}, months: 1}}) {{ {REFUSALS} }}
  long: quoteRenewal(input: {{selection: {{ids: ["i-1"]}}, months: 36}}) {{ {REFUSALS} }}
  early: quoteUnifyExpiry(input: {{selection: {{ids: ["i-1"]}}, target: {{date: "2027-01-20"}}}}) {{ {REFUSALS} }}
  policy: previewRenewalPolicy(input: {{selection: {{ids: ["late"]}}, mode: AUTO}}) {{ {REFUSALS} }}
  poor: instance(id: "poor") {{ outlook {{ {REFUSALS} }} }}
  held: instance(id: "held") {{ outlook {{ {REFUSALS} }} }}
  left: instance(id: "left") {{ outlook {{ {REFUSALS} }} }}
}}"""
SET_TAGS = f"""mutation ($tags: [TagInput!]!) {{
  tags: setTags(input: {{selection: {{ids: ["i-1"]}}, set: $tags}}) {{ ... on SetTagsSuccess {{ {REFUSALS} }} }}
}}"""


async def provoke(world: World, graphql: Client) -> None:
    """Create an instance for each reason of a refusal."""
    begin = parse_instant("2027-01-20T12:00:00+08:00")
    await world.account("a", balance="100.00", auto_renew_from=begin)
    graphql.key = await world.key("a")
    graphql.at(begin)
    await world.instance("ddos", product="ddos")
    await world.instance("trial", trial=True)
    await world.instance("once", billing="ONE_OFF")
    await world.instance("endless", expires=None, billing="PAY_AS_YOU_GO")
    await world.instance("gone", status="RELEASED")
    await world.instance("late", expires="2026-11-30", product="kec")
    await world.instance("i-1", expires="2027-01-31")
    await world.put("i-1", tags='{"full": ""}')
    await world.instances(["b-1", "b-2"], bundle="b")
    await world.instance("poor", expires="2027-01-31", mode="AUTO", price="300.00")
    await world.instance("held", expires="2027-01-31", mode="AUTO", price="100.00")
    await world.put("held", agreed_price_cents=50_00)
    await world.put("poor", monthly_price_cents=300_00)
    await world.instance("left", expires="2027-01-20", mode="AUTO", price="1.00")
    await world.rows("UPDATE accounts SET price_rise_cap_bps = 1000 RETURNING id")


def parse_instant(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


async def read_refusals(graphql: Client, language: str) -> dict[str, dict[str, Any]]:
    """Return a refusal of each code in a language."""
    graphql.language = language
    data = await graphql(
        QUOTES,
        ids=["unknown", "ddos", "trial", "once", "endless", "gone", "late"],
        batch=["b-1", "b-2", "i-1"],
    )
    data |= await graphql(SET_TAGS, tags=[{"key": f"k{number}", "value": ""} for number in range(20)])
    refusals_by_code: dict[str, dict[str, Any]] = {}
    for result in data.values():
        for refusal in (result.get("outlook") or result)["refusals"]:
            refusals_by_code.setdefault(refusal["code"], refusal)
    return refusals_by_code


async def test_every_refusal_has_a_message_in_both_languages_with_the_same_facts(
    world: World, graphql: Client
) -> None:
    await provoke(world, graphql)
    english, chinese = await read_refusals(graphql, ENGLISH), await read_refusals(graphql, CHINESE)
    assert sorted(english) == sorted(RefusalCode) == sorted(chinese)
    for code in RefusalCode:
        assert english[code] | {"message": ""} == chinese[code] | {"message": ""}
        assert HAN.search(chinese[code]["message"]) and not HAN.search(english[code]["message"])
        for refusal in (english[code], chinese[code]):
            assert_facts_are_in_the_sentence(refusal)


def assert_facts_are_in_the_sentence(refusal: Mapping[str, Any]) -> None:
    facts = {name: refusal[name] for name in FACTS.split() if refusal[name] is not None}
    sentence = refusal["message"]
    for value in facts.values():
        assert str(value) in sentence, refusal
    amounts = {value for name, value in facts.items() if name not in ("leastMonths", "latestExpiry")}
    if "required" in facts:
        missing = round(100 * (float(facts["required"]) - float(facts["available"])))
        amounts.add(f"{missing // 100}.{missing % 100:02}")
    assert set(AMOUNT.findall(sentence)) == amounts


async def test_each_refusal_code_has_exactly_its_own_typed_facts(world: World, graphql: Client) -> None:
    await provoke(world, graphql)
    refusals_by_code = await read_refusals(graphql, ENGLISH)
    facts = {
        code: {name: refusal[name] for name in FACTS.split() if refusal[name] is not None}
        for code, refusal in refusals_by_code.items()
    }
    assert {code: code_facts for code, code_facts in facts.items() if code_facts} == {
        "PERIOD_TOO_SHORT": {"leastMonths": 2},
        "MAX_TERM_EXCEEDED": {"latestExpiry": "2030-01-20"},
        "INSUFFICIENT_FUNDS": {"required": "300.00", "available": facts["INSUFFICIENT_FUNDS"]["available"]},
        "PRICE_HELD": {"agreedPrice": "50.00", "monthlyPrice": "100.00"},
    }


async def test_an_unsupported_product_has_the_provider_s_reason_in_the_caller_s_language(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql)
    await world.instance("i-1", product="ddos")
    query = '{ products { code unsupportedReason } instance(id: "i-1") { product { unsupportedReason } } }'
    for language, reason in ((ENGLISH, "Not needed."), (CHINESE, "暂不需要。")):
        graphql.language = language
        [refusal] = (await buyer.quote(["i-1"]))["refusals"]
        data = await graphql(query)
        reasons = {product["code"]: product["unsupportedReason"] for product in data["products"]}
        assert refusal["message"] == reasons["ddos"] == reason
        assert data["instance"]["product"]["unsupportedReason"] == reason
        assert reasons["kec"] is None
    await world.rows("UPDATE products SET unsupported_reason_zh = NULL WHERE code = 'ddos' RETURNING code")
    graphql.language = CHINESE
    assert (await buyer.quote(["i-1"]))["refusals"][0]["message"] == "Not needed."


async def test_a_repeated_request_returns_messages_in_the_language_of_the_repetition(
    world: World, graphql: Client
) -> None:
    await customer.open_account(world, graphql, balance="1000.00")
    await world.instance("i-1", expires="2027-01-31", price="10.00")
    await world.instance("late", expires="2026-11-30", product="kec")
    mutation = f"""mutation {{ renewInstances(input: {{selection: {{ids: ["i-1", "late", "x"]}}, months: 1,
      batchMode: BEST_EFFORT, idempotencyKey: "k"}}) {{
        ... on RenewInstancesSuccess {{ order {{ id }} {REFUSALS} }} }} }}"""
    results = []
    for language in (ENGLISH, CHINESE, ENGLISH):
        graphql.language = language
        results.append((await graphql(mutation))["renewInstances"])
    english, chinese, again = results
    assert english == again and english["order"] == chinese["order"]
    assert [refusal["message"] for refusal in chinese["refusals"]] == [
        "实例不存在。",
        "实例已于 2026-11-30 过期，请至少续费 2 个月。",
    ]
    assert [refusal["leastMonths"] for refusal in chinese["refusals"]] == [None, 2]
    assert await world.count("orders") == 1


async def test_a_failed_attempt_has_a_message_in_the_caller_s_language(world: World, graphql: Client) -> None:
    await customer.open_account(world, graphql, balance="100.00")
    await world.instance("i-1", expires="2027-01-31", mode="AUTO", price="300.00")
    at = world.at("2027-01-31 00:30")
    await renew.run_at(at, clock=lambda: at)
    query = '{ instance(id: "i-1") { attempts { code message } } }'
    graphql.language = CHINESE
    assert (await graphql(query))["instance"]["attempts"] == [
        {"code": "INSUFFICIENT_FUNDS", "message": "余额不足：需支付 300.00，可用 100.00，还差 200.00。"}
    ]
    graphql.language = ENGLISH
    assert (await graphql(query))["instance"]["attempts"] == [
        {
            "code": "INSUFFICIENT_FUNDS",
            "message": "300.00 is required and 100.00 is available; 200.00 is missing.",
        }
    ]
    [payload] = await world.row("SELECT payload FROM events WHERE type = 'instance.renewal_failed'")
    assert '"required":"300.00"' in payload.replace(" ", "") and '"available":"100.00"' in payload.replace(
        " ", ""
    )


ERRORS: Mapping[str, tuple[str, dict[str, Any], str]] = {
    "invalid": ("InvalidInput", {"months": 0}, "input.months：取值范围为 1 至 36，实际为 0"),
    "refused": ("NotRenewable", {"selection": {"ids": ["x", "y"]}}, "2 个实例无法操作，未做任何变更。"),
    "changed": (
        "PriceChanged",
        {"expectedTotal": "9.00"},
        "价格已变动：应付总额为 300.00，与预期的 9.00 不一致，请重新询价。",
    ),
    "poor": ("InsufficientFunds", {}, "余额不足：需支付 300.00，可用 100.00，还差 200.00。"),
}


@pytest.mark.parametrize("name", ERRORS)
async def test_the_messages_of_typed_errors_are_in_the_caller_s_language(
    world: World, graphql: Client, name: str
) -> None:
    typename, changes, message = ERRORS[name]
    await customer.open_account(world, graphql, balance="100.00")
    await world.instance("i-1", price="300.00")
    graphql.language = CHINESE
    values = {"selection": {"ids": ["i-1"]}, "months": 1, "idempotencyKey": "k"} | changes
    result = (await graphql(customer.RENEW, input=values))["result"]
    assert (result["__typename"], result["message"]) == (typename, message)


async def test_the_messages_of_query_errors_are_in_the_caller_s_language(
    world: World, graphql: Client
) -> None:
    await customer.open_account(world, graphql)
    graphql.language = CHINESE
    [error] = await graphql.errors("{ forecast(days: 0) { total } }")
    assert error["message"] == "days：取值范围为 1 至 366，实际为 0"
    [error] = await graphql.errors("{ " + " ".join(f"a{n}: __typename" for n in range(500)) + " }")
    assert HAN.search(error["message"])


async def test_all_enum_values_have_labels_in_both_languages(world: World, graphql: Client) -> None:
    await customer.open_account(world, graphql)
    labels: dict[str, dict[tuple[str, str], str]] = {}
    for language in (ENGLISH, CHINESE):
        graphql.language = language
        rows = (await graphql("{ labels { enum value label } }"))["labels"]
        labels[language] = {(row["enum"], row["value"]): row["label"] for row in rows}
        assert len(labels[language]) == len(rows)
    types = customer_schema.schema._schema.type_map.values()
    enums = [enum for enum in types if isinstance(enum, GraphQLEnumType) and not enum.name.startswith("__")]
    assert set(labels[ENGLISH]) == {(enum.name, value) for enum in enums for value in enum.values}
    assert labels[CHINESE].keys() == labels[ENGLISH].keys()
    assert all(HAN.search(label) for label in labels[CHINESE].values())
    assert not any(HAN.search(label) for label in labels[ENGLISH].values())
    assert labels[CHINESE]["InstanceStatus", "EXPIRED"] == "已过期"


async def test_the_account_s_language_does_not_change_the_language_of_error_messages(
    world: World, graphql: Client
) -> None:
    await world.account("a", language=Language.ZH)
    graphql.key = await world.key("a")
    [error] = await graphql.errors("{ forecast(days: 0) { total } }")
    assert error["message"] == "days: must be between 1 and 366, not 0"
    assert (await graphql("{ account { language } }"))["account"]["language"] == "ZH"
