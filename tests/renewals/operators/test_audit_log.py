"""Test the audit log: each change has an entry, which stores the result for its key; a refusal has none."""

import asyncio
import json
from typing import Any

import pytest
from asyncpg import IntegrityConstraintViolationError

from renewals.db import connection as database
from tests.support import integrity
from tests.support.fixtures import World
from tests.support.operator_client import Operator

LOG = """query($accountId: ID, $action: Action, $first: Int, $after: String) {
  auditLog(accountId: $accountId, action: $action, first: $first, after: $after) {
    totalCount pageInfo { endCursor hasNextPage }
    nodes { id operatorKeyId operatorName action accountIds idempotencyKey createdAt request before after } } }"""

EXPIRES = "2028-01-01T00:00:00Z"
INSTANCE = {
    "id": "i-2",
    "name": "I",
    "productCode": "eip",
    "dataCenterCode": "bj-6",
    "monthlyPrice": "1",
    "expiresOn": "2027-02-01",
}
CALLS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "createAccount": ({"id": "new", "name": "N"}, {"id": "new", "name": "M"}),
    "updateAccount": ({"accountId": "a", "name": "N"}, {"accountId": "a", "name": "M"}),
    "createApiKey": ({"accountId": "a"}, {"accountId": "a", "name": "x"}),
    "topUp": ({"accountId": "a", "amount": "1.00"}, {"accountId": "a", "amount": "1.01"}),
    "issueVouchers": (
        {"accountId": "a", "vouchers": [{"faceValue": "1", "expiresAt": EXPIRES}]},
        {"accountId": "a", "vouchers": [{"faceValue": "2", "expiresAt": EXPIRES}]},
    ),
    "putProducts": (
        {"products": [{"code": "x", "name": "X", "nameZh": "X"}]},
        {"products": [{"code": "x", "name": "Y", "nameZh": "X"}]},
    ),
    "putDataCenterTypes": (
        {"dataCenterTypes": [{"code": "x", "name": "X", "nameZh": "X"}]},
        {"dataCenterTypes": [{"code": "x", "name": "Y", "nameZh": "X"}]},
    ),
    "putDataCenters": (
        {"dataCenters": [{"code": "x", "name": "X", "type": "VPC"}]},
        {"dataCenters": [{"code": "x", "name": "X", "type": "EDGE"}]},
    ),
    "registerInstances": (
        {"accountId": "a", "instances": [INSTANCE]},
        {"accountId": "a", "instances": [{**INSTANCE, "name": "J"}]},
    ),
    "changePrices": (
        {"prices": [{"instanceId": "i-1", "monthlyPrice": "7"}]},
        {"prices": [{"instanceId": "i-1", "monthlyPrice": "8"}]},
    ),
    "confirmPrices": ({"instanceIds": ["i-1"]}, {"instanceIds": ["x"]}),
    "makeFormal": ({"instanceIds": ["i-1"]}, {"instanceIds": ["x"]}),
    "releaseInstances": ({"instanceIds": ["i-1"]}, {"instanceIds": ["x"]}),
    "createWebhookEndpoint": ({"url": "https://a.example.com"}, {"url": "https://b.example.com"}),
}
"""For each mutation, a request and a different request, which the test sends with the same key."""


@pytest.fixture
async def world_with_instance(world: World) -> World:
    """Create account `a` with an instance."""
    await world.account("a")
    await world.instance("i-1", trial=True)
    return world


@pytest.mark.parametrize("verb", CALLS)
async def test_a_request_with_the_same_key_is_executed_once(
    world_with_instance: World, operator: Operator, verb: str
) -> None:
    sent, _ = CALLS[verb]
    select = {"createApiKey": "{ apiKey { id } }", "topUp": "{ entryId }"}.get(verb, "{ __typename }")
    first = await operator.done(verb, select, key="k", **sent)
    before = await world_with_instance.snapshot()
    assert await operator.done(verb, select, key="k", **sent) == first
    assert await world_with_instance.snapshot() == before
    assert await world_with_instance.count("audit_log") == 1
    await integrity.assert_holds()


@pytest.mark.parametrize("verb", CALLS)
async def test_the_same_key_for_another_request_is_refused(
    world_with_instance: World, operator: Operator, verb: str
) -> None:
    sent, other = CALLS[verb]
    await operator.done(verb, key="k", **sent)
    before = await world_with_instance.snapshot()
    assert (await operator.refused(verb, key="k", **other))[0] == "IdempotencyKeyReused"
    for other_verb, (request, _) in CALLS.items():
        if other_verb != verb:
            assert (await operator.refused(other_verb, key="k", **request))[0] == "IdempotencyKeyReused"
    assert await world_with_instance.snapshot() == before


@pytest.mark.parametrize("verb", CALLS)
async def test_one_of_concurrent_requests_with_the_same_key_is_executed(
    world_with_instance: World, operator: Operator, verb: str
) -> None:
    sent, _ = CALLS[verb]
    answers = await asyncio.gather(*(operator.done(verb, key="k", **sent) for _ in range(6)))
    assert all(answer == answers[0] for answer in answers)
    assert await world_with_instance.count("audit_log") == 1
    assert await world_with_instance.balance() == ("1.00" if verb == "topUp" else "0.00")
    assert await world_with_instance.count("vouchers") == (verb == "issueVouchers")
    await integrity.assert_holds()


async def test_a_request_that_two_operators_send_with_the_same_key_is_executed_once(
    world_with_instance: World, operator: Operator
) -> None:
    await operator.done("topUp", key="k", accountId="a", amount="5.00")
    operator.key = await world_with_instance.operator_key("another")
    await operator.done("topUp", key="k", accountId="a", amount="5.00")
    assert await world_with_instance.balance() == "5.00"


async def test_one_of_concurrent_requests_for_the_same_account_id_creates_the_account(
    world: World, operator: Operator
) -> None:
    answers = await asyncio.gather(
        *(operator.do("createAccount", id="new", name=f"N{number}") for number in range(5))
    )
    kinds = sorted(answer["__typename"] for answer in answers)
    assert kinds == ["CreateAccountSuccess"] + ["InvalidInput"] * 4
    assert (await world.count("accounts"), await world.count("audit_log")) == (1, 1)


async def test_an_instance_registered_concurrently_for_two_accounts_is_created_for_one_account(
    world_with_instance: World, operator: Operator
) -> None:
    await world_with_instance.account("b")
    answers = await asyncio.gather(
        *(
            operator.done(
                "registerInstances",
                "{ createdCount refusals { field } }",
                accountId=account_id,
                instances=[INSTANCE],
            )
            for account_id in ("a", "b")
        )
    )
    assert sorted(answer["createdCount"] for answer in answers) == [0, 1]
    assert [row for answer in answers for row in answer["refusals"]] == [{"field": "id"}]


async def test_a_refused_request_writes_no_audit_entry_and_its_key_can_be_used_again(
    world_with_instance: World, operator: Operator
) -> None:
    assert (await operator.refused("topUp", key="k", accountId="a", amount="0"))[0] == "InvalidInput"
    assert (await operator.refused("topUp", key="k", accountId="x", amount="1"))[0] == "NotFound"
    assert await world_with_instance.count("audit_log") == 0
    await operator.done("topUp", key="k", accountId="a", amount="1.00")
    assert await world_with_instance.balance() == "1.00"


async def test_an_audit_entry_has_the_operator_the_request_and_the_values_before_and_after(
    world_with_instance: World, operator: Operator
) -> None:
    await operator.done("updateAccount", key="rename", accountId="a", name="新")
    [entry] = (await operator(LOG))["auditLog"]["nodes"]
    assert entry == {
        "id": entry["id"],
        "operatorKeyId": str(
            await world_with_instance.value("SELECT id FROM api_keys WHERE role = 'OPERATOR'")
        ),
        "operatorName": "ops",
        "action": "UPDATE_ACCOUNT",
        "accountIds": ["a"],
        "idempotencyKey": "rename",
        "createdAt": "2027-01-10T04:00:00+00:00",
        "request": {"account_id": "a", "columns": {"name": "新"}},
        "before": {**OF_A, "name": "Account a"},
        "after": {**OF_A, "name": "新"},
    }


OF_A = {
    "id": "a",
    "auto_renew_from": "2020-01-01T00:00:00+00:00",
    "created_at": "2027-01-10T04:00:00+00:00",
    "currency": "CNY",
    "time_zone": "Asia/Shanghai",
    "language": "en",
    "lead_days": None,
    "price_rise_cap_bps": None,
    "test_clock": None,
}


async def test_the_audit_entry_of_several_prices_has_the_changed_columns_of_each_instance(
    world_with_instance: World, operator: Operator
) -> None:
    await world_with_instance.account("b")
    await world_with_instance.instance("b-1", account="b")
    prices = [{"instanceId": instance_id, "monthlyPrice": "7"} for instance_id in ("i-1", "b-1", "x")]
    await operator.done("changePrices", prices=prices)
    [entry] = (await operator(LOG))["auditLog"]["nodes"]
    assert entry["accountIds"] == ["a", "b"]
    before, after = (
        {"monthly_price_cents": 30000, "agreed_price_cents": None},
        {"monthly_price_cents": 700, "agreed_price_cents": 30000},
    )
    assert entry["before"] == {"b-1": before, "i-1": before}
    assert entry["after"] == {"b-1": after, "i-1": after}


async def test_the_audit_log_is_paged_and_filtered_by_account_and_by_action(
    world_with_instance: World, operator: Operator
) -> None:
    await world_with_instance.account("b")
    for account_id in ("a", "b", "a"):
        await operator.done("topUp", accountId=account_id, amount="1")
    await operator.done("updateAccount", accountId="a", name="N")

    async def list_entry_ids(**arguments: Any) -> list[str]:
        log = (await operator(LOG, **arguments))["auditLog"]
        assert log["totalCount"] >= len(log["nodes"])
        return [node["id"] for node in log["nodes"]]

    fourth, third, second, first = await list_entry_ids()
    assert int(fourth) > int(third) > int(second) > int(first)
    assert await list_entry_ids(accountId="a") == [fourth, third, first]
    assert await list_entry_ids(accountId="a", action="TOP_UP") == [third, first]
    assert await list_entry_ids(accountId="nobody") == await list_entry_ids(accountId="\0") == []
    page = (await operator(LOG, first=3))["auditLog"]
    assert page["pageInfo"]["hasNextPage"]
    assert await list_entry_ids(after=page["pageInfo"]["endCursor"]) == [first]


@pytest.mark.parametrize(
    "change", ["UPDATE audit_log SET after = NULL", "DELETE FROM audit_log", "TRUNCATE audit_log"]
)
async def test_the_database_refuses_to_change_or_delete_an_audit_entry(
    world_with_instance: World, operator: Operator, change: str
) -> None:
    await operator.done("topUp", accountId="a", amount="1")
    before = await world_with_instance.snapshot()
    with pytest.raises(IntegrityConstraintViolationError, match="never changed or deleted"):
        await database.execute(database.pool(), change)
    assert await world_with_instance.snapshot() == before


async def test_the_id_of_a_refused_instance_can_be_any_text(
    world_with_instance: World, operator: Operator
) -> None:
    """A JSON column can store a NUL character, but a text column cannot."""
    result = await operator.done(
        "makeFormal", "{ refusals { id } }", key="k", instanceIds=["\0", "\u2028", "é"]
    )
    assert [row["id"] for row in result["refusals"]] == ["\0", "\u2028", "é"]
    again = await operator.done(
        "makeFormal", "{ refusals { id } }", key="k", instanceIds=["\0", "\u2028", "é"]
    )
    assert again == result
    [entry] = (await operator(LOG))["auditLog"]["nodes"]
    assert json.loads(json.dumps(entry["request"])) == {"instance_ids": ["\0", "\u2028", "é"]}
