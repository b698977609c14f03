"""The catalog: products with the reasons of unsupported ones, and data centers (rule 2)."""

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
        "unsupportedReason": "Resubmit. 重新提交",
    }
    assert [product["code"] for product in listed if not product["renewable"]] == ["cert", "ddos"]
    assert {product["unsupportedReason"] for product in listed if product["renewable"]} == {None}


async def test_data_centers_come_by_code_with_their_type(asked: Client) -> None:
    assert (await asked("{ dataCenters { code name type } }"))["dataCenters"] == [
        {"code": "bj-1", "name": "北京1区", "type": "CLASSIC"},
        {"code": "bj-6", "name": "北京6区(VPC)", "type": "VPC"},
        {"code": "gz-edge", "name": "广州边缘", "type": "EDGE"},
        {"code": "sh-own", "name": "上海专属", "type": "DEDICATED"},
    ]


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
    assert len(seen) == 3  # the key's account, the products, the data centres
