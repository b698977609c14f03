"""`renewals import accounts` creates each account once, and posts its first balance once."""

import pytest

from tests.renewals.imports.conftest import RunImport, counts, jsonl_of, problems, read_value, snapshot
from tests.support.cli import Renewals, query

HEAD = "id,name,timeZone,currency,leadDays,priceRiseCapPercent,balance"


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_an_import_creates_each_account_once_with_its_first_balance(
    run_import: RunImport, url: str, renewals: Renewals, suffix: str
) -> None:
    if suffix == "csv":
        text = f"{HEAD}\nc,云上科技,Europe/Berlin,EUR,3,10.5,5000.00\nd,D,,,,,\n"
    else:
        about = {"timeZone": "Europe/Berlin", "currency": "EUR", "leadDays": 3, "priceRiseCapPercent": "10.5"}
        text = jsonl_of([{"id": "c", "name": "云上科技", **about, "balance": 5000}, {"id": "d", "name": "D"}])
    result = run_import("accounts", text, name=f"accounts.{suffix}")
    assert (result.exit_code, counts(result), result.stderr) == (0, (2, 0, 0, 0), "")
    columns = "id, name, time_zone, currency, lead_days, price_rise_cap_bps, balance_cents, ledger_number"
    assert query(url, f"SELECT {columns} FROM accounts WHERE id IN ('c', 'd') ORDER BY id") == [
        ("c", "云上科技", "Europe/Berlin", "EUR", 3, 1050, 500000, 1),
        ("d", "D", "Asia/Shanghai", "CNY", None, None, 0, 0),
    ]
    assert query(url, "SELECT kind, amount_cents, memo FROM ledger_entries") == [
        ("TOP_UP", 500000, "First balance")
    ]
    assert query(url, "SELECT action, account_ids, operator_name FROM audit_log ORDER BY action") == [
        ("CREATE_ACCOUNT", ["c", "d"], "command line"),
        ("TOP_UP", ["c"], "command line"),
    ]
    assert renewals("verify", DATABASE_URL=url).exit_code == 0
    before = snapshot(url)
    assert counts(run_import("accounts", text, name=f"accounts.{suffix}")) == (0, 0, 2, 0)
    assert snapshot(url) == before


def test_the_first_balance_of_an_existing_account_is_posted_once(run_import: RunImport, url: str) -> None:
    text = "id,name,balance\na,Account a,100.00\nb,Account b,0.00\n"
    assert counts(run_import("accounts", text)) == (0, 1, 1, 0)
    assert counts(run_import("accounts", text)) == (0, 0, 2, 0)
    result = run_import("accounts", text.replace("100.00", "200.00"))
    assert problems(result) == [
        "2: balance: '200.00': differs from the first balance, which was already posted; use topUp to add money"
    ]
    assert query(url, "SELECT id, balance_cents FROM accounts ORDER BY id") == [("a", 10000), ("b", 0)]


def test_an_omitted_column_keeps_the_value_and_an_empty_cell_removes_the_value(
    run_import: RunImport, url: str
) -> None:
    run_import("accounts", "id,name,leadDays,priceRiseCapPercent\na,A,3,10\n")
    assert counts(run_import("accounts", "id,name\na,Renamed\n")) == (0, 1, 0, 0)
    row = "SELECT name, lead_days, price_rise_cap_bps FROM accounts WHERE id = 'a'"
    assert query(url, row) == [("Renamed", 3, 1000)]
    assert counts(run_import("accounts", "id,name,leadDays\na,Renamed,\n")) == (0, 1, 0, 0)
    assert query(url, row) == [("Renamed", None, 1000)]
    assert read_value(url, "SELECT before->'a'->>'lead_days' FROM audit_log ORDER BY id DESC LIMIT 1") == "3"


def test_auto_renew_from_is_the_imported_instant_or_the_creation_of_the_account(
    run_import: RunImport, url: str
) -> None:
    head, begins = "id,name,autoRenewFrom", "2027-02-01T00:00:00+08:00"
    assert counts(run_import("accounts", f"{head}\nc,C,{begins}\nd,D,\n")) == (2, 0, 0, 0)
    default = "SELECT id FROM accounts WHERE auto_renew_from = created_at AND id IN ('c', 'd')"
    assert query(url, default) == [("d",)]
    assert (
        str(read_value(url, "SELECT auto_renew_from FROM accounts WHERE id = 'c'"))
        == "2027-01-31 16:00:00+00:00"
    )
    assert counts(run_import("accounts", f"{head}\nc,C,{begins}\nd,D,\n")) == (0, 0, 2, 0)
    assert counts(run_import("accounts", "id,name\nc,C\n")) == (0, 0, 1, 0)
    assert counts(run_import("accounts", f"{head}\nc,C,\nd,D,{begins}\n")) == (0, 2, 0, 0)
    assert query(url, default) == [("c",)]
    result = run_import("accounts", f"{head}\nc,C,2300-01-01T00:00:00Z\n")
    assert problems(result) == [
        "2: autoRenewFrom: '2300-01-01T00:00:00Z': must be between 2000-01-01 and 2199-12-31, not 2300-01-01"
    ]


def test_each_invalid_account_is_reported_and_the_valid_account_is_created(
    run_import: RunImport, url: str
) -> None:
    lines = [
        "c,C,Mars/Olympus,,,,",
        "d,D,,yuan,,,",
        "e,E,,,10,,",
        "f,F,,,,-1,",
        "g,G,,,,,-5.00",
        "a,A,Europe/Berlin,,,,",
        "b,B,,EUR,,,",
        "h,\u2028,,,,,",
        "i,I,,,,,99999999999999",
        "j,J,,,,,1.00",
    ]
    result = run_import("accounts", "\n".join([HEAD, *lines]))
    assert counts(result) == (1, 0, 0, 9)
    assert [line.split(" ")[1].rstrip(":") for line in problems(result)] == [
        "timeZone", "currency", "leadDays", "priceRiseCapPercent", "balance", "timeZone", "currency", "name", "balance",
    ]  # fmt: skip
    assert query(url, "SELECT id FROM accounts ORDER BY id") == [("a",), ("b",), ("j",)]


def test_the_language_of_an_imported_account_is_english_unless_the_file_sets_chinese(
    run_import: RunImport, url: str
) -> None:
    languages = "SELECT id, language FROM accounts WHERE id IN ('c', 'd') ORDER BY id"
    assert counts(run_import("accounts", "id,name,language\nc,C,ZH\nd,D,\n")) == (2, 0, 0, 0)
    assert query(url, languages) == [("c", "zh"), ("d", "en")]
    assert counts(run_import("accounts", "id,name\nc,C\nd,D\n")) == (0, 0, 2, 0)
    assert counts(run_import("accounts", "id,name,language\nc,C,\nd,D,ZH\n")) == (0, 2, 0, 0)
    assert query(url, languages) == [("c", "en"), ("d", "zh")]
    result = run_import("accounts", "id,name,language\nc,C,FR\n")
    assert problems(result) == ["2: language: 'FR': must be one of ZH, EN"]
