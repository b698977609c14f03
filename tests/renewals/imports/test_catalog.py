"""`renewals import catalogue`: products, data centers and their types, with the column `kind`."""

import pytest

from tests.renewals.imports.conftest import RunImport, counts, jsonl_of, problems, read_value, snapshot
from tests.support.cli import query

HEAD = "kind,code,name,nameZh,unsupportedReason,maxTermMonths,retentionDays,tiers,type"


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_an_import_creates_and_changes_products_data_centers_and_their_types(
    run_import: RunImport, url: str, suffix: str
) -> None:
    if suffix == "csv":
        product_line = "PRODUCT,gpu,GPU server,GPU云服务器,,24,0,24:20%;12:17.5%,"
        text = f"{HEAD}\n{product_line}\nDATA_CENTER,bj-9,北京9区,,,,,,GPU_PARK\n"
        text += "DATA_CENTER_TYPE,GPU_PARK,GPU park,智算中心,,,,,\n"
    else:
        tiers = [{"months": 24, "discountPercent": 20}, {"months": 12, "discountPercent": "17.5"}]
        product = {
            "kind": "PRODUCT",
            "code": "gpu",
            "name": "GPU server",
            "nameZh": "GPU云服务器",
            "tiers": tiers,
        }
        center = {"kind": "DATA_CENTER", "code": "bj-9", "name": "北京9区", "type": "GPU_PARK"}
        center_type = {
            "kind": "DATA_CENTER_TYPE",
            "code": "GPU_PARK",
            "name": "GPU park",
            "nameZh": "智算中心",
        }
        text = jsonl_of([{**product, "maxTermMonths": 24, "retentionDays": 0}, center, center_type])
    name = f"catalogue.{suffix}"
    assert counts(run_import("catalogue", text, name=name)) == (3, 0, 0, 0)
    assert query(
        url,
        """SELECT name, name_zh, renewable, max_term_months, retention_days,
             array(SELECT (months, discount_bps)::text FROM discount_tiers WHERE product_code = 'gpu' ORDER BY months)
           FROM products WHERE code = 'gpu'""",
    ) == [("GPU server", "GPU云服务器", True, 24, 0, ["(12,1750)", "(24,2000)"])]
    assert query(url, "SELECT name, type_code FROM data_centers WHERE code = 'bj-9'") == [
        ("北京9区", "GPU_PARK")
    ]
    assert query(url, "SELECT action FROM audit_log ORDER BY id") == [
        ("PUT_PRODUCTS",),
        ("PUT_DATA_CENTER_TYPES",),
        ("PUT_DATA_CENTERS",),
    ]
    before = snapshot(url)
    assert counts(run_import("catalogue", text, name=name)) == (0, 0, 3, 0)
    assert snapshot(url) == before
    assert counts(run_import("catalogue", text.replace("GPU server", "GPU"), name=name)) == (0, 1, 2, 0)


def test_each_invalid_catalog_line_is_reported_and_the_valid_lines_are_imported(
    run_import: RunImport, url: str
) -> None:
    lines = [
        "PRODUCT,p-1,P,,,,,,",
        "PRODUCT,p-2,P,中,,,,,VPC",
        "DATA_CENTER,d-1,D,,,,,,",
        "DATA_CENTER,d-2,D,,,,,12:17%,VPC",
        "SHOP,p-3,P,中,,,,,",
        "PRODUCT,p-4,P,中,,0,,,",
        "PRODUCT,p-5,P,中,,,,12:17%;12:20%,",
        "PRODUCT,p-6,P,中,,,,a year,",
        "PRODUCT,p-7,P,中,,,,12:101%,",
        "PRODUCT,p-8,P,中,Not served,,,,",
        "DATA_CENTER,p-8,The same code is another list,,,,,,VPC",
        "DATA_CENTER,d-3,D,,,,,,MOON",
        "DATA_CENTER,d-4,D,中,,,,,VPC",
        "DATA_CENTER_TYPE,t-1,T,,,,,,",
        "DATA_CENTER_TYPE,t-2,T,中,,,,,VPC",
    ]
    result = run_import("catalogue", "\n".join([HEAD, *lines]))
    assert counts(result) == (2, 0, 0, 13)
    assert [line.split(" ")[1].rstrip(":") for line in problems(result)] == [
        "nameZh", "type", "type", "tiers", "kind", "maxTermMonths", "tiers", "tiers", "tiers",
        "type", "nameZh", "nameZh", "type",
    ]  # fmt: skip
    assert read_value(url, "SELECT renewable FROM products WHERE code = 'p-8'") is False
