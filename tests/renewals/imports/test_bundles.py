"""Bundles in a file are kept whole, also if a batch ends between their members."""

import pytest

from renewals.imports import grouping
from tests.renewals.imports.conftest import (
    Row,
    RunImport,
    counts,
    csv_of,
    jsonl_of,
    problems,
    read_value,
    row,
)
from tests.support.cli import Renewals, query

AS_A_WHOLE = (
    "bundleId: 'order-1': line 3 is in the same bundle and is refused; a bundle is registered as a whole"
)


def bundle(number: int, size: int = 3) -> list[Row]:
    about = {"bundleId": f"order-{number}", "bundleName": f"Order {number}"}
    return [row(f"b-{number}-{member}", **about) for member in range(size)]


@pytest.mark.parametrize("batch_lines", [1, 2, 3, 4, 5])
def test_a_bundle_whose_lines_are_in_several_batches_is_imported_as_a_whole(
    run_import: RunImport, url: str, renewals: Renewals, monkeypatch: pytest.MonkeyPatch, batch_lines: int
) -> None:
    monkeypatch.setattr(grouping, "BATCH_LINES", batch_lines)
    rows = [row("i-0"), *bundle(1), row("i-1"), *bundle(2), row("i-2", "b")]
    rows[2], rows[6] = rows[6], rows[2]  # the members of a bundle need not be adjacent
    assert counts(run_import("instances", csv_of(rows))) == (9, 0, 0, 0)
    assert query(url, "SELECT bundle_id, count(*) FROM instances GROUP BY 1 ORDER BY 1") == [
        ("order-1", 3),
        ("order-2", 3),
        (None, 3),
    ]
    assert renewals("verify", DATABASE_URL=url).exit_code == 0
    for member in rows:
        member["expiresOn"] = "2099-02-28"
    assert counts(run_import("instances", csv_of(rows))) == (0, 9, 0, 0)
    assert counts(run_import("instances", csv_of(rows))) == (0, 0, 9, 0)


def test_a_bundle_with_a_value_that_is_not_text_is_refused_as_a_whole(
    run_import: RunImport, url: str
) -> None:
    rows = [*bundle(1), *bundle(2), row("i-0")]
    rows[1]["accountId"] = {"id": ["a"]}
    rows[4]["bundleName"] = ["Order 2"]
    result = run_import("instances", jsonl_of(rows), name="instances.jsonl")
    assert (result.exit_code, counts(result)) == (1, (1, 0, 0, 6))
    reported = problems(result)
    assert '2: accountId: {"id": ["a"]}: must be text' in reported
    assert '5: bundleName: ["Order 2"]: must be text' in reported
    assert {line.partition(":")[0] for line in reported} == set("123456")
    assert query(url, "SELECT id FROM instances") == [("i-0",)]


@pytest.mark.parametrize("batch_lines", [1, 2_000])
def test_a_bundle_with_an_invalid_line_is_refused_as_a_whole(
    run_import: RunImport, url: str, monkeypatch: pytest.MonkeyPatch, batch_lines: int
) -> None:
    monkeypatch.setattr(grouping, "BATCH_LINES", batch_lines)
    rows = [*bundle(1), row("i-0"), *bundle(2), *bundle(3), *bundle(4)]
    rows[1]["monthlyPrice"] = "much"
    rows[5]["productCode"] = "moon"
    rows[7]["accountId"] = "b"
    rows[11]["bundleName"] = "Another"
    result = run_import("instances", csv_of(rows))
    assert (result.exit_code, counts(result)) == (1, (1, 0, 0, 12))
    assert query(url, "SELECT id FROM instances") == [("i-0",)]
    assert read_value(url, "SELECT count(*) FROM bundles") == 0
    reported = problems(result)
    assert reported[0] == f"2: {AS_A_WHOLE}"
    assert "7: productCode: 'moon': unknown product 'moon'; add it to the catalog first" in reported
    assert "9: accountId: 'b': must be the same on all lines of a bundle" in reported
    assert (
        "13: bundleName: 'Another': differs from the name on line 12, which is in the same bundle" in reported
    )
    assert {line.partition(":")[0] for line in reported} == set(
        map(str, [2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14])
    )


def test_only_the_lines_whose_bundle_name_differs_from_the_first_name_are_refused_for_the_name(
    run_import: RunImport, url: str
) -> None:
    rows = bundle(1, size=4)
    for member, name in zip(rows, ("A", "B", "A", ""), strict=True):
        member["bundleName"] = name
    result = run_import("instances", csv_of(rows))
    assert counts(result) == (0, 0, 0, 4)
    assert problems(result) == [
        f"2: {AS_A_WHOLE}",
        "3: bundleName: 'B': differs from the name on line 2, which is in the same bundle",
        f"4: {AS_A_WHOLE}",
        f"5: {AS_A_WHOLE}",
    ]


def test_a_line_too_far_below_the_first_line_of_its_bundle_is_refused(
    run_import: RunImport, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grouping, "GROUP_LINES_MAX", 4)
    first, second, late = bundle(1)
    rows = [first, row("i-1"), row("i-2"), second, row("i-3"), late]
    result = run_import("instances", csv_of(rows))
    assert counts(result) == (5, 0, 0, 1)
    assert problems(result) == [
        "7: bundleId: 'order-1': began on line 2; all lines of a bundle must be within 4 lines"
    ]
    assert query(url, "SELECT id FROM instances WHERE bundle_id = 'order-1' ORDER BY 1") == [
        ("b-1-0",),
        ("b-1-1",),
    ]


def test_the_expiry_of_a_bundle_changes_only_if_the_lines_have_the_bundle_id(
    run_import: RunImport, url: str
) -> None:
    run_import("instances", csv_of(bundle(1)))
    rows = bundle(1)
    for member in rows:
        del member["bundleId"], member["bundleName"]
        member["name"] = "Renamed"
    assert counts(run_import("instances", csv_of(rows))) == (0, 3, 0, 0)
    for member in rows:
        member["expiresOn"] = "2099-02-28"
    result = run_import("instances", csv_of(rows))
    assert counts(result) == (0, 0, 0, 3)
    assert (
        problems(result)[0]
        == "2: bundleId: '': must be order-1, because the members of a bundle change their expiry and anchor day "
        "together"
    )
    assert read_value(url, "SELECT count(DISTINCT expires_at) FROM instances") == 1


def test_a_bundle_of_another_account_is_refused(run_import: RunImport, url: str) -> None:
    run_import("instances", csv_of(bundle(1)))
    rows = [{**member, "id": f"other-{member['id']}", "accountId": "b"} for member in bundle(1)]
    result = run_import("instances", csv_of(rows))
    assert counts(result) == (0, 0, 0, 3)
    assert read_value(url, "SELECT count(*) FROM instances WHERE account_id = 'b'") == 0


def test_a_renamed_bundle_counts_as_changed_lines_and_is_in_the_audit_log(
    run_import: RunImport, url: str
) -> None:
    run_import("instances", csv_of([*bundle(1), row("i-0")]))
    rows = [*bundle(1), row("i-0")]
    for name, changed_count in (("Renamed", 3), ("Again", 4)):
        for member in rows[:3]:
            member["bundleName"] = name
        if changed_count == 4:
            rows[3]["name"] = "Another"
        assert counts(run_import("instances", csv_of(rows))) == (0, changed_count, 4 - changed_count, 0)
        assert counts(run_import("instances", csv_of(rows))) == (0, 0, 4, 0)
    assert query(url, "SELECT id, name FROM bundles") == [("order-1", "Again")]
    names = "->'bundles'->'order-1'->>'name'"
    assert query(
        url,
        f"""SELECT account_ids, before{names}, after{names}, before->'i-0'->>'name', after->'i-0'->>'name'
            FROM audit_log ORDER BY id""",
    ) == [
        (["a"], None, None, None, "Instance i-0"),
        (["a"], "Order 1", "Renamed", None, None),
        (["a"], "Renamed", "Again", "Instance i-0", "Another"),
    ]
