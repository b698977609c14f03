"""The dates of a term in the account's zone, the agreed price, and the discounts (rules 5, 12, 22)."""

import datetime as dt
from typing import Any

import pytest

from renewals import catalog
from renewals.db import connection as database
from renewals.domain import pricing
from renewals.instances import lifecycle
from tests.support import sql_log
from tests.support.fixtures import World
from tests.support.graphql_client import Client

TERMS = "id expiresOn daysLeft releasesAt agreedPrice monthlyPrice"
ONE = f"query ($id: ID!) {{ instance(id: $id) {{ {TERMS} }} }}"
LIST = f"{{ instances(first: 1000) {{ nodes {{ {TERMS} }} }} }}"


async def terms(client: Client, instance_id: str = "i-1") -> dict[str, Any]:
    """Return the terms of an instance, and check that they are the same in a list."""
    one: dict[str, Any] = (await client(ONE, id=instance_id))["instance"]
    listed = (await client(LIST))["instances"]["nodes"]
    assert one in listed or one["id"] not in [node["id"] for node in listed]
    return one


@pytest.mark.parametrize(
    ("moment", "days"),
    [
        ("2027-01-10 12:00", 21),
        ("2027-01-30 23:59:59", 1),
        ("2027-01-31 00:00", 0),
        ("2027-01-31 23:59:59", 0),
        ("2027-01-31 23:59:59.500000", -1),
        ("2027-02-01 00:00", -1),
        ("2027-02-03 12:00", -3),
    ],
)
async def test_days_are_counted_in_the_accounts_zone_and_negative_once_expired(
    world: World, asked: Client, moment: str, days: int
) -> None:
    await world.instance("i-1", expires="2027-01-31")
    asked.at(world.at(moment))
    one = await terms(asked)
    assert (one["expiresOn"], one["daysLeft"]) == ("2027-01-31", days)
    [status] = (await asked("{ instances { nodes { status } } }"))["instances"]["nodes"]
    assert (status["status"] == "EXPIRED") is (days < 0)


async def test_another_zone_has_other_dates(world: World, graphql: Client) -> None:
    await world.account("ny", zone="America/New_York")
    await world.instance("i-ny", account="ny", expires="2027-01-31")
    graphql.key = await world.key("ny")
    graphql.at(dt.datetime(2027, 2, 1, 4, 0, tzinfo=dt.UTC))
    one = await terms(graphql, "i-ny")
    assert (one["expiresOn"], one["daysLeft"]) == ("2027-01-31", 0)
    for day, ids in (("2027-01-30", []), ("2027-01-31", ["i-ny"]), ("2027-02-01", [])):
        on_day = f'{{expiresOnFrom: "{day}", expiresOnTo: "{day}"}}'
        listed = await graphql(f"{{ instances(filter: {on_day}) {{ nodes {{ id }} }} }}")
        assert [node["id"] for node in listed["instances"]["nodes"]] == ids


async def test_an_instance_without_an_expiry_has_no_dates(world: World, asked: Client) -> None:
    await world.instance("i-1", expires=None)
    one = await terms(asked)
    assert (one["expiresOn"], one["daysLeft"], one["releasesAt"]) == (None, None, None)


async def test_the_release_is_when_the_worker_releases_it(world: World, asked: Client) -> None:
    await world.instance("i-1", expires="2027-01-10")
    assert (await terms(asked))["releasesAt"] == "2027-01-17T15:59:59+00:00", "7 days of retention"
    end = world.end_of("2027-01-17")
    assert (await lifecycle.expire_and_release(end)).released_count == 0
    assert (await lifecycle.expire_and_release(end + dt.timedelta(seconds=1))).released_count == 1
    asked.at(end + dt.timedelta(seconds=2))
    assert (await terms(asked))["releasesAt"] is None


async def test_a_bundle_is_released_after_its_longest_retention(world: World, asked: Client) -> None:
    await world.instance("m-1", bundle="b", product="eip", expires="2027-01-31")
    await world.instance("m-2", bundle="b", product="kec", expires="2027-01-31")
    for member in ("m-1", "m-2"):
        assert (await terms(asked, member))["releasesAt"] == "2028-01-31T15:59:59+00:00"


async def test_the_agreed_price_is_shown_while_the_price_differs(world: World, asked: Client) -> None:
    await world.instance("i-1", price="300.00")
    assert (await terms(asked))["agreedPrice"] is None
    await world.put("i-1", monthly_price_cents=400_00, agreed_price_cents=300_00)
    one = await terms(asked)
    assert (one["agreedPrice"], one["monthlyPrice"]) == ("300.00", "400.00")


async def test_dates_of_a_page_take_a_fixed_number_of_statements(world: World, asked: Client) -> None:
    await world.instances([f"i-{number}" for number in range(30)])
    await world.instances(["m-1", "m-2"], bundle="b")
    nodes = f"nodes {{ {TERMS} product {{ discountTiers {{ months }} }} }}"
    counts = []
    for first in (1, 32):
        with sql_log.counted() as seen:
            await asked(f"{{ instances(first: {first}) {{ {nodes} }} }}")
        counts.append(len(seen))
    assert counts[0] == counts[1], counts


async def test_discounts_come_by_months_as_percent(asked: Client) -> None:
    tiers = tuple(
        pricing.DiscountTier(months, bps)
        for months, bps in [(24, 1_725), (3, 500), (12, 1_250), (6, 0), (36, 10_000)]
    )
    async with database.transaction() as connection:
        await catalog.upsert_products(connection, [catalog.ProductRecord("kec", "K", "K", tiers=tiers)])
    products = (await asked("{ products { code discountTiers { months discountPercent } } }"))["products"]
    by_code = {product["code"]: product["discountTiers"] for product in products}
    assert [(tier["months"], tier["discountPercent"]) for tier in by_code["kec"]] == [
        (3, "5"), (6, "0"), (12, "12.5"), (24, "17.25"), (36, "100"),
    ]  # fmt: skip
    assert by_code["eip"] == [{"months": 12, "discountPercent": "17"}]
    assert by_code["ebs"] == []


async def test_discounts_are_listed_below_an_instance_too(world: World, asked: Client) -> None:
    await world.instance("i-1", product="eip")
    listed = await asked("{ instances { nodes { product { name discountTiers { discountPercent } } } } }")
    assert listed["instances"]["nodes"] == [
        {"product": {"name": "Elastic IP", "discountTiers": [{"discountPercent": "17"}]}}
    ]
