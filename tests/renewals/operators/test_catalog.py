"""Test putProducts, putDataCenterTypes and putDataCenters: each writes all entries of a request, or none."""

from typing import Any

import pytest

from tests.support.fixtures import DATA_CENTERS, PRODUCTS, World
from tests.support.operator_client import Operator

COUNTS = "{ createdCount changedCount unchangedCount }"


def product(code: str = "gpu", **about: Any) -> dict[str, Any]:
    return {"code": code, "name": "GPU", "nameZh": "图形", **about}


async def test_put_products_counts_created_changed_and_unchanged_products(
    world: World, operator: Operator
) -> None:
    tiers = [{"months": 24, "discountPercent": "33.33"}, {"months": 12, "discountPercent": "17"}]
    result = await operator.done(
        "putProducts",
        COUNTS,
        products=[
            product(tiers=tiers, maxTermMonths=60, retentionDays=0),
            product("eip", unsupportedReason="No more."),
            {"code": "ebs", "name": "Elastic Block Storage", "nameZh": "云硬盘"},
        ],
    )
    assert result == {"createdCount": 1, "changedCount": 1, "unchangedCount": 1}
    listed = (
        await operator("""{ products { code name nameZh renewable unsupportedReason maxTermMonths retentionDays
      tiers { months discountPercent } } }""")
    )["products"]
    products = {product["code"]: product for product in listed}
    assert len(products) == len(PRODUCTS) + 1
    assert products["gpu"] == {
        "code": "gpu",
        "name": "GPU",
        "nameZh": "图形",
        "renewable": True,
        "unsupportedReason": None,
        "maxTermMonths": 60,
        "retentionDays": 0,
        "tiers": [{"months": 12, "discountPercent": "17.00"}, {"months": 24, "discountPercent": "33.33"}],
    }
    assert (products["eip"]["renewable"], products["eip"]["tiers"]) == (False, [])


@pytest.mark.parametrize(
    "reasons",
    [
        {"unsupportedReason": "No more.", "unsupportedReasonZh": "已下线。"},
        {"unsupportedReason": "No more.", "unsupportedReasonZh": None},
        {"unsupportedReason": None, "unsupportedReasonZh": "已下线。"},
    ],
)
async def test_a_product_with_an_unsupported_reason_in_either_language_is_not_renewable(
    world: World, operator: Operator, reasons: dict[str, Any]
) -> None:
    await operator.done("putProducts", products=[product("eip", **reasons)])
    listed = (await operator("{ products { code renewable unsupportedReason unsupportedReasonZh } }"))[
        "products"
    ]
    assert {"code": "eip", "renewable": False, **reasons} in listed
    await operator.done("putProducts", products=[product("eip")])
    listed = (await operator("{ products { code renewable unsupportedReasonZh } }"))["products"]
    assert {"code": "eip", "renewable": True, "unsupportedReasonZh": None} in listed


@pytest.mark.parametrize(
    ("about", "field"),
    [
        ({"code": ""}, "code"),
        ({"code": "\0"}, "code"),
        ({"code": "good"}, "code"),
        ({"name": ""}, "name"),
        ({"nameZh": "\n"}, "nameZh"),
        ({"unsupportedReason": ""}, "unsupportedReason"),
        ({"unsupportedReasonZh": "\n"}, "unsupportedReasonZh"),
        ({"maxTermMonths": 0}, "maxTermMonths"),
        ({"maxTermMonths": 121}, "maxTermMonths"),
        ({"retentionDays": -1}, "retentionDays"),
        ({"retentionDays": 3651}, "retentionDays"),
        ({"tiers": [{"months": 0, "discountPercent": "1"}]}, "tiers.0.months"),
        ({"tiers": [{"months": 1, "discountPercent": "100.01"}]}, "tiers.0.discountPercent"),
        ({"tiers": [{"months": 1, "discountPercent": "-1"}]}, "tiers.0.discountPercent"),
        ({"tiers": [{"months": 1, "discountPercent": "1"}] * 2}, "tiers"),
    ],
)
async def test_no_product_of_a_request_is_written_if_a_product_is_invalid(
    world: World, operator: Operator, about: dict[str, Any], field: str
) -> None:
    before = await world.snapshot()
    result = await operator.refused("putProducts", products=[product("good"), product(**about)])
    assert result[:2] == ("InvalidInput", f"input.products.1.{field}")
    assert await world.snapshot() == before


async def test_put_data_centers_counts_created_changed_and_unchanged_data_centers(
    world: World, operator: Operator
) -> None:
    result = await operator.done(
        "putDataCenters",
        COUNTS,
        dataCenters=[
            {"code": "new", "name": "新", "type": "EDGE"},
            {"code": "bj-1", "name": "北京1区", "type": "VPC"},
            {"code": "bj-6", "name": "北京6区(VPC)", "type": "VPC"},
        ],
    )
    assert result == {"createdCount": 1, "changedCount": 1, "unchangedCount": 1}
    listed = (await operator("{ dataCenters { code type { code } } }"))["dataCenters"]
    assert len(listed) == len(DATA_CENTERS) + 1
    assert {"code": "bj-1", "type": {"code": "VPC"}} in listed


async def test_put_data_center_types_counts_created_changed_and_unchanged_types(
    world: World, operator: Operator
) -> None:
    result = await operator.done(
        "putDataCenterTypes",
        COUNTS,
        dataCenterTypes=[
            {"code": "GPU_PARK", "name": "GPU park", "nameZh": "智算中心"},
            {"code": "VPC", "name": "Private network", "nameZh": "专有网络"},
            {"code": "EDGE", "name": "Edge", "nameZh": "边缘节点"},
        ],
    )
    assert result == {"createdCount": 1, "changedCount": 1, "unchangedCount": 1}
    listed = (await operator("{ dataCenterTypes { code name nameZh } }"))["dataCenterTypes"]
    assert [entry["code"] for entry in listed] == ["CLASSIC", "DEDICATED", "EDGE", "GPU_PARK", "VPC"]
    assert listed[-1] == {"code": "VPC", "name": "Private network", "nameZh": "专有网络"}
    [entry] = await world.rows("SELECT before, after FROM audit_log")
    assert '"Virtual private cloud"' in entry[0] and '"Private network"' in entry[1]


@pytest.mark.parametrize(
    ("about", "field"), [({"code": "\n"}, "code"), ({"name": ""}, "name"), ({"nameZh": ""}, "nameZh")]
)
async def test_no_data_center_type_of_a_request_is_written_if_a_type_is_invalid(
    world: World, operator: Operator, about: dict[str, Any], field: str
) -> None:
    before = await world.snapshot()
    good = {"code": "good", "name": "Good", "nameZh": "好"}
    types = [good, {**good, "code": "x", **about}]
    result = await operator.refused("putDataCenterTypes", dataCenterTypes=types)
    assert result[:2] == ("InvalidInput", f"input.dataCenterTypes.1.{field}")
    assert await world.snapshot() == before


@pytest.mark.parametrize(
    ("about", "field"), [({"code": "\n"}, "code"), ({"name": ""}, "name"), ({"type": "MOON"}, "type")]
)
async def test_no_data_center_of_a_request_is_written_if_a_data_center_is_invalid(
    world: World, operator: Operator, about: dict[str, Any], field: str
) -> None:
    before = await world.snapshot()
    good = {"code": "good", "name": "Good", "type": "VPC"}
    result = await operator.refused("putDataCenters", dataCenters=[good, {**good, "code": "x", **about}])
    assert result[:2] == ("InvalidInput", f"input.dataCenters.1.{field}")
    result = await operator.refused("putDataCenters", dataCenters=[good, good])
    assert result[:2] == ("InvalidInput", "input.dataCenters.1.code")
    assert (await operator.refused("putDataCenters", dataCenters=[]))[1] == "input.dataCenters"
    assert (await operator.refused("putProducts", products=[]))[1] == "input.products"
    assert await world.snapshot() == before
