"""The result of placing an order contains all data for the response, so that nothing is read afterwards."""

from renewals.accounts import queries as accounts_queries
from renewals.db import connection as database
from renewals.domain import planning
from renewals.instances import queries as instances_queries
from renewals.instances import selection
from renewals.orders import place_order, requests
from renewals.orders import queries as orders_queries
from tests.support.fixtures import NOW, World


async def test_the_rows_in_the_result_of_an_order_equal_the_rows_that_a_read_returns(world: World) -> None:
    for account, clock in (("a", None), ("test", NOW)):
        await world.account(account, balance="1000.00", lead_days=2, test_clock=clock)
        running = await world.instance(f"{account}-1", account=account, expires="2027-01-31", mode="AUTO")
        expired = await world.instance(f"{account}-2", account=account, expires="2027-01-05")
        order = requests.OrderRequest(
            selection.ById((running, expired)), planning.RenewFor(1), idempotency_key="key"
        )
        placed = await place_order.place_order(account, order, lambda: NOW)
        pool, instance_ids = database.pool(), list(placed.instance_ids)
        stored = await orders_queries.fetch_orders_by_id(pool, account, [placed.order_id])
        assert placed.order == dict(stored[placed.order_id])
        assert placed.account is not None
        stored_account = await accounts_queries.fetch_account(pool, account)
        assert accounts_queries.build_row(placed.account) == dict(stored_account)
        instances = await instances_queries.fetch_instances_by_id(pool, account, instance_ids, NOW)
        assert {row["id"]: dict(row.items()) for row in placed.instances} == {
            instance_id: dict(row) for instance_id, row in instances.items()
        }
        assert len(instances) == 2
