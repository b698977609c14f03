"""Fair slots: no owner blocks another one, and a cancelled waiter frees its place."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator

import pytest

from renewals.concurrency import fair_queue


@contextlib.asynccontextmanager
async def holding(slots: fair_queue.FairSlots, owner: str) -> AsyncIterator[None]:
    """Hold a slot while the block runs."""
    await slots.acquire(owner)
    try:
        yield
    finally:
        slots.release(owner)


async def test_owners_get_slots_alternately_and_each_owner_in_the_order_of_its_requests() -> None:
    slots = fair_queue.FairSlots(1, per_owner_max=1, waiting_max=10)
    await slots.acquire("busy")
    order: list[str] = []

    async def take(owner: str, name: str) -> None:
        async with holding(slots, owner):
            order.append(name)

    waiting = [asyncio.create_task(take("busy", f"busy {number}")) for number in range(3)]
    await asyncio.sleep(0)
    waiting += [asyncio.create_task(take("small", f"small {number}")) for number in range(2)]
    await asyncio.sleep(0)
    slots.release("busy")
    await asyncio.gather(*waiting)
    assert order == ["busy 0", "small 0", "busy 1", "small 1", "busy 2"]


async def test_an_owner_gets_no_more_than_its_slots_even_if_others_are_free() -> None:
    slots = fair_queue.FairSlots(3, per_owner_max=2, waiting_max=1)
    await slots.acquire("a")
    await slots.acquire("a")
    waiting = asyncio.create_task(slots.acquire("a"))
    await asyncio.sleep(0)
    await slots.acquire("b")
    with pytest.raises(fair_queue.QueueFullError):
        await slots.acquire("a")
    assert not waiting.done()
    slots.release("b")
    await asyncio.sleep(0)
    assert not waiting.done(), "the free slot is for the other owners"
    slots.release("a")
    await waiting


async def test_cancelled_holders_and_waiters_leave_no_slot_occupied() -> None:
    chance = random.Random(18)
    slots = fair_queue.FairSlots(3, per_owner_max=2, waiting_max=1_000)

    async def take(owner: str) -> None:
        async with holding(slots, owner):
            await asyncio.sleep(chance.uniform(0, 0.002))

    tasks = [asyncio.create_task(take(chance.choice("abcd"))) for _ in range(400)]
    while not all(task.done() for task in tasks):
        chance.choice(tasks).cancel()
        await asyncio.sleep(chance.uniform(0, 0.001))
    for owner in "abcd":  # the tasks that hold a slot, and those that wait for one
        together = [asyncio.create_task(take(owner)) for _ in range(20)]
        await asyncio.sleep(0)
        for task in together:
            task.cancel()
        await asyncio.gather(*together, return_exceptions=True)
    assert not slots._queue
    async with asyncio.timeout(1):
        for owner in "abc":
            await slots.acquire(owner)
