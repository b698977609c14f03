"""A cached forecast always equals a newly computed one, whatever has changed meanwhile."""

import datetime as dt
import functools
import random
from collections.abc import Awaitable, Callable, Sequence

import pytest

from renewals.accounts import repository as accounts_repository
from renewals.db import connection as database
from renewals.forecasts import cache as forecasts_cache
from renewals.forecasts import calendar_entries, forecast, instance_forecast, simulation
from tests.support import cases
from tests.support.fixtures import NOW, World

CHANGES = 60
PRODUCTS = ("eip", "kec", "ebs")
IDS = [f"i-{number}" for number in range(24)]
Change = Callable[[World, random.Random, int], Awaitable[object]]


async def execute(sql: str, *values: object) -> None:
    await database.execute(database.pool(), sql, *values)


def draw_ids(chance: random.Random) -> list[str]:
    return chance.sample(IDS, chance.randint(1, 4))


async def top_up(world: World, chance: random.Random, _: int) -> None:
    await world.top_up(f"{chance.randint(1, 900)}.00")


async def issue_voucher(world: World, chance: random.Random, _: int) -> None:
    days = {"expires": f"2027-0{chance.randint(2, 5)}-{chance.randint(10, 28)}"}
    await world.voucher(f"{chance.randint(1, 200)}.00", products=chance.choice(((), ("eip",))), **days)


async def spend_voucher(world: World, chance: random.Random, _: int) -> None:
    await execute("UPDATE vouchers SET available_cents = available_cents / 2 WHERE account_id = 'a'")


async def register(world: World, chance: random.Random, number: int) -> None:
    expires = f"2027-0{chance.randint(2, 6)}-{chance.randint(10, 28)}"
    await world.instance(f"new-{number}", mode="AUTO", expires=expires, price="40.00")


async def set_mode(world: World, chance: random.Random, _: int) -> None:
    mode = chance.choice(("AUTO", "AUTO", "MANUAL", "NONE"))
    await execute("UPDATE instances SET renewal_mode = $2 WHERE id = ANY($1)", draw_ids(chance), mode)


async def set_months(world: World, chance: random.Random, _: int) -> None:
    months = chance.choice((1, 2, 3, 12))
    await execute("UPDATE instances SET auto_renew_months = $2 WHERE id = ANY($1)", draw_ids(chance), months)


async def set_price(world: World, chance: random.Random, _: int) -> None:
    price = chance.randint(1, 300) * 100
    sql = "UPDATE instances SET monthly_price_cents = $2, agreed_price_cents = $3 WHERE id = ANY($1)"
    await execute(sql, draw_ids(chance), price, chance.choice((None, price // 2 + 1)))


async def expire(world: World, chance: random.Random, _: int) -> None:
    status = chance.choice(("RUNNING", "RUNNING", "EXPIRED"))
    await execute("UPDATE instances SET status = $2 WHERE id = ANY($1)", draw_ids(chance), status)


async def extend(world: World, chance: random.Random, _: int) -> None:
    sql = "UPDATE instances SET expires_at = expires_at + interval '1 day' * $2 WHERE id = ANY($1)"
    await execute(sql, draw_ids(chance), chance.randint(1, 20))


async def change_tiers(world: World, chance: random.Random, _: int) -> None:
    await execute("UPDATE discount_tiers SET discount_bps = $1", chance.randint(0, 5_000))


async def change_product(world: World, chance: random.Random, _: int) -> None:
    sql = "UPDATE products SET max_term_months = $2 WHERE code = $1"
    await execute(sql, chance.choice(PRODUCTS), chance.choice((1, 12, 36)))


async def update_account(world: World, chance: random.Random, _: int) -> None:
    sql = "UPDATE accounts SET lead_days = $1, price_rise_cap_bps = $2, auto_renew_from = $3 WHERE id = 'a'"
    begins_at = NOW + dt.timedelta(days=chance.choice((-1, -1, 8, 40)))
    await execute(sql, chance.choice((None, 0, 3, 9)), chance.choice((None, 0, 5_000)), begins_at)


async def change_nothing(world: World, chance: random.Random, _: int) -> None:
    pass


CHANGE_FUNCTIONS: Sequence[Change] = (
    top_up, issue_voucher, spend_voucher, register, set_mode, set_months, set_price, expire, extend, change_tiers,
    change_product, update_account, change_nothing, change_nothing, change_nothing,
)  # fmt: skip


async def fill(world: World, chance: random.Random) -> None:
    await world.account("a", balance="400.00")
    for number, instance_id in enumerate(IDS):
        await world.instance(
            instance_id,
            mode=chance.choice(("AUTO", "AUTO", "AUTO", "MANUAL")),
            product=chance.choice(PRODUCTS),
            expires=f"2027-0{1 + number % 4}-{chance.randint(15, 28)}",
            price=f"{chance.randint(1, 90)}.00",
        )


async def compute_without_cache(days: int, now: dt.datetime) -> simulation.Forecast:
    """Return a forecast of exactly `days` days, without the cache, from the data that these days need."""
    async with database.read_snapshot() as connection:
        account = await accounts_repository.read_account(connection, "a")
        return simulation.simulate(await forecast.read_snapshot(connection, account, days, now), days, now)


@pytest.mark.parametrize("seed", cases.long_after(1, range(3)))
async def test_the_cached_forecast_equals_a_new_forecast_after_every_change(
    world: World, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance, now = random.Random(seed), NOW
    await fill(world, chance)
    cache = forecast._cache
    for number in range(CHANGES):
        await chance.choice(CHANGE_FUNCTIONS)(world, chance, number)
        now += dt.timedelta(seconds=chance.choice((0, 0, 1, 600, 3_600, 40_000)))
        days = chance.choice((1, 7, 30, 31, 32, 90, 200, 366))
        reads: Sequence[Callable[[], Awaitable[object]]] = (
            functools.partial(forecast.read_forecast, "a", days, now),
            functools.partial(instance_forecast.read_instance_forecasts, "a", IDS, now),
            functools.partial(calendar_entries.build_calendar, "a", days, now),
        )
        for read in reads:
            cached = await read()
            monkeypatch.setattr(forecast, "_cache", forecasts_cache.ForecastCache())
            assert cached == await read(), number
            monkeypatch.setattr(forecast, "_cache", cache)
        assert await forecast.read_forecast("a", days, now) == await compute_without_cache(days, now)


async def test_the_forecast_of_an_unchanged_account_is_not_computed_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(world, random.Random(1))
    monkeypatch.setattr(forecast, "_cache", forecasts_cache.ForecastCache())
    computed: list[int] = []
    original = simulation.simulate_days

    def run_days(held: simulation.AccountSnapshot, balance_cents: int, days: int, now: dt.datetime) -> object:
        computed.append(days)
        return original(held, balance_cents, days, now)

    monkeypatch.setattr(simulation, "simulate_days", run_days)
    for days in (30, 1, 31, 15):
        await forecast.read_forecast("a", days, NOW + dt.timedelta(seconds=days))
    assert computed == [31]
    await world.top_up("1.00")
    await forecast.read_forecast("a", 30, NOW)
    assert computed == [31, 31]


def test_the_cache_evicts_the_least_recently_used_entry_and_stores_no_too_large_entry() -> None:
    cache: forecasts_cache.ForecastCache[str] = forecasts_cache.ForecastCache(instances_max=100)
    for key in ("a", "b", "c"):
        cache.store(key, "mark", 30, f"of {key}")
    assert cache.find("a", "mark") == "of a"
    cache.store("d", "mark", 30, "of d")
    assert [cache.find(key, "mark") for key in "abcd"] == ["of a", None, "of c", "of d"]
    cache.store("large", "mark", 1_000, "too large")
    assert cache.find("large", "mark") is None
    assert cache.find("a", "another mark") is None
    cache.store("a", "mark", 1_000, "too large")
    assert cache.find("a", "mark") is None
