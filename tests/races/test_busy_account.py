"""A busy account does not slow down other accounts."""

import asyncio
import contextvars

import asyncpg

from renewals.accounts import repository as accounts_repository
from renewals.db import connection as database
from renewals.instances import repository as instances_repository
from renewals.orders import queries as orders_queries
from tests.support import customer, integrity
from tests.support.fixtures import NOW, World, registration
from tests.support.graphql_client import Client


async def test_calls_that_wait_for_a_locked_account_leave_connections_for_other_accounts(
    world: World, graphql: Client, database_url: str
) -> None:
    buyer = await customer.open_account(world, graphql, balance="10000.00")
    await world.instances([f"i-{n}" for n in range(15)], price="1.00")
    await world.account("b", balance="5.00")
    holder = await asyncpg.connect(database_url)
    transaction = holder.transaction()
    await transaction.start()
    await holder.execute("SELECT id FROM accounts WHERE id = 'a' FOR NO KEY UPDATE")
    waiting = [asyncio.create_task(buyer.renew([f"i-{n}"], key=f"k-{n}")) for n in range(15)]
    await asyncio.sleep(0.5)
    async with asyncio.timeout(5):
        assert await orders_queries.count_orders(database.pool(), "b", orders_queries.ALL_ORDERS) == 0
    assert not any(task.done() for task in waiting)
    await transaction.rollback()
    await holder.close()
    renewed = await asyncio.gather(*waiting)
    assert {result["__typename"] for result in renewed} == {"RenewInstancesSuccess"}
    assert await world.balance("a") == "9985.00"
    await integrity.assert_holds()


async def test_a_renewal_waits_for_the_registration_of_a_new_member_of_its_bundle(
    world: World, graphql: Client
) -> None:
    buyer = await customer.open_account(world, graphql, balance="10000.00")
    await world.instances(["b-1", "b-2"], bundle="b")
    outside = contextvars.copy_context()  # a task started inside the transaction would belong to it
    async with database.transaction() as connection:
        locked = (await accounts_repository.lock_accounts(connection, ["a"]))["a"]
        await instances_repository.register(connection, locked, [registration("b-3", bundle="b")], {}, NOW)
        renewing = asyncio.create_task(buyer.renew(["b-1", "b-2"]), context=outside)
        await asyncio.sleep(0.3)
        assert not renewing.done()
    assert customer.codes(await renewing) == {"b-1": "BUNDLE_INCOMPLETE", "b-2": "BUNDLE_INCOMPLETE"}
    assert await world.balance("a") == "10000.00"
    await integrity.assert_holds()
