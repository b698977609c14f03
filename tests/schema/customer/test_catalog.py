"""The catalog: products with the reasons of unsupported ones, and data centers (rule 2)."""

import pytest

from renewals import catalog
from renewals.db import connection as database
from tests.support import sql_log
from tests.support.fixtures import World
from tests.support.graphql_client import Client


async def test_products_come_by_code_and_the_unsupported_say_why(asked: Client) -> None:
    listed = (await asked("{ products { code name nameZh renewable unsupportedReason } }"))["products"]
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


async def test_data_centers_come_by_code_with_their_type(asked: Client) -> None:
    listed = await asked("{ dataCenters { code name type { code name nameZh } } dataCenterTypes { code } }")
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


async def test_a_type_of_the_providers_own_is_a_row_of_the_catalogue(world: World, asked: Client) -> None:
    own = catalog.DataCenterTypeRecord("GPU_PARK", "GPU park", "智算中心")
    async with database.transaction() as connection:
        await catalog.upsert_data_center_types(connection, [own])
        await catalog.upsert_data_centers(connection, [catalog.DataCenterRecord("nx-1", "宁夏1区", own.code)])
    await world.instance("i-1", data_center="nx-1")
    await world.instance("i-2", data_center="bj-1")
    listed = await asked("""{ instances(filter: {dataCenterTypes: ["GPU_PARK"]}) {
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
async def test_a_reason_is_in_the_callers_language_or_else_in_the_other(
    asked: Client, world: World, language: str, reasons: dict[str, str]
) -> None:
    products = [catalog.ProductRecord("eip", "Elastic IP", "弹性IP", unsupported_reason_zh="只有中文。")]
    if "zh" in language:
        products.append(catalog.ProductRecord("ddos", "DDoS", "高防IP", unsupported_reason="English only."))
    async with database.transaction() as connection:
        await catalog.upsert_products(connection, products)
    await world.instance("i-1", product="cert")
    query = """{ products { code unsupportedReason }
      instances(filter: {manageable: false}) { nodes { product { code unsupportedReason } } } }"""
    headers = {"Authorization": f"Bearer {asked.key}", "Accept-Language": language}
    answer = (await asked.http.post(asked.url, json={"query": query}, headers=headers)).json()["data"]
    listed = {product["code"]: product["unsupportedReason"] for product in answer["products"]}
    assert {code: reason for code, reason in listed.items() if reason} == reasons
    [node] = answer["instances"]["nodes"]
    assert node["product"] == {"code": "cert", "unsupportedReason": reasons["cert"]}


async def test_support_is_a_row_of_the_catalogue(world: World, asked: Client) -> None:
    listed = "{ instances { nodes { id product { unsupportedReason } } } }"
    await world.instance("i-1", product="eip")
    assert (await asked(listed))["instances"]["nodes"] == [
        {"id": "i-1", "product": {"unsupportedReason": None}}
    ]
    ended = catalog.ProductRecord("eip", "Elastic IP", "弹性IP", unsupported_reason="Ended. 下线")
    async with database.transaction() as connection:
        await catalog.upsert_products(connection, [ended])
    assert (await asked(listed))["instances"]["nodes"] == []
    left_out = listed.replace("instances", "instances(filter: {manageable: false})", 1)
    assert (await asked(left_out))["instances"]["nodes"] == [
        {"id": "i-1", "product": {"unsupportedReason": "Ended. 下线"}}
    ]


async def test_each_catalogue_is_one_statement(asked: Client) -> None:
    with sql_log.counted() as seen:
        await asked("{ products { code } dataCenters { code } }")
    assert len(seen) == 3  # the key's account, the products, the data centers


@pytest.mark.parametrize(("language", "reason"), [("en", "Resubmit."), ("zh", "需重新提交。")])
async def test_a_refusal_gives_the_products_reason_in_the_callers_language(
    asked: Client, world: World, language: str, reason: str
) -> None:
    await world.instance("i-1", product="cert")
    query = (
        """{ quoteRenewal(input: {selection: {ids: ["i-1"]}, months: 1}) { refusals { code message } } }"""
    )
    headers = {"Authorization": f"Bearer {asked.key}", "Accept-Language": language}
    answer = (await asked.http.post(asked.url, json={"query": query}, headers=headers)).json()["data"]
    assert answer["quoteRenewal"]["refusals"] == [{"code": "UNSUPPORTED_PRODUCT", "message": reason}]
