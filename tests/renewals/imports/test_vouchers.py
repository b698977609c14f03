"""`renewals import vouchers`: each voucher is issued once."""

import pytest

from tests.renewals.imports.conftest import RunImport, counts, jsonl_of, problems, read_value, snapshot
from tests.support.cli import Renewals, query

HEAD = "accountId,id,faceValue,expiresAt,products"
UNTIL = "2099-12-31T23:59:59+08:00"


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_an_import_issues_each_voucher_once(
    run_import: RunImport, url: str, renewals: Renewals, suffix: str
) -> None:
    known = "0b0ee0d5-6f5b-4d0e-9d0c-3c1c0a8a7a52"
    if suffix == "csv":
        text = f"{HEAD}\na,V-1,100.00,{UNTIL},eip;kec\nb,{known},50,{UNTIL},\n"
    else:
        expiry = {"expiresAt": UNTIL}
        first = {"accountId": "a", "id": "V-1", "faceValue": "100.00", "products": ["eip", "kec"], **expiry}
        text = jsonl_of([first, {"accountId": "b", "id": known, "faceValue": 50, **expiry}])
    name = f"vouchers.{suffix}"
    assert counts(run_import("vouchers", text, name=name)) == (2, 0, 0, 0)
    columns = "account_id, face_cents, available_cents, expires_at::text, product_codes"
    assert query(url, f"SELECT {columns} FROM vouchers ORDER BY account_id") == [
        ("a", 10000, 10000, "2099-12-31 15:59:59+00", ["eip", "kec"]),
        ("b", 5000, 5000, "2099-12-31 15:59:59+00", []),
    ]
    assert str(read_value(url, "SELECT id FROM vouchers WHERE account_id = 'b'")) == known
    assert query(url, "SELECT action, account_ids FROM audit_log") == [("ISSUE_VOUCHERS", ["a", "b"])]
    assert renewals("verify", DATABASE_URL=url).exit_code == 0
    before = snapshot(url)
    assert counts(run_import("vouchers", text, name=name)) == (0, 0, 2, 0)
    assert snapshot(url) == before


def test_each_invalid_voucher_is_reported_and_the_valid_voucher_is_issued(
    run_import: RunImport, url: str
) -> None:
    run_import("vouchers", f"{HEAD}\na,V-1,100.00,{UNTIL},\n")
    lines = [
        f"b,V-1,100.00,{UNTIL},",
        f"a,V-2,0,{UNTIL},",
        "a,V-3,1.00,2020-01-01T00:00:00Z,",
        f"a,V-4,1.00,{UNTIL},eip;moon",
        f"nobody,V-5,1.00,{UNTIL},",
        f"a,V-6,1.00,{UNTIL},",
        f"a,V-6,1.00,{UNTIL},",
        f"a,,1.00,{UNTIL},",
        "a,V-8,1.00,2099-12-31,",
    ]
    result = run_import("vouchers", "\n".join([HEAD, *lines]))
    assert counts(result) == (1, 0, 0, 8)
    assert [" ".join(line.split(" ")[:2]) for line in problems(result)] == [
        "2: id:", "3: faceValue:", "4: expiresAt:", "5: products:", "6: accountId:", "8: id:", "9: id:",
        "10: expiresAt:",
    ]  # fmt: skip
    assert read_value(url, "SELECT count(*) FROM vouchers") == 2
