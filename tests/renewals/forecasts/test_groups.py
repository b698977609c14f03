"""The groups of a forecast add up to its total, by any property (rule 36)."""

import random

import pytest

from renewals.db import connection as database
from renewals.domain import errors
from renewals.forecasts import forecast, groups
from renewals.forecasts.groups import ForecastGrouping
from tests.support.fixtures import World

NOON = "2027-01-20 12:00"


async def group(
    world: World, by: ForecastGrouping, tag_key: str | None = None, *, days: int, now: str
) -> list[groups.ForecastGroup]:
    at = world.at(now)
    simulated = await forecast.read_forecast("a", days, at)
    grouped = await groups.group_forecast(database.pool(), "a", simulated, by, tag_key)
    assert sum(entry.total_cents for entry in grouped) == simulated.total_cents
    assert sum(entry.due_count for entry in grouped) == sum(day.due_count for day in simulated.days)
    assert len({entry.value for entry in grouped}) == len(grouped)
    return grouped


@pytest.mark.parametrize("seed", range(8))
async def test_the_groups_of_a_random_account_add_up_to_the_total(world: World, seed: int) -> None:
    rng = random.Random(seed)
    await world.account("a", balance=rng.choice(["0.00", "500.00", "100000.00"]))
    await world.account("b", balance="100.00")
    for number in range(25):
        await world.instance(
            f"i-{number}",
            account=rng.choice(["a", "a", "a", "b"]),
            expires=f"2027-0{rng.randint(1, 3)}-{rng.randint(21, 28)}",
            mode=rng.choice(["AUTO", "AUTO", "MANUAL"]),
            months=rng.choice([1, 1, 3, 36]),
            price=f"{rng.randint(0, 90000) / 100:.2f}",
            product=rng.choice(["eip", "kec", "ebs", "ddos"]),
            data_center=rng.choice(["bj-6", "bj-1", "gz-edge"]),
            tags={key: rng.choice(["", "x", "y"]) for key in ("env", "team") if rng.random() < 0.6},
        )
    for days in (1, 10, 40, 366):
        for by, key in (
            (ForecastGrouping.PRODUCT, None),
            (ForecastGrouping.DATA_CENTER, None),
            (ForecastGrouping.TAG, "env"),
            (ForecastGrouping.TAG, "none"),
        ):
            await group(world, by, key, days=days, now=NOON)


async def test_each_tag_value_is_a_group_and_instances_without_the_tag_are_in_the_empty_group(
    world: World,
) -> None:
    await world.account("a", balance="100.00")
    await world.instance("i-1", expires="2027-01-31", mode="AUTO", price="100.00", tags={"env": "prod"})
    await world.instance("i-2", expires="2027-01-31", mode="AUTO", price="30.00", tags={"env": ""})
    await world.instance("i-3", expires="2027-02-10", mode="AUTO", price="5.00", product="kec")
    await world.instance("i-4", expires="2027-01-31", mode="MANUAL", price="7.00", tags={"env": "test"})
    tagged = await group(world, ForecastGrouping.TAG, "env", days=40, now=NOON)
    assert [(entry.value, entry.due_count, entry.total_cents) for entry in tagged] == [
        ("prod", 2, 200_00),
        ("", 2, 35_00),
    ]
    products = await group(world, ForecastGrouping.PRODUCT, days=40, now=NOON)
    assert [(entry.value, entry.name, entry.name_zh, entry.total_cents) for entry in products] == [
        ("eip", "Elastic IP", "弹性IP", 230_00),
        ("kec", "Elastic Compute", "云服务器", 5_00),
    ]


@pytest.mark.parametrize("key", [None, "", "k" * 65, "\0"])
async def test_a_grouping_by_tag_without_a_valid_key_is_refused(world: World, key: str | None) -> None:
    await world.account("a")
    with pytest.raises(errors.InvalidInputError, match=r"^tagKey: "):
        await group(world, ForecastGrouping.TAG, key, days=30, now=NOON)


async def test_a_grouping_by_a_tag_with_too_many_values_is_refused(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(groups, "GROUPS_MAX", 2)
    await world.account("a")
    for number in range(3):
        await world.instance(f"i-{number}", mode="AUTO", tags={"n": str(number)})
    with pytest.raises(errors.InvalidInputError, match=r"^tagKey: has more than 2 values"):
        await group(world, ForecastGrouping.TAG, "n", days=30, now=NOON)
    assert len(await group(world, ForecastGrouping.PRODUCT, days=30, now=NOON)) == 1


async def test_a_grouping_by_a_property_with_too_many_values_is_refused(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(groups, "GROUPS_MAX", 1)
    await world.account("a")
    await world.instance("i-1", mode="AUTO", product="eip")
    await world.instance("i-2", mode="AUTO", product="kec", data_center="gz-edge")
    for by in (ForecastGrouping.PRODUCT, ForecastGrouping.DATA_CENTER):
        with pytest.raises(
            errors.InvalidInputError, match=r"^by: divides the due instances into more than 1 groups"
        ):
            await group(world, by, "n", days=30, now=NOON)
