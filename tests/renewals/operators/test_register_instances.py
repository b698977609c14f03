"""Test registerInstances: each instance or bundle is decided separately, and a repetition changes no row."""

import time
from typing import Any

import pytest

from renewals.db import connection as database
from tests.support import integrity, sql_log
from tests.support.fixtures import World
from tests.support.operator_client import Operator

COUNTS = "{ createdCount changedCount unchangedCount heldCount refusals { id field message } }"


def instance(instance_id: str = "i-1", **about: Any) -> dict[str, Any]:
    """Return a valid input, without the fields that are None."""
    sent = {
        "id": instance_id,
        "name": f"Instance {instance_id}",
        "productCode": "eip",
        "dataCenterCode": "bj-6",
        "monthlyPrice": "300.00",
        "expiresOn": "2027-01-31",
        **about,
    }
    return {name: value for name, value in sent.items() if value is not None}


async def register(operator: Operator, *instances: dict[str, Any], **more: Any) -> dict[str, Any]:
    return await operator.done(
        "registerInstances", COUNTS, **{"accountId": "a", "instances": list(instances), **more}
    )


def counts(answer: dict[str, Any]) -> tuple[int, int, int]:
    return answer["createdCount"], answer["changedCount"], answer["unchangedCount"]


def refusals(answer: dict[str, Any]) -> dict[str, str]:
    return {row["id"]: row["field"] for row in answer["refusals"]}


@pytest.fixture
async def provider(world: World, operator: Operator) -> Operator:
    """Return an operator, with an empty account `a`."""
    await world.account("a")
    return operator


async def test_registration_sets_the_tags_of_a_new_instance_but_not_of_an_existing_instance(
    world: World, provider: Operator
) -> None:
    tags = [{"key": "env", "value": "prod"}, {"key": "a", "value": ""}]
    assert counts(await register(provider, instance(tags=tags))) == (1, 0, 0)
    assert counts(await register(provider, instance(tags=[{"key": "env", "value": "test"}]))) == (0, 0, 1)
    assert counts(await register(provider, instance(name="Other"))) == (0, 1, 0)
    listed = await provider("""{ instances(accountId: "a") { nodes { tags { key value } } } }""")
    assert listed["instances"]["nodes"] == [{"tags": [{"key": "a", "value": ""}, tags[0]]}]


async def test_only_the_instances_with_invalid_tags_are_refused(world: World, provider: Operator) -> None:
    tag = {"key": "env", "value": "prod"}
    answer = await register(
        provider,
        instance("i-1", tags=[tag, tag]),
        instance("i-2", tags=[{"key": "", "value": ""}]),
        instance("i-3", tags=[{"key": f"k{number}", "value": ""} for number in range(21)]),
        instance("i-4", tags=[{"key": "k", "value": "v" * 129}]),
        instance("i-5", tags=[tag]),
    )
    assert refusals(answer) == dict.fromkeys(("i-1", "i-2", "i-3", "i-4"), "tags")
    assert counts(answer) == (1, 0, 0)


async def test_a_new_instance_has_all_reported_values(world: World, provider: Operator) -> None:
    answer = await register(
        provider,
        instance(
            "i-1",
            name="云服务器 1",
            anchorDay=31,
            expiresOn="2027-02-28",
            renewalMode="AUTO",
            autoRenewMonths=3,
            createdAt="2026-01-31T01:02:03Z",
            configuration=[{"label": "带宽", "value": "1Mbps"}],
        ),
    )
    assert answer == {
        "createdCount": 1,
        "changedCount": 0,
        "unchangedCount": 0,
        "heldCount": 0,
        "refusals": [],
    }
    listed = await provider("""{ instances(accountId: "a") { nodes { id accountId name productCode dataCenterCode
      billingMode isTrial status renewalMode autoRenewMonths expiresAt anchorDay monthlyPrice agreedPrice bundleId
      createdAt configuration { label value } } } }""")
    assert listed["instances"]["nodes"] == [
        {
            "id": "i-1",
            "accountId": "a",
            "name": "云服务器 1",
            "productCode": "eip",
            "dataCenterCode": "bj-6",
            "billingMode": "PREPAID",
            "isTrial": False,
            "status": "RUNNING",
            "renewalMode": "AUTO",
            "autoRenewMonths": 3,
            "expiresAt": "2027-02-28T15:59:59+00:00",
            "anchorDay": 31,
            "monthlyPrice": "300.00",
            "agreedPrice": None,
            "bundleId": None,
            "createdAt": "2026-01-31T01:02:03+00:00",
            "configuration": [{"label": "带宽", "value": "1Mbps"}],
        }
    ]
    await integrity.assert_holds()


@pytest.mark.parametrize(
    ("about", "field"),
    [
        ({"id": ""}, "id"),
        ({"id": "x" * 65}, "id"),
        ({"id": "a\0"}, "id"),
        ({"name": ""}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"productCode": "nothing"}, "productCode"),
        ({"productCode": "\0"}, "productCode"),
        ({"dataCenterCode": "moon"}, "dataCenterCode"),
        ({"monthlyPrice": "-0.01"}, "monthlyPrice"),
        ({"monthlyPrice": "1000000000.01"}, "monthlyPrice"),
        ({"expiresOn": None}, "expiresOn"),
        ({"expiresOn": "1999-12-31"}, "expiresOn"),
        ({"expiresOn": "2200-01-01"}, "expiresOn"),
        ({"billingMode": "PAY_AS_YOU_GO"}, "expiresOn"),
        ({"anchorDay": 30}, "anchorDay"),
        ({"anchorDay": 0}, "anchorDay"),
        ({"anchorDay": 32, "expiresOn": "2027-02-28"}, "anchorDay"),
        ({"billingMode": "PAY_AS_YOU_GO", "expiresOn": None, "anchorDay": 1}, "anchorDay"),
        ({"autoRenewMonths": 0}, "autoRenewMonths"),
        ({"autoRenewMonths": 37}, "autoRenewMonths"),
        ({"createdAt": "1999-12-31T00:00:00Z"}, "createdAt"),
        ({"configuration": [{"label": "", "value": "x"}]}, "configuration"),
        ({"configuration": [{"label": "x", "value": "\0"}]}, "configuration"),
        ({"configuration": [{"label": "x", "value": "1"}, {"label": "x", "value": "2"}]}, "configuration"),
        ({"configuration": [{"label": str(n), "value": ""} for n in range(51)]}, "configuration"),
        ({"bundleId": "nowhere"}, "bundleId"),
        ({"bundleId": "\0"}, "bundleId"),
    ],
)
async def test_an_invalid_row_is_refused_with_its_field_and_the_valid_row_is_registered(
    world: World, provider: Operator, about: dict[str, Any], field: str
) -> None:
    answer = await register(provider, instance("good"), instance(**{"id": "bad", **about}))
    assert counts(answer) == (1, 0, 0)
    assert refusals(answer) == {about.get("id", "bad"): field}
    assert await world.rows("SELECT id FROM instances") == [("good",)]
    await integrity.assert_holds()


async def test_all_rows_with_a_repeated_id_are_refused(world: World, provider: Operator) -> None:
    answer = await register(provider, instance("i-1"), instance("i-2"), instance("i-1", name="other"))
    assert counts(answer) == (1, 0, 0)
    assert [(row["id"], row["field"]) for row in answer["refusals"]] == [("i-1", "id"), ("i-1", "id")]


async def test_an_id_of_another_account_is_refused_and_changes_no_row(
    world: World, provider: Operator
) -> None:
    await world.account("b")
    await world.instances(["b-1", "b-2"], account="b", bundle="of-b")
    before = await world.snapshot()
    answer = await register(provider, instance("b-1", name="mine now"), instance("x", bundleId="of-b"))
    assert refusals(answer) == {"b-1": "id", "x": "bundleId"}
    answer = await register(
        provider, instance("y", bundleId="of-b"), bundles=[{"id": "of-b", "name": "mine"}]
    )
    assert refusals(answer) == {"of-b": "bundles.id", "y": "bundleId"}
    del before["audit_log"]
    after = await world.snapshot()
    del after["audit_log"]
    assert after == before


async def test_a_repeated_registration_changes_no_instance(world: World, provider: Operator) -> None:
    rows = [
        instance("i-1", expiresOn="2027-02-28", anchorDay=31, configuration=[{"label": "a", "value": "b"}]),
        instance("i-2", expiresOn=None, billingMode="PAY_AS_YOU_GO"),
        instance("i-3", isTrial=True),
    ]
    await register(provider, *rows)
    before = await world.rows("SELECT xmin::text, id FROM instances ORDER BY id")
    assert counts(await register(provider, *rows)) == (0, 0, 3)
    assert counts(await register(provider, {**rows[0], "anchorDay": None})) == (0, 0, 1)
    assert await world.rows("SELECT xmin::text, id FROM instances ORDER BY id") == before


async def test_registration_updates_an_instance_but_not_its_policy(world: World, provider: Operator) -> None:
    await world.instance("i-1", mode="AUTO", months=3, expires="2027-01-31")
    sent = instance(
        "i-1",
        name="New",
        dataCenterCode="bj-1",
        monthlyPrice="310.00",
        expiresOn="2027-02-05",
        renewalMode="NONE",
    )
    assert counts(await register(provider, sent)) == (0, 1, 0)
    sql = """SELECT name, data_center_code, monthly_price_cents, agreed_price_cents, anchor_day, renewal_mode,
      auto_renew_months FROM instances"""
    assert await world.row(sql) == ("New", "bj-1", 31000, 30000, 5, "AUTO", 3)
    assert await world.expiry("i-1") == "2027-02-05"
    await integrity.assert_holds()


@pytest.mark.parametrize(
    ("about", "field"),
    [
        ({"productCode": "kec"}, "productCode"),
        ({"billingMode": "ONE_OFF"}, "billingMode"),
        ({"isTrial": True}, "isTrial"),
        ({"bundleId": "k"}, "bundleId"),
    ],
)
async def test_a_change_of_an_immutable_field_is_refused(
    world: World, provider: Operator, about: dict[str, Any], field: str
) -> None:
    await world.instance("i-1", configuration={"带宽": "1Mbps"})
    answer = await register(
        provider, instance("i-1", **about), bundles=[{"id": "k", "name": "K"}] if "bundleId" in about else []
    )
    assert counts(answer) == (0, 0, 0)
    assert refusals(answer) == {"i-1": field}


async def test_a_paid_expiry_is_not_changed_by_registration(world: World, provider: Operator) -> None:
    from tests.support import customer
    from tests.support.graphql_client import Client

    client = Client()
    client.key = await world.key("a")
    await world.top_up("1000.00")
    await world.instance("i-1", expires="2027-01-31")
    async with client.http:
        await customer.Buyer(client).renew(["i-1"], months=1)
    answer = await register(provider, instance("i-1", expiresOn="2027-03-31"))
    [refusal] = answer["refusals"]
    assert (refusal["field"], "paid for until 2027-02-28" in refusal["message"]) == ("expiresOn", True)
    changed = await register(provider, instance("i-1", expiresOn=None, name="New"))
    assert counts(changed) == (0, 1, 0), "without expiresOn the expiry does not change"
    assert await world.expiry("i-1") == "2027-02-28"
    await integrity.assert_holds()


async def test_a_corrected_expiry_restores_an_expired_instance(world: World, provider: Operator) -> None:
    await world.instances(["i-1", "i-2"], expires="2026-12-31", status="EXPIRED")
    answer = await register(
        provider, instance("i-1", expiresOn="2027-12-31"), instance("i-2", expiresOn="2027-01-09")
    )
    assert counts(answer) == (0, 2, 0)
    assert [(await world.read(instance_id)).status for instance_id in ("i-1", "i-2")] == [
        "RUNNING",
        "EXPIRED",
    ]
    assert await world.rows("SELECT type, instance_id FROM events") == [("instance.restored", "i-1")]


async def test_a_released_instance_cannot_be_registered_again(world: World, provider: Operator) -> None:
    await world.instance("i-1", expires="2026-01-31", status="RELEASED")
    assert refusals(await register(provider, instance("i-1", expiresOn="2027-05-31"))) == {"i-1": "id"}


async def test_a_released_bundle_gets_no_new_members(world: World, provider: Operator) -> None:
    await register(
        provider,
        *[instance(instance_id, bundleId="k") for instance_id in ("k-1", "k-2")],
        bundles=[{"id": "k", "name": "KES"}],
    )
    await provider.done("releaseInstances", "{ changedCount }", instanceIds=["k-1", "k-2"])
    joining = [instance(instance_id, bundleId="k") for instance_id in ("k-1", "k-2", "k-3")]
    answer = await register(provider, joining[-1], bundles=[{"id": "k", "name": "KES"}])
    assert (counts(answer), refusals(answer)) == ((0, 0, 0), {"k-3": "bundleId"})
    answer = await register(provider, *joining)
    assert (counts(answer), refusals(answer)) == ((0, 0, 0), dict.fromkeys(("k-1", "k-2", "k-3"), "bundleId"))
    await integrity.assert_holds()


async def test_a_bundle_is_registered_with_its_members(world: World, provider: Operator) -> None:
    rows = [instance(instance_id, bundleId="k") for instance_id in ("k-1", "k-2")]
    assert counts(await register(provider, *rows, bundles=[{"id": "k", "name": "KES 1"}])) == (2, 0, 0)
    assert await world.rows("SELECT id, account_id, name FROM bundles") == [("k", "a", "KES 1")]
    answer = await register(provider, instance("k-3", bundleId="k"), bundles=[{"id": "k", "name": "KES 2"}])
    assert counts(answer) == (1, 0, 0)
    assert await world.value("SELECT name FROM bundles WHERE id = 'k' AND account_id = 'a'") == "KES 2"
    await integrity.assert_holds()


async def test_a_bundle_with_a_refused_member_is_refused_and_other_bundles_are_registered(
    world: World, provider: Operator
) -> None:
    answer = await register(
        provider,
        instance("k-1", bundleId="k"),
        instance("k-2", bundleId="k", monthlyPrice="-1"),
        instance("m-1", bundleId="m"),
        instance("i-1"),
        bundles=[{"id": "k", "name": "K"}, {"id": "m", "name": "M"}],
    )
    assert counts(answer) == (2, 0, 0)
    assert refusals(answer) == {"k-1": "bundleId", "k-2": "monthlyPrice"}
    assert await world.rows("SELECT id FROM bundles") == [("m",)]


@pytest.mark.parametrize(
    "difference",
    [{"expiresOn": "2027-02-28"}, {"renewalMode": "AUTO"}, {"autoRenewMonths": 3}],
)
async def test_a_bundle_whose_members_have_different_expiries_or_policies_is_refused(
    world: World, provider: Operator, difference: dict[str, Any]
) -> None:
    answer = await register(
        provider,
        instance("k-1", bundleId="k"),
        instance("k-2", bundleId="k", **difference),
        bundles=[{"id": "k", "name": "K"}],
    )
    assert refusals(answer) == {"k-1": "bundleId", "k-2": "bundleId"}
    assert (await world.count("instances"), await world.count("bundles")) == (0, 0)


async def test_the_expiry_of_a_bundle_is_changed_only_for_all_its_members_together(
    world: World, provider: Operator
) -> None:
    await world.instances(["k-1", "k-2"], bundle="k", expires="2027-01-31")
    alone = await register(provider, instance("k-1", expiresOn="2027-02-10"))
    assert refusals(alone) == {"k-1": "bundleId"}
    both = await register(
        provider, *(instance(instance_id, expiresOn="2027-02-10") for instance_id in ("k-1", "k-2"))
    )
    assert counts(both) == (0, 2, 0)
    await integrity.assert_holds()


async def test_a_bundle_without_members_is_refused(world: World, provider: Operator) -> None:
    bundles = [{"id": "k", "name": "K"}, {"id": "\0", "name": "N"}, {"id": "l", "name": "\0"}]
    answer = await register(provider, instance(), bundles=bundles)
    assert refusals(answer) == {"k": "bundles.id", "\0": "bundles.id", "l": "bundles.name"}
    assert counts(answer) == (1, 0, 0)
    refused = await provider.refused(
        "registerInstances", accountId="a", instances=[instance("i-2")], bundles=[bundles[0], bundles[0]]
    )
    assert refused[:2] == ("InvalidInput", "input.bundles.1.id")


async def test_a_registration_with_no_or_too_many_rows_is_refused(
    world: World, provider: Operator, limits_override: Any
) -> None:
    limits_override(ROWS_PER_CALL_MAX=2)
    for rows in ([], [instance(str(number)) for number in range(3)]):
        result = await provider.refused("registerInstances", accountId="a", instances=rows)
        assert result[:2] == ("InvalidInput", "input.instances")
    assert (await world.count("instances"), await world.count("audit_log")) == (0, 0)


async def test_10_000_registered_instances_take_as_many_statements_as_one_instance(
    world: World, provider: Operator
) -> None:
    def rows(prefix: str, count: int, **about: Any) -> list[dict[str, Any]]:
        return [
            instance(
                f"{prefix}-{number:05d}",
                bundleId=f"{prefix}-{number // 10}",
                configuration=[{"label": "CPU", "value": "4"}, {"label": "内存", "value": "8G"}],
                **about,
            )
            for number in range(count)
        ]

    def bundles(prefix: str, count: int) -> list[dict[str, str]]:
        return [{"id": f"{prefix}-{number}", "name": "B"} for number in range(count)]

    with sql_log.counted() as one:
        assert counts(await register(provider, *rows("one", 1), bundles=bundles("one", 1))) == (1, 0, 0)
    started = time.perf_counter()
    with sql_log.counted() as many:
        answer = await register(provider, *rows("many", 10_000), bundles=bundles("many", 1_000))
    print(f"registered 10,000: {time.perf_counter() - started:.2f} s, {len(many)} statements")  # noqa: T201
    assert counts(answer) == (10_000, 0, 0)
    assert len(many) == len(one)
    # Autovacuum may have analyzed the tables while they were nearly empty, and a plan for few rows takes minutes.
    await database.execute(database.pool(), "ANALYZE instances, bundles")
    started = time.perf_counter()
    assert counts(await register(provider, *rows("many", 10_000))) == (0, 0, 10_000)
    print(f"the same again: {time.perf_counter() - started:.2f} s")  # noqa: T201
    started = time.perf_counter()
    changed = await register(provider, *rows("many", 10_000, monthlyPrice="1.00"))
    assert counts(changed) == (0, 10_000, 0)
    print(f"another price for all: {time.perf_counter() - started:.2f} s")  # noqa: T201
    await integrity.assert_holds()
