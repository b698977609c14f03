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


async def read_terms(client: Client, instance_id: str = "i-1") -> dict[str, Any]:
    """Return the terms of an instance, and check that they are the same in a list."""
    instance: dict[str, Any] = (await client(ONE, id=instance_id))["instance"]
    listed = (await client(LIST))["instances"]["nodes"]
    assert instance in listed or instance["id"] not in [node["id"] for node in listed]
    return instance


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
async def test_the_days_left_are_counted_in_the_account_s_time_zone_and_negative_after_the_expiry(
    world: World, client: Client, moment: str, days: int
) -> None:
    await world.instance("i-1", expires="2027-01-31")
    client.at(world.at(moment))
    instance = await read_terms(client)
    assert (instance["expiresOn"], instance["daysLeft"]) == ("2027-01-31", days)
    [status] = (await client("{ instances { nodes { status } } }"))["instances"]["nodes"]
    assert (status["status"] == "EXPIRED") is (days < 0)


async def test_the_last_day_of_an_instance_is_a_date_in_the_account_s_time_zone(
    world: World, graphql: Client
) -> None:
    await world.account("ny", zone="America/New_York")
    await world.instance("i-ny", account="ny", expires="2027-01-31")
    graphql.key = await world.key("ny")
    graphql.at(dt.datetime(2027, 2, 1, 4, 0, tzinfo=dt.UTC))
    instance = await read_terms(graphql, "i-ny")
    assert (instance["expiresOn"], instance["daysLeft"]) == ("2027-01-31", 0)
    for day, ids in (("2027-01-30", []), ("2027-01-31", ["i-ny"]), ("2027-02-01", [])):
        on_day = f'{{expiresOnFrom: "{day}", expiresOnTo: "{day}"}}'
        listed = await graphql(f"{{ instances(filter: {on_day}) {{ nodes {{ id }} }} }}")
        assert [node["id"] for node in listed["instances"]["nodes"]] == ids


async def test_an_instance_without_an_expiry_has_no_last_day_no_days_left_and_no_release(
    world: World, client: Client
) -> None:
    await world.instance("i-1", expires=None)
    instance = await read_terms(client)
    assert (instance["expiresOn"], instance["daysLeft"], instance["releasesAt"]) == (None, None, None)


async def test_releases_at_is_the_instant_after_which_the_worker_releases_an_instance(
    world: World, client: Client
) -> None:
    await world.instance("i-1", expires="2027-01-10")
    assert (await read_terms(client))["releasesAt"] == "2027-01-17T15:59:59+00:00", "7 days of retention"
    end = world.end_of("2027-01-17")
    assert (await lifecycle.expire_and_release(end)).released_count == 0
    assert (await lifecycle.expire_and_release(end + dt.timedelta(seconds=1))).released_count == 1
    client.at(end + dt.timedelta(seconds=2))
    assert (await read_terms(client))["releasesAt"] is None


async def test_a_bundle_is_released_after_its_longest_retention(world: World, client: Client) -> None:
    await world.instance("m-1", bundle="b", product="eip", expires="2027-01-31")
    await world.instance("m-2", bundle="b", product="kec", expires="2027-01-31")
    for member in ("m-1", "m-2"):
        assert (await read_terms(client, member))["releasesAt"] == "2028-01-31T15:59:59+00:00"


async def test_the_agreed_price_is_shown_while_the_price_differs(world: World, client: Client) -> None:
    await world.instance("i-1", price="300.00")
    assert (await read_terms(client))["agreedPrice"] is None
    await world.put("i-1", monthly_price_cents=400_00, agreed_price_cents=300_00)
    instance = await read_terms(client)
    assert (instance["agreedPrice"], instance["monthlyPrice"]) == ("300.00", "400.00")


async def test_dates_of_a_page_take_a_fixed_number_of_statements(world: World, client: Client) -> None:
    await world.instances([f"i-{number}" for number in range(30)])
    await world.instances(["m-1", "m-2"], bundle="b")
    nodes = f"nodes {{ {TERMS} product {{ discountTiers {{ months }} }} }}"
    counts = []
    for first in (1, 32):
        with sql_log.counted() as seen:
            await client(f"{{ instances(first: {first}) {{ {nodes} }} }}")
        counts.append(len(seen))
    assert counts[0] == counts[1], counts


async def test_discount_tiers_are_sorted_by_months_with_the_discounts_in_percent(client: Client) -> None:
    tiers = tuple(
        pricing.DiscountTier(months, bps)
        for months, bps in [(24, 1_725), (3, 500), (12, 1_250), (6, 0), (36, 10_000)]
    )
    async with database.transaction() as connection:
        await catalog.upsert_products(connection, [catalog.ProductRecord("kec", "K", "K", tiers=tiers)])
    products = (await client("{ products { code discountTiers { months discountPercent } } }"))["products"]
    by_code = {product["code"]: product["discountTiers"] for product in products}
    assert [(tier["months"], tier["discountPercent"]) for tier in by_code["kec"]] == [
        (3, "5"), (6, "0"), (12, "12.5"), (24, "17.25"), (36, "100"),
    ]  # fmt: skip
    assert by_code["eip"] == [{"months": 12, "discountPercent": "17"}]
    assert by_code["ebs"] == []


async def test_the_product_of_an_instance_has_its_discount_tiers(world: World, client: Client) -> None:
    await world.instance("i-1", product="eip")
    listed = await client("{ instances { nodes { product { name discountTiers { discountPercent } } } } }")
    assert listed["instances"]["nodes"] == [
        {"product": {"name": "Elastic IP", "discountTiers": [{"discountPercent": "17"}]}}
    ]
