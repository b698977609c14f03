"""`renewals import instances` decides on each line separately, and a repeated import changes nothing."""

from pathlib import Path

import pytest

from tests.renewals.imports.conftest import (
    INSTANCES,
    RunImport,
    counts,
    csv_of,
    jsonl_of,
    problems,
    read_value,
    row,
    snapshot,
)
from tests.support.cli import Renewals, query

NO_INSTANT = 'an instant must be an existing day and time in ISO 8601 with an offset, as in "2026-11-23T23:59:59+08:00"'
NO_AMOUNT = 'an amount must be an integer or a decimal string with at most two decimal places, as in "512.90"'


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_an_imported_instance_has_all_values_of_its_row(run_import: RunImport, url: str, suffix: str) -> None:
    about = {
        "renewalMode": "AUTO", "autoRenewMonths": 3, "anchorDay": 31, "createdAt": "2026-01-31T09:02:03+08:00",
        "billingMode": "PREPAID", "bundleId": "order-7", "bundleName": "训练集群",
    }  # fmt: skip
    if suffix == "csv":
        rows = [
            row(
                "i-1",
                **about,
                tags='{"env": "prod"}',
                isTrial="TRUE",
                **{"configuration.CPU": "4核", "configuration.内存": "8GB"},
            )
        ]
        result = run_import("instances", csv_of(rows))
    else:
        configuration = [{"label": "CPU", "value": "4核"}, {"label": "内存", "value": "8GB"}]
        tags = [{"key": "env", "value": "prod"}]
        rows = [row("i-1", **about, tags=tags, isTrial=True, configuration=configuration)]
        result = run_import("instances", jsonl_of(rows), name="instances.jsonl")
    assert (result.exit_code, counts(result), result.stderr) == (0, (1, 0, 0, 0), "")
    assert query(
        url,
        """SELECT account_id, name, product_code, data_center_code, monthly_price_cents, renewal_mode, is_trial,
             auto_renew_months, anchor_day, bundle_id, expires_at::text, created_at::text, status,
             (SELECT name FROM bundles), configuration::text, tags::text FROM instances""",
    ) == [
        (
            "a", "Instance i-1", "eip", "bj-6", 30000, "AUTO", True, 3, 31, "order-7", "2099-01-31 15:59:59+00",
            "2026-01-31 01:02:03+00", "RUNNING", "训练集群",
            '[{"label": "CPU", "value": "4核"}, {"label": "内存", "value": "8GB"}]',
            '{"env": "prod"}',
        )
    ]  # fmt: skip


@pytest.mark.parametrize("cell", ['{"CPU": "8"}', '[{"label": "CPU", "value": "8"}]'])
def test_a_configuration_can_be_json_in_a_csv_cell(run_import: RunImport, url: str, cell: str) -> None:
    quoted = '"' + cell.replace('"', '""') + '"'
    assert run_import("instances", csv_of([row("i-1", configuration=quoted)])).exit_code == 0
    assert read_value(url, "SELECT configuration::text FROM instances") == '[{"label": "CPU", "value": "8"}]'


def test_an_imported_expiry_is_in_the_time_zone_of_its_account(run_import: RunImport, url: str) -> None:
    run_import("instances", csv_of([row("i-1", "a"), row("i-2", "b")]))
    assert query(url, "SELECT expires_at::text FROM instances ORDER BY id") == [
        ("2099-01-31 15:59:59+00",),
        ("2099-02-01 04:59:59+00",),
    ]


def test_a_repeated_import_changes_no_row_and_a_new_price_changes_only_its_instance(
    run_import: RunImport, url: str
) -> None:
    rows = [row(f"i-{number}", "ab"[number % 2]) for number in range(5)]
    run_import("instances", csv_of(rows))
    before = snapshot(url)
    assert counts(run_import("instances", csv_of(rows))) == (0, 0, 5, 0)
    assert snapshot(url) == before
    rows[3]["monthlyPrice"] = "301.00"
    assert counts(run_import("instances", csv_of(rows))) == (0, 1, 4, 0)
    assert query(url, "SELECT id FROM instances WHERE monthly_price_cents = 30100") == [("i-3",)]


def test_valid_lines_are_imported_and_each_invalid_value_is_reported_by_line_and_column(
    run_import: RunImport, url: str, renewals: Renewals
) -> None:
    text = "\n".join(
        [
            f"{INSTANCES},renewalMode,isTrial,autoRenewMonths,configuration,createdAt,bundleName",
            "a,i-1,Good,eip,bj-6,300.00,2099-01-31,,,,,,",
            "a,i-2,Bad,eip,bj-6,12.345,2099-02-30,SOMETIMES,perhaps,1.5,{,noon,",
            "a,i-3,Bad,eip",
            "a,i-4,Bad,moon,bj-6,300.00,2099-01-31,,,,,,",
            "nobody,i-5,Bad,eip,bj-6,300.00,2099-01-31,,,,,,",
            "a,i-1,Bad,eip,bj-6,300.00,2099-01-31,,,,,,",
            "a,,Bad,eip,bj-6,300.00,2099-01-31,,,,,,",
            "a,i-8,Bad,eip,bj-6,300.00,,,,,,,",
            'a,"i-9"x,Bad,eip,bj-6,300.00,2099-01-31,,,,,,',
            "",
            "a,i-10,Bad,eip,bj-6,300.00,2099-01-31,,,,,,name without a bundle",
            "b,i-11,Good,eip,bj-6,300.00,2099-01-31,,,,,,",
        ]
    )
    result = run_import("instances", text)
    assert (result.exit_code, counts(result)) == (1, (2, 0, 0, 9))
    assert problems(result) == [
        f"3: monthlyPrice: '12.345': {NO_AMOUNT}",
        "3: expiresOn: '2099-02-30': a date must be an existing day in ISO 8601, as in \"2026-11-23\"",
        "3: isTrial: 'perhaps': must be true or false",
        "3: renewalMode: 'SOMETIMES': must be one of MANUAL, AUTO, NONE",
        "3: autoRenewMonths: '1.5': must be a whole number",
        "3: configuration: '{': must be JSON: unexpected end of data: line 1 column 2 (char 1)",
        f"3: createdAt: 'noon': {NO_INSTANT}",
        "4: must have as many cells as the header (13), not 4",
        "5: productCode: 'moon': unknown product 'moon'; add it to the catalog first",
        "6: accountId: 'nobody': there is no such account",
        "7: id: 'i-1': is also on line 2; only that line can be imported",
        "8: id: '': is missing",
        "9: expiresOn: '': is required for a prepaid instance",
        "10: is not valid CSV: ',' expected after '\"'",
        "12: bundleName: 'name without a bundle': requires a bundleId",
    ]
    assert query(url, "SELECT id FROM instances ORDER BY id") == [("i-1",), ("i-11",)]
    assert renewals("verify", DATABASE_URL=url).exit_code == 0


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ("{", "must be JSON: unexpected end of data: line 1 column 2 (char 1)"),
        ("1", 'must be an object of keys and values, for example {"env": "prod"}'),
    ],
)
def test_unreadable_tags_are_refused_with_the_line_the_column_and_the_reason(
    run_import: RunImport, tags: str, reason: str
) -> None:
    result = run_import("instances", csv_of([row("i-1", tags=tags)]))
    assert problems(result) == [f"2: tags: '{tags}': {reason}"]


def test_unreadable_tags_are_refused_in_the_language_of_the_command(run_import: RunImport) -> None:
    result = run_import("instances", csv_of([row("i-1", tags="1")]), "--lang", "zh")
    assert "须为由键和值组成的对象，例如" in result.output


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_a_number_that_is_too_large_is_refused_with_its_bounds(run_import: RunImport, suffix: str) -> None:
    huge = {"monthlyPrice": 10**14, "autoRenewMonths": 3 * 10**9}
    write = csv_of if suffix == "csv" else jsonl_of
    result = run_import("instances", write([row("i-1", **huge)]), name=f"instances.{suffix}")
    amounts = "must be between -10000000000000.00 and 10000000000000.00"
    numbers = "must be between -2147483647 and 2147483647"
    reported = [line.partition(": ")[2] for line in problems(result)]
    assert sorted(line.replace("'", "") for line in reported) == [
        f"autoRenewMonths: {huge['autoRenewMonths']}: {numbers}, not {huge['autoRenewMonths']}",
        f"monthlyPrice: {huge['monthlyPrice']}: the amount {amounts}",
    ]


def test_each_invalid_json_line_or_value_is_reported_by_line_and_column(
    run_import: RunImport, url: str
) -> None:
    good = jsonl_of([row("i-1")])
    bad = [
        '{"id": ',
        "[1]",
        jsonl_of([row("i-2", colour="red", monthlyPrice=1.5)]).strip(),
        jsonl_of([row("i-3", isTrial="true", name=None, configuration=[{"label": "CPU"}])]).strip(),
        jsonl_of([row("i-4", monthlyPrice=True, autoRenewMonths=True)]).strip(),
        jsonl_of([row("i-5", monthlyPrice=[1])]).strip(),
    ]
    result = run_import("instances", good + "\n".join(bad), name="instances.jsonl")
    assert (result.exit_code, counts(result)) == (1, (1, 0, 0, 6))
    assert [" ".join(line.split()[:2]) for line in problems(result)] == [
        "2: is", "3: must", "4: monthlyPrice:", "4: colour:", "5: name:", "5: isTrial:", "5: configuration:",
        "6: monthlyPrice:", "6: autoRenewMonths:", "7: monthlyPrice:",
    ]  # fmt: skip
    assert read_value(url, "SELECT count(*) FROM instances") == 1


def test_control_characters_of_a_json_key_are_escaped_in_the_report(run_import: RunImport) -> None:
    result = run_import(
        "instances", jsonl_of([row("i-1", **{"\x1b]0;mine\x07": "\x1b[2J"})]), name="list.jsonl"
    )
    assert problems(result) == [r"1: '\x1b]0;mine\x07': '\x1b[2J': is not a column"]


def test_a_json_value_that_is_not_text_is_reported_as_json(run_import: RunImport, tmp_path: Path) -> None:
    rows = [
        row("i-1", monthlyPrice=12.5, isTrial=1, expiresOn=None),
        row("i-2", monthlyPrice="12.345", isTrial="true", renewalMode=True, tags={"规格\x9b": 8}),
    ]
    result = run_import(
        "instances", jsonl_of(rows), "--errors", f"{tmp_path}/errors.csv", name="instances.jsonl"
    )
    assert problems(result) == [
        f"1: monthlyPrice: 12.5: {NO_AMOUNT}",
        "1: isTrial: 1: must be true or false",
        f"2: monthlyPrice: '12.345': {NO_AMOUNT}",
        "2: isTrial: 'true': must be true or false",
        "2: renewalMode: true: must be one of MANUAL, AUTO, NONE",
        r'2: tags: {"规格\x9b": 8}: must be text',
    ]
    written = (tmp_path / "errors.csv").read_text(encoding="utf-8-sig").splitlines()
    assert written[1].startswith("1,monthlyPrice,12.5,")
    assert written[5].startswith("2,renewalMode,true,")
    assert written[6].startswith('2,tags,"{""规格\x9b"": 8}",')


def test_an_id_of_another_account_is_refused(run_import: RunImport, url: str) -> None:
    run_import("instances", csv_of([row("i-1", "a")]))
    result = run_import("instances", csv_of([row("i-1", "b"), row("i-2", "b")]))
    assert (counts(result), problems(result)) == (
        (1, 0, 0, 1),
        ["2: id: 'i-1': is the id of an instance of another account"],
    )
    assert read_value(url, "SELECT account_id FROM instances WHERE id = 'i-1'") == "a"


def test_100_problems_are_printed_and_all_problems_are_written_to_the_errors_file(
    run_import: RunImport, tmp_path: Path
) -> None:
    rows = [row(f"i-{number}", productCode="=moon") for number in range(150)]
    assert run_import("instances", csv_of(rows), "--errors", f"{tmp_path}/instances.csv").exit_code == 2
    assert (tmp_path / "instances.csv").read_text() == csv_of(rows)
    result = run_import("instances", csv_of(rows))
    assert len(problems(result)) == 100
    assert (
        result.stderr.splitlines()[-1]
        == "... and 50 more; use --errors FILE.csv to write all problems to a file"
    )
    result = run_import("instances", csv_of(rows), "--errors", f"{tmp_path}/errors.csv")
    assert len(problems(result)) == 100
    assert result.stderr.splitlines()[-1] == "... and 50 more; the file of --errors has all problems"
    written = (tmp_path / "errors.csv").read_text(encoding="utf-8-sig").splitlines()
    assert (len(written), written[0]) == (151, "line,column,value,reason")
    assert written[-1] == "151,productCode,'=moon,unknown product '=moon'; add it to the catalog first"


def test_a_batch_with_changes_writes_one_audit_entry_and_a_batch_without_changes_none(
    run_import: RunImport, url: str
) -> None:
    rows = [row(f"i-{number}", "ab"[number % 2]) for number in range(4)]
    run_import("instances", csv_of(rows))
    run_import("instances", csv_of(rows))
    rows[0]["name"] = "Renamed"
    run_import("instances", csv_of(rows))
    entries = query(
        url,
        """SELECT operator_key_id, operator_name, action, account_ids, request->>'file', request->>'lines',
             (SELECT count(*) FROM json_object_keys(after)), before->'i-0'->>'name', after->'i-0'->>'name'
           FROM audit_log ORDER BY id""",
    )
    assert entries == [
        (
            None,
            "command line",
            "REGISTER_INSTANCES",
            ["a", "b"],
            "instances.csv",
            "[2,5]",
            4,
            None,
            "Instance i-0",
        ),
        (
            None,
            "command line",
            "REGISTER_INSTANCES",
            ["a"],
            "instances.csv",
            "[2,5]",
            1,
            "Instance i-0",
            "Renamed",
        ),
    ]


def test_an_imported_price_beyond_the_cap_is_held_and_writes_an_event(
    run_import: RunImport, url: str
) -> None:
    run_import("accounts", "id,name,priceRiseCapPercent\na,A,10\n")
    run_import("instances", csv_of([row("i-1", renewalMode="AUTO")]))
    run_import("instances", csv_of([row("i-1", renewalMode="AUTO", monthlyPrice="400.00")]))
    assert query(url, "SELECT type, instance_id FROM events") == [("instance.price_held", "i-1")]
    assert read_value(url, "SELECT agreed_price_cents FROM instances") == 30000


def test_an_imported_lower_cap_holds_a_price_and_writes_one_event(run_import: RunImport, url: str) -> None:
    run_import("accounts", "id,name,priceRiseCapPercent\na,A,50\nb,B,50\n")
    rows = [row("i-1", renewalMode="AUTO"), row("i-2", "b", renewalMode="AUTO")]
    run_import("instances", csv_of(rows))
    run_import("instances", csv_of([instance_row | {"monthlyPrice": "400.00"} for instance_row in rows]))
    assert query(url, "SELECT type FROM events") == []
    for _ in range(2):
        run_import("accounts", "id,name,priceRiseCapPercent\na,A,10\nb,B,40\n")
        assert query(url, "SELECT type, instance_id FROM events") == [("instance.price_held", "i-1")]
