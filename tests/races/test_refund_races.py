"""Refunds that run concurrently with renewals, the worker and other refunds return money and time once."""

import asyncio
import collections
import dataclasses
import uuid

import pytest

from renewals.auto_renewal import renew as auto_renewal_renew
from renewals.auto_renewal import runs
from renewals.domain import errors, planning
from renewals.instances import selection
from renewals.operators import audit_log, refunds
from renewals.orders import place_order, requests
from renewals.orders import repository as orders_repository
from tests.support import integrity
from tests.support.fixtures import NOW, World

AT_ONCE = 10
CALL = audit_log.OperatorRequest(audit_log.Operator(None, "ops"), "once", lambda: NOW)


@pytest.fixture(autouse=True)
async def warm_pool(world: World) -> None:
    """Open the pool's ten connections, so that the calls do not wait for each connection to open."""
    await asyncio.gather(*(world.value("SELECT pg_sleep(0.05)::text") for _ in range(10)))


@pytest.fixture
async def order_id(world: World) -> str:
    """An order of account `a` for i-1, half of it paid by a voucher."""
    await world.account("a", balance="1000.00")
    await world.voucher("50.00")
    await world.instance("i-1", mode="AUTO", price="100.00")
    return str((await renew("first")).order_id)


async def renew(key: str) -> orders_repository.PlacedOrder:
    request = requests.OrderRequest(selection.ById(("i-1",)), planning.RenewFor(1), idempotency_key=key)
    return await place_order.place_order("a", request, lambda: NOW)


async def refund(order_id: str, key: str) -> str:
    """Return the result of a refund."""
    request = refunds.RefundRequest(order_id, None, "Outage")
    try:
        outcome = await refunds.refund_order(dataclasses.replace(CALL, idempotency_key=key), request)
    except errors.NotRefundableError as refused:
        return str(refused.refusals[0].message)
    return "first" if outcome.is_new else "again"


async def test_one_of_several_concurrent_refunds_of_an_order_succeeds(world: World, order_id: str) -> None:
    outcomes = await asyncio.gather(*(refund(order_id, str(number)) for number in range(AT_ONCE)))
    assert collections.Counter(outcomes) == {"first": 1, "was already refunded": AT_ONCE - 1}
    assert (await world.balance(), await world.expiry("i-1")) == ("1000.00", "2027-01-31")
    assert (await world.count("refunds"), await world.count("audit_log")) == (1, 1)
    await integrity.assert_holds()


async def test_concurrent_refunds_with_one_key_are_one_refund(world: World, order_id: str) -> None:
    outcomes = await asyncio.gather(*(refund(order_id, "once") for _ in range(AT_ONCE)))
    assert collections.Counter(outcomes) == {"first": 1, "again": AT_ONCE - 1}
    assert (await world.balance(), await world.count("refunds")) == ("1000.00", 1)
    await integrity.assert_holds()


@pytest.mark.parametrize("round_", range(5))
async def test_each_period_is_paid_once_with_concurrent_refunds_and_manual_renewals(
    world: World, order_id: str, round_: int
) -> None:
    """A repetition of the first order's key returns the stored result, whether or not its period still exists."""
    repeating = [renew("first") for _ in range(3)]
    renewing = [renew(str(uuid.uuid4())) for _ in range(3)]
    refunding = [refund(order_id, str(number)) for number in range(3)]
    done = await asyncio.gather(
        *(call for calls in zip(refunding, renewing, repeating, strict=True) for call in calls)
    )
    placed = [result for result in done if isinstance(result, orders_repository.PlacedOrder)]
    assert [str(result.order_id) for result in placed].count(order_id) == 3
    refunded_count = done.count("first")
    paid_count = 4 - refunded_count
    assert await world.expiry("i-1") == f"2027-{1 + paid_count:02}-{[31, 28, 31, 30, 31][paid_count]}"
    assert await world.balance() == f"{1050 - 100 * paid_count}.00"
    await integrity.assert_holds()


@pytest.mark.parametrize("round_", range(5))
async def test_a_period_refunded_during_a_run_is_renewed_again(
    world: World, order_id: str, round_: int
) -> None:
    """The refund makes the instance due at that time. If a run was first, the last run renews the instance."""
    due = world.at("2027-01-31 00:30")
    run_id = await runs.start_run(runs.Trigger.OPERATOR, due, due, clock_at=due)
    assert run_id is not None
    done = await asyncio.gather(
        *(refund(order_id, str(number)) for number in range(3)),
        *(auto_renewal_renew.run_at(due, lambda: due) for _ in range(3)),
    )
    assert done.count("first") == 1
    await auto_renewal_renew.run_at(due, lambda: due)
    assert await world.expiry("i-1") == "2027-02-28"
    assert await world.rows("SELECT refund_count FROM order_lines ORDER BY id") == [(0,), (1,)]
    await integrity.assert_holds()
