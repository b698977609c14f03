"""The cached sizes of accounts: when a size is counted again, and how often."""

import asyncio

import pytest

from renewals.instances import account_sizes
from tests.support.fixtures import World


@pytest.mark.parametrize(
    ("age", "found", "counts"),
    [
        (account_sizes.FRESH_SECONDS - 1, 1, 0),
        (account_sizes.FRESH_SECONDS + 1, 1, 1),
        (account_sizes.STALE_SECONDS_MAX + 1, 2, 1),
    ],
)
async def test_a_size_is_counted_at_most_once_whatever_its_age(
    world: World, monkeypatch: pytest.MonkeyPatch, age: float, found: int, counts: int
) -> None:
    await world.account("a")
    await world.instance("i-1")
    sizes = account_sizes.AccountSizes()
    assert (await sizes.find("a")).instances == 1
    await world.instance("i-2")
    counted_at, size = sizes._known["a"]
    sizes._known["a"] = (counted_at - age, size)
    count, counted = sizes._count, []

    async def record(account_id: str | None) -> account_sizes.AccountSize:
        counted.append(account_id)
        return await count(account_id)

    monkeypatch.setattr(sizes, "_count", record)
    assert (await sizes.find("a")).instances == found
    await asyncio.gather(*sizes._counting.values())
    assert counted == ["a"] * counts
