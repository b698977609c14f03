"""Concurrent requests cause one charge each, and no deadlock that a client could observe."""

import asyncio
import collections
import datetime as dt

import pytest

from renewals.auto_renewal import renew as auto_renewal_renew
from renewals.db import connection as database
from renewals.db.models import RenewalRun
from tests.support import customer, integrity
from tests.support.fixtures import World
from tests.support.graphql_client import Client

AT_ONCE = 20


@pytest.fixture(autouse=True)
async def warm_pool(world: World) -> None:
    """Open the pool's ten connections, so that the requests do not wait for each connection to open."""
    await asyncio.gather(*(world.value("SELECT pg_sleep(0.05)::text") for _ in range(10)))


async def test_20_concurrent_renewals_with_one_key_create_one_order_and_get_equal_responses(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql, balance="100000.00")
    await world.voucher("50.00")
    ids = await world.instances(["i-1", "i-2", "i-3"], price="300.00")
    results = await asyncio.gather(*(buyer.renew(ids, key="once") for _ in range(AT_ONCE)))
    assert results[0]["__typename"] == "RenewInstancesSuccess"
    assert results == [results[0]] * AT_ONCE
    assert (await world.count("orders"), await world.count("order_lines")) == (1, 3)
    assert (await world.balance(), await world.expiry("i-1")) == ("99150.00", "2027-02-28")
    await integrity.assert_holds()


async def test_one_key_for_two_different_concurrent_renewals_serves_only_one_renewal(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql, balance="100000.00")
    await world.instances(["i-1", "i-2"], price="300.00")
    results = await asyncio.gather(
        *(buyer.renew([f"i-{1 + number % 2}"], key="once") for number in range(AT_ONCE))
    )
    types = collections.Counter(result["__typename"] for result in results)
    assert types == {"RenewInstancesSuccess": 10, "IdempotencyKeyReused": 10}
    assert (await world.count("orders"), await world.balance()) == (1, "99700.00")


async def test_money_for_two_renewals_pays_two_of_20_concurrent_renewals(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql, balance="650.00")
    ids = await world.instances([f"i-{number}" for number in range(AT_ONCE)], price="300.00")
    results = await asyncio.gather(*(buyer.renew([instance_id], key=instance_id) for instance_id in ids))
    types = collections.Counter(result["__typename"] for result in results)
    assert types == {"RenewInstancesSuccess": 2, "InsufficientFunds": 18}
    assert {a["available"] for a in results if "available" in a} == {"50.00"}
    renewed = [instance_id for instance_id in ids if await world.expiry(instance_id) == "2027-02-28"]
    assert (len(renewed), await world.count("orders"), await world.balance()) == (2, 2, "50.00")
    await integrity.assert_holds()


async def test_20_concurrent_renewals_of_one_instance_pay_20_successive_periods(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql, balance="100000.00")
    await world.voucher("1000.00")
    await world.instance("i-1", expires="2027-01-31", price="300.00")
    results = await asyncio.gather(*(buyer.renew(["i-1"], key=str(number)) for number in range(AT_ONCE)))
    starts = [result["order"]["lines"][0]["startsAt"] for result in results]
    assert len(set(starts)) == AT_ONCE
    assert (await world.expiry("i-1"), await world.balance()) == ("2028-09-30", "95000.00")
    await integrity.assert_holds()


async def test_overlapping_selections_in_opposite_order_do_not_deadlock(
    world: World, graphql: Client
) -> None:
    calls = []
    for account in ("a", "b", "c"):
        await world.account(account, balance="1000000.00")
        ids = await world.instances([f"{account}-{n}" for n in range(6)], account=account, price="10.00")
        ids += await world.instances([f"{account}-x", f"{account}-y"], account=account, bundle=f"{account}-b")
        client = Client()
        buyer = await customer.of(world, client, account)
        for number in range(8):
            selected_ids = ids[number % 3 :] if number % 2 else ids[::-1]
            key = f"{account}-{number}"
            calls.append(buyer.renew(selected_ids, key=key, bundles="WHOLE"))
            calls.append(buyer.unify(selected_ids, day=1 + number, key=f"unify-{key}", bundles="WHOLE"))
            calls.append(buyer.set_policy(selected_ids, "AUTO" if number % 2 else "NONE", bundles="WHOLE"))
    results = await asyncio.gather(*calls)
    kinds = collections.Counter(result["__typename"] for result in results)
    assert kinds == {
        "RenewInstancesSuccess": 24,
        "UnifyExpirySuccess": 24,
        "SetRenewalPolicySuccess": 24,
    }
    assert await world.count("orders") == 48
    await integrity.assert_holds()


@pytest.mark.parametrize("attempt", range(5))
async def test_the_worker_and_a_customer_charge_each_period_once(
    world: World, graphql: Client, attempt: int
) -> None:
    buyer = await customer.open_account(world, graphql, balance="100000.00")
    ids = await world.instances([f"i-{n:02d}" for n in range(10)], mode="AUTO", price="300.00")
    due = world.at("2027-01-31 00:30")
    graphql.at(due)

    async def renew(instance_id: str) -> customer.Result:
        await asyncio.sleep(attempt * 0.004)
        return await buyer.renew([instance_id], key=instance_id)

    run, *results = await asyncio.gather(
        auto_renewal_renew.run_at(due, lambda: due), *(renew(instance_id) for instance_id in ids)
    )
    assert isinstance(run, RenewalRun)
    assert [isinstance(a, dict) and a["__typename"] for a in results] == ["RenewInstancesSuccess"] * 10
    # If the customer was first, the worker had no work left. If the worker was first, the customer added a month.
    assert run.renewed_count + run.skipped_count == 10
    periods = await world.rows("SELECT instance_id, starts_at, count(*) FROM order_lines GROUP BY 1, 2")
    assert len(periods) == 10 + run.renewed_count
    assert {count for _, _, count in periods} == {1}
    assert await world.balance() == f"{100_000 - 300 * len(periods)}.00"
    await integrity.assert_holds()


async def test_concurrent_runs_and_customers_never_overspend(world: World, graphql: Client) -> None:
    buyer = await customer.open_account(world, graphql, balance="1000.00")
    await world.voucher("250.00", products=["kec"])
    ids = await world.instances([f"e-{n}" for n in range(4)], mode="AUTO", price="200.00", product="eip")
    ids += await world.instances([f"k-{n}" for n in range(4)], mode="AUTO", price="200.00", product="kec")
    due = world.at("2027-01-31 00:30")
    graphql.at(due)
    await asyncio.gather(
        *(auto_renewal_renew.run_at(due + dt.timedelta(minutes=n), lambda: due) for n in range(3)),
        *(buyer.renew([instance_id], key=instance_id) for instance_id in ids),
        *(buyer.renew(ids, key=f"all-{n}") for n in range(3)),
    )
    await integrity.assert_holds()
    spent = await world.value("SELECT sum(total_cents) FROM orders")
    assert spent <= 1_250_00
    assert await world.balance() in ("0.00", "50.00")


async def test_concurrent_policy_changes_and_a_run_do_not_deadlock(world: World, graphql: Client) -> None:
    buyer = await customer.open_account(world, graphql, balance="100000.00")
    ids = await world.instances([f"i-{n}" for n in range(10)], mode="AUTO", price="300.00")
    due = world.at("2027-01-31 00:30")
    graphql.at(due)
    run, *results = await asyncio.gather(
        auto_renewal_renew.run_at(due, lambda: due),
        *(buyer.set_policy([instance_id], "NONE") for instance_id in reversed(ids)),
    )
    assert isinstance(run, RenewalRun)
    assert [isinstance(a, dict) and a["changedCount"] for a in results] == [1] * 10
    rows = await database.fetch(database.pool(), "SELECT count(*) FROM order_lines")
    assert (rows[0][0], run.renewed_count + run.skipped_count) == (run.renewed_count, 10)
    assert {(await world.read(instance_id)).renewal_mode for instance_id in ids} == {"NONE"}
    await integrity.assert_holds()
