"""Test createAccount, updateAccount, topUp and issueVouchers, and the lists of accounts and vouchers."""

from typing import Any

import pytest

from tests.support import integrity
from tests.support.fixtures import World
from tests.support.operator_client import Operator

ACCOUNT = "{ account { id name currency timeZone balance leadDays priceRiseCapPercent createdAt } }"
NEW: dict[str, Any] = {
    "id": "cn-1",
    "name": "客户一",
    "timeZone": "Europe/Berlin",
    "currency": "EUR",
    "leadDays": 2,
}


async def test_a_new_account_has_a_balance_of_zero(world: World, operator: Operator) -> None:
    assert await operator.done("createAccount", ACCOUNT, **NEW, priceRiseCapPercent="20.5") == {
        "account": {
            "id": "cn-1",
            "name": "客户一",
            "currency": "EUR",
            "timeZone": "Europe/Berlin",
            "balance": "0.00",
            "leadDays": 2,
            "priceRiseCapPercent": "20.50",
            "createdAt": "2027-01-10T04:00:00+00:00",
        }
    }
    await integrity.assert_holds()


async def test_omitted_fields_of_a_new_account_take_the_service_defaults(
    world: World, operator: Operator
) -> None:
    answer = await operator.done("createAccount", ACCOUNT, id="a", name="A")
    account = answer["account"]
    assert (account["timeZone"], account["currency"]) == ("Asia/Shanghai", "CNY")
    assert (account["leadDays"], account["priceRiseCapPercent"]) == (None, None)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", ""),
        ("id", "x" * 65),
        ("id", "a\nb"),
        ("id", "a\0"),
        ("name", ""),
        ("name", "x" * 201),
        ("name", "a\tb"),
        ("name", "\0"),
        ("timeZone", "Asia/Peking"),
        ("timeZone", "+08:00"),
        ("timeZone", ""),
        ("timeZone", "Factory"),
        ("timeZone", "localtime"),
        ("timeZone", "posixrules"),
        ("timeZone", "../etc/passwd"),
        ("timeZone", "asia/shanghai"),
        ("currency", "cny"),
        ("currency", "CNYY"),
        ("currency", "￥￥￥"),
        ("leadDays", -1),
        ("leadDays", 10),
        ("priceRiseCapPercent", "-0.01"),
        ("priceRiseCapPercent", "10000.01"),
        ("idempotencyKey", ""),
        ("idempotencyKey", "x" * 65),
        ("idempotencyKey", "a\n"),
    ],
)
async def test_a_new_account_with_an_invalid_field_is_refused_with_that_field_and_not_created(
    world: World, operator: Operator, field: str, value: Any
) -> None:
    before = await world.snapshot()
    sent = {"idempotencyKey": "k", **NEW, field: value}
    query = """mutation($input: CreateAccountInput!) { createAccount(input: $input) {
      ... on InvalidInput { field message } } }"""
    answer = (await operator(query, input=sent))["createAccount"]
    assert answer["field"] == f"input.{field}", answer
    assert await world.snapshot() == before


async def test_a_new_account_with_the_id_of_another_account_is_refused(
    world: World, operator: Operator
) -> None:
    await world.account("a")
    before = await world.snapshot()
    refused = await operator.refused("createAccount", id="a", name="B")
    assert refused == ("InvalidInput", "input.id", "input.id: is the id of another account")
    assert await world.snapshot() == before


async def test_an_account_update_changes_only_the_sent_fields(world: World, operator: Operator) -> None:
    await world.account("a", balance="5.00", lead_days=3)
    changed = await operator.done("updateAccount", ACCOUNT, accountId="a", priceRiseCapPercent="10")
    assert changed["account"]["priceRiseCapPercent"] == "10.00"
    assert (changed["account"]["name"], changed["account"]["leadDays"]) == ("Account a", 3)
    changed = await operator.done("updateAccount", ACCOUNT, accountId="a", name="New", leadDays=None)
    assert (changed["account"]["name"], changed["account"]["leadDays"]) == ("New", None)
    assert changed["account"]["priceRiseCapPercent"] == "10.00"
    assert changed["account"]["balance"] == "5.00"


@pytest.mark.parametrize(
    ("field", "value"), [("name", None), ("name", ""), ("leadDays", 10), ("priceRiseCapPercent", "-1")]
)
async def test_an_invalid_account_update_is_refused_and_changes_no_row(
    world: World, operator: Operator, field: str, value: Any
) -> None:
    await world.account("a")
    before = await world.snapshot()
    kind, named, _ = await operator.refused("updateAccount", accountId="a", **{field: value})
    assert (kind, named) == ("InvalidInput", f"input.{field}")
    assert await world.snapshot() == before


async def test_an_account_update_has_no_field_for_the_time_zone(world: World, operator: Operator) -> None:
    query = """mutation { updateAccount(input: {accountId: "a", timeZone: "UTC", idempotencyKey: "k"}) {
      __typename } }"""
    [error] = await operator.errors(query)
    assert "timeZone" in error["message"]


async def test_a_top_up_increases_the_balance_and_writes_a_ledger_entry(
    world: World, operator: Operator
) -> None:
    await world.account("a", balance="1.00")
    result = await operator.done(
        "topUp", "{ entryId account { balance } }", accountId="a", amount="99.50", memo="转账 7"
    )
    assert result == {"entryId": "2", "account": {"balance": "100.50"}}
    sql = "SELECT kind, amount_cents, balance_after_cents, memo FROM ledger_entries WHERE number = 2"
    assert await world.row(sql) == ("TOP_UP", 9950, 10050, "转账 7")
    await integrity.assert_holds()


@pytest.mark.parametrize(
    ("field", "value"),
    [("amount", "0"), ("amount", "-1.00"), ("amount", "1000000000000"), ("memo", "x" * 201), ("memo", "\0")],
)
async def test_an_invalid_top_up_is_refused_and_changes_no_row(
    world: World, operator: Operator, field: str, value: str
) -> None:
    await world.account("a")
    before = await world.snapshot()
    sent = {"accountId": "a", "amount": "1.00", field: value}
    assert (await operator.refused("topUp", **sent))[:2] == ("InvalidInput", f"input.{field}")
    assert await world.snapshot() == before


@pytest.mark.parametrize("account_id", ["b", "", "x" * 100, "\0"])
async def test_mutations_for_an_unknown_account_return_not_found(
    world: World, operator: Operator, account_id: str
) -> None:
    await world.account("a")
    before = await world.snapshot()
    result = [
        await operator.refused("topUp", accountId=account_id, amount="1"),
        await operator.refused("updateAccount", accountId=account_id, name="x"),
        await operator.refused("createApiKey", accountId=account_id),
        await operator.refused(
            "issueVouchers",
            accountId=account_id,
            vouchers=[{"faceValue": "1", "expiresAt": "2028-01-01T00:00:00Z"}],
        ),
        await operator.refused("registerInstances", accountId=account_id, instances=[INSTANCE]),
    ]
    assert [refusal[:2] for refusal in result] == [("NotFound", "input.accountId")] * 5
    assert await world.snapshot() == before


INSTANCE = {
    "id": "i-1",
    "name": "I",
    "productCode": "eip",
    "dataCenterCode": "bj-6",
    "monthlyPrice": "1",
    "expiresOn": "2027-02-01",
}


async def test_several_vouchers_are_issued_by_one_request(world: World, operator: Operator) -> None:
    await world.account("a")
    vouchers: list[dict[str, Any]] = [
        {"faceValue": "50.00", "expiresAt": "2027-06-30T15:59:59Z"},
        {"faceValue": "20.00", "expiresAt": "2027-03-31T15:59:59Z", "products": ["kec", "ebs"]},
    ]
    select = "{ vouchers { faceValue available expiresAt products } account { balance } }"
    result = await operator.done("issueVouchers", select, accountId="a", vouchers=vouchers)
    assert result["account"] == {"balance": "0.00"}
    assert result["vouchers"] == [
        {
            "faceValue": "50.00",
            "available": "50.00",
            "expiresAt": "2027-06-30T15:59:59+00:00",
            "products": [],
        },
        {
            "faceValue": "20.00",
            "available": "20.00",
            "expiresAt": "2027-03-31T15:59:59+00:00",
            "products": ["kec", "ebs"],
        },
    ]
    assert [
        voucher["faceValue"]
        for voucher in (await operator('{ vouchers(accountId: "a") { faceValue } }'))["vouchers"]
    ] == [
        "20.00",
        "50.00",
    ]
    assert await operator('{ vouchers(accountId: "\\u0000") { id } }') == {"vouchers": []}
    key = {"key": "once", "accountId": "a"}
    ids = await operator.done("issueVouchers", "{ vouchers { id } }", **key, vouchers=vouchers)
    vouchers[1] |= {"products": ["ebs", "kec", "ebs"]}
    assert await operator.done("issueVouchers", "{ vouchers { id } }", **key, vouchers=vouchers) == ids
    vouchers[1] |= {"products": ["ebs"]}
    assert (await operator.refused("issueVouchers", **key, vouchers=vouchers))[0] == "IdempotencyKeyReused"
    assert await world.count("vouchers") == 4
    await integrity.assert_holds()


@pytest.mark.parametrize(
    ("bad", "kind", "field"),
    [
        ({"faceValue": "0"}, "InvalidInput", "faceValue"),
        ({"faceValue": "-5"}, "InvalidInput", "faceValue"),
        ({"expiresAt": "2027-01-10T04:00:00Z"}, "InvalidInput", "expiresAt"),
        ({"expiresAt": "2200-01-01T00:00:00Z"}, "InvalidInput", "expiresAt"),
        ({"products": ["nothing"]}, "NotFound", "products"),
        ({"products": ["\0"]}, "NotFound", "products"),
    ],
)
async def test_no_voucher_of_a_request_is_issued_if_a_voucher_is_invalid(
    world: World, operator: Operator, bad: dict[str, Any], kind: str, field: str
) -> None:
    await world.account("a")
    before = await world.snapshot()
    good = {"faceValue": "50.00", "expiresAt": "2027-06-30T15:59:59Z"}
    result = await operator.refused("issueVouchers", accountId="a", vouchers=[good, {**good, **bad}])
    assert result[:2] == (kind, f"input.vouchers.1.{field}")
    assert (await operator.refused("issueVouchers", accountId="a", vouchers=[]))[1] == "input.vouchers"
    assert await world.snapshot() == before


async def test_accounts_are_paged_and_searched_by_a_part_of_their_name(
    world: World, operator: Operator
) -> None:
    for account_id in ("b", "a", "cc"):
        await world.account(account_id)
    query = """query($search: String, $first: Int, $after: String) {
      accounts(search: $search, first: $first, after: $after) {
        totalCount nodes { id } pageInfo { endCursor hasNextPage } } }"""
    page = (await operator(query, first=2))["accounts"]
    assert [node["id"] for node in page["nodes"]] == ["a", "b"]
    assert page["pageInfo"]["hasNextPage"] and page["totalCount"] == 3
    page = (await operator(query, first=2, after=page["pageInfo"]["endCursor"]))["accounts"]
    assert [node["id"] for node in page["nodes"]] == ["cc"]
    page = (await operator(query, search="COUNT C"))["accounts"]
    assert ([node["id"] for node in page["nodes"]], page["totalCount"]) == (["cc"], 1)
    assert (await operator(query, search="\0%"))["accounts"]["totalCount"] == 0


async def test_the_language_of_an_account_is_english_unless_the_operator_sets_chinese(
    world: World, operator: Operator
) -> None:
    async def set_and_read_language(field: str, **values: Any) -> str:
        success = await operator.done(field, "{ account { language } }", **values)
        return str(success["account"]["language"])

    assert await set_and_read_language("createAccount", id="a", name="A") == "EN"
    assert await set_and_read_language("createAccount", id="b", name="B", language="ZH") == "ZH"
    assert await set_and_read_language("updateAccount", accountId="a", language="ZH") == "ZH"
    assert await set_and_read_language("updateAccount", accountId="a", name="AA") == "ZH"
    assert await set_and_read_language("updateAccount", accountId="a", language=None) == "EN"
