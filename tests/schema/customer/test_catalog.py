"""The catalog: products with the reasons of unsupported ones, and data centers (rule 2)."""

import pytest

from renewals import catalog
from renewals.db import connection as database
from tests.support import sql_log
from tests.support.fixtures import World
from tests.support.graphql_client import Client


async def test_products_are_sorted_by_code_and_unsupported_products_have_a_reason(client: Client) -> None:
    listed = (await client("{ products { code name nameZh renewable unsupportedReason } }"))["products"]
    assert [product["code"] for product in listed] == ["cert", "ddos", "ebs", "eip", "kec", "kes"]
    assert listed[0] == {
        "code": "cert",
        "name": "Certificates",
        "nameZh": "证书管理",
        "renewable": False,
        "unsupportedReason": "Resubmit.",
    }
    assert [product["code"] for product in listed if not product["renewable"]] == ["cert", "ddos"]
    assert {product["unsupportedReason"] for product in listed if product["renewable"]} == {None}


async def test_data_centers_are_sorted_by_code_and_have_their_type(client: Client) -> None:
    listed = await client("{ dataCenters { code name type { code name nameZh } } dataCenterTypes { code } }")
    centers = listed["dataCenters"]
    assert [(center["code"], center["name"], center["type"]["code"]) for center in centers] == [
        ("bj-1", "北京1区", "CLASSIC"),
        ("bj-6", "北京6区(VPC)", "VPC"),
        ("gz-edge", "广州边缘", "EDGE"),
        ("sh-own", "上海专属", "DEDICATED"),
    ]
    assert centers[0]["type"] == {"code": "CLASSIC", "name": "Classic network", "nameZh": "经典网络"}
    assert [center_type["code"] for center_type in listed["dataCenterTypes"]] == [
        "CLASSIC",
        "DEDICATED",
        "EDGE",
        "VPC",
    ]


async def test_instances_can_be_filtered_and_counted_by_a_new_type_of_data_center(
    world: World, client: Client
) -> None:
    new_type = catalog.DataCenterTypeRecord("GPU_PARK", "GPU park", "智算中心")
    async with database.transaction() as connection:
        await catalog.upsert_data_center_types(connection, [new_type])
        await catalog.upsert_data_centers(
            connection, [catalog.DataCenterRecord("nx-1", "宁夏1区", new_type.code)]
        )
    await world.instance("i-1", data_center="nx-1")
    await world.instance("i-2", data_center="bj-1")
    listed = await client("""{ instances(filter: {dataCenterTypes: ["GPU_PARK"]}) {
      nodes { id dataCenter { type { nameZh } } } facets { dataCenterTypes { value count } } } }""")
    assert listed["instances"]["nodes"] == [{"id": "i-1", "dataCenter": {"type": {"nameZh": "智算中心"}}}]
    assert listed["instances"]["facets"]["dataCenterTypes"] == [
        {"value": "CLASSIC", "count": 1},
        {"value": "GPU_PARK", "count": 1},
    ]


@pytest.mark.parametrize(
    ("language", "reasons"),
    [
        ("en", {"cert": "Resubmit.", "ddos": "Not needed.", "eip": "只有中文。"}),
        ("zh-CN,en;q=0.5", {"cert": "需重新提交。", "ddos": "English only.", "eip": "只有中文。"}),
        ("fr", {"cert": "Resubmit.", "ddos": "Not needed.", "eip": "只有中文。"}),
    ],
)
async def test_an_unsupported_reason_is_in_the_caller_s_language_or_else_in_the_other_language(
    client: Client, world: World, language: str, reasons: dict[str, str]
) -> None:
    products = [catalog.ProductRecord("eip", "Elastic IP", "弹性IP", unsupported_reason_zh="只有中文。")]
    if "zh" in language:
        products.append(catalog.ProductRecord("ddos", "DDoS", "高防IP", unsupported_reason="English only."))
    async with database.transaction() as connection:
        await catalog.upsert_products(connection, products)
    await world.instance("i-1", product="cert")
    query = """{ products { code unsupportedReason }
      instances(filter: {manageable: false}) { nodes { product { code unsupportedReason } } } }"""
    headers = {"Authorization": f"Bearer {client.key}", "Accept-Language": language}
    data = (await client.http.post(client.url, json={"query": query}, headers=headers)).json()["data"]
    listed = {product["code"]: product["unsupportedReason"] for product in data["products"]}
    assert {code: reason for code, reason in listed.items() if reason} == reasons
    [node] = data["instances"]["nodes"]
    assert node["product"] == {"code": "cert", "unsupportedReason": reasons["cert"]}


async def test_an_instance_is_not_manageable_once_its_product_is_marked_as_unsupported(
    world: World, client: Client
) -> None:
    query = "{ instances { nodes { id product { unsupportedReason } } } }"
    await world.instance("i-1", product="eip")
    assert (await client(query))["instances"]["nodes"] == [
        {"id": "i-1", "product": {"unsupportedReason": None}}
    ]
    unsupported_product = catalog.ProductRecord(
        "eip", "Elastic IP", "弹性IP", unsupported_reason="Ended. 下线"
    )
    async with database.transaction() as connection:
        await catalog.upsert_products(connection, [unsupported_product])
    assert (await client(query))["instances"]["nodes"] == []
    not_manageable = query.replace("instances", "instances(filter: {manageable: false})", 1)
    assert (await client(not_manageable))["instances"]["nodes"] == [
        {"id": "i-1", "product": {"unsupportedReason": "Ended. 下线"}}
    ]


async def test_products_and_data_centers_are_each_read_in_one_statement(client: Client) -> None:
    with sql_log.counted() as seen:
        await client("{ products { code } dataCenters { code } }")
    assert len(seen) == 3  # the key's account, the products, the data centers


@pytest.mark.parametrize(("language", "reason"), [("en", "Resubmit."), ("zh", "需重新提交。")])
async def test_a_refusal_has_the_reason_of_its_unsupported_product_in_the_caller_s_language(
    client: Client, world: World, language: str, reason: str
) -> None:
    await world.instance("i-1", product="cert")
    query = (
        """{ quoteRenewal(input: {selection: {ids: ["i-1"]}, months: 1}) { refusals { code message } } }"""
    )
    headers = {"Authorization": f"Bearer {client.key}", "Accept-Language": language}
    data = (await client.http.post(client.url, json={"query": query}, headers=headers)).json()["data"]
    assert data["quoteRenewal"]["refusals"] == [{"code": "UNSUPPORTED_PRODUCT", "message": reason}]
