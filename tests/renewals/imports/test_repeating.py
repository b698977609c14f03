"""Repeated, killed and concurrent imports, and imports after a dry run, have the same result as one import."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from renewals.imports import grouping
from tests.renewals.imports.conftest import (
    Row,
    RunImport,
    counts,
    csv_of,
    problems,
    read_value,
    row,
    snapshot,
)
from tests.support.cli import Renewals

LINES = 12_000
RSS_GROWTH_MEBIBYTES_MAX = 24
"""The memory for a batch and for incomplete bundles, which does not depend on the size of the file."""

FILES = {
    "accounts": "id,name,balance\nc,C,10.00\na,Renamed,5.00\nb,Account b,\nd,,1.00\ne,E,-1\nc,C,10.00\n",
    "catalogue": (
        "kind,code,name,nameZh,type,tiers\nPRODUCT,gpu,GPU,GPU,,12:17%\nPRODUCT,kec,New,新,,\n"
        "DATA_CENTER,bj-6,北京6区(VPC),,VPC,\nDATA_CENTER,x,,,VPC,\nPRODUCT,y,Y,Y,,12:101\n"
    ),
    "vouchers": (
        "accountId,id,faceValue,expiresAt,products\na,V-1,100.00,2099-01-01T00:00:00Z,eip\n"
        "b,V-2,100.00,2099-01-01T00:00:00Z,\nb,V-3,0.00,2099-01-01T00:00:00Z,\nz,V-4,1.00,2099-01-01T00:00:00Z,\n"
    ),
}


def build_rows(count: int) -> list[Row]:
    """Return mixed rows of two accounts. Every tenth pair of rows is a bundle."""
    rows = []
    for number in range(count):
        order = f"order-{number // 20}" if number % 20 < 2 else ""
        account = "ab"[number % 2 if not order else number // 20 % 2]
        rows.append(row(f"i-{number}", account, bundleId=order, bundleName=order))
    return rows


@pytest.mark.parametrize("batch_lines", [2, 2_000])
@pytest.mark.parametrize("kind", [*FILES, "instances"])
def test_a_dry_run_reports_the_counts_and_problems_of_the_import_and_changes_no_row(
    run_import: RunImport, url: str, monkeypatch: pytest.MonkeyPatch, kind: str, batch_lines: int
) -> None:
    monkeypatch.setattr(grouping, "BATCH_LINES", batch_lines)
    text = FILES.get(kind)
    if text is None:
        rows = build_rows(60)
        run_import("instances", csv_of(rows[:30]))
        for instance_row in rows[3:20]:
            instance_row["name"] = "Renamed"
        rows[25]["productCode"], rows[40]["expiresOn"], rows[45]["id"] = "moon", "", "i-44"
        text = csv_of(rows)
    before = snapshot(url)
    dry = run_import(kind, text, "--dry-run")
    assert snapshot(url) == before
    assert dry.stdout.splitlines()[1] == "Dry run: nothing was written."
    result = run_import(kind, text)
    assert (counts(result), problems(result), result.exit_code) == (counts(dry), problems(dry), 1)
    assert counts(result)[0] > 0
    again = run_import(kind, text)
    created, changed, unchanged, refused = counts(result)
    assert counts(again) == (0, 0, created + changed + unchanged, refused)


def test_a_repeated_import_in_smaller_batches_finds_the_same_rows_unchanged(
    run_import: RunImport, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = build_rows(50)
    rows[7]["name"] = ""
    run_import("instances", csv_of(rows))
    whole = snapshot(url, but=("audit_log", "instances"))
    monkeypatch.setattr(grouping, "BATCH_LINES", 3)
    assert counts(run_import("instances", csv_of(rows))) == (0, 0, 49, 1)
    assert snapshot(url, but=("audit_log", "instances")) == whole
    for instance_row in rows:
        instance_row["name"] = "Renamed"
    assert counts(run_import("instances", csv_of(rows))) == (1, 49, 0, 0)
    assert read_value(url, "SELECT count(*) FROM audit_log") > 10


def start_import(url: str, path: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "graphql_api", "import", path.stem, str(path)]
    return subprocess.Popen(
        command,
        env=os.environ | {"DATABASE_URL": url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def large_file(tmp_path: Path) -> Path:
    """Write a file of several batches."""
    path = tmp_path / "instances.csv"
    path.write_text(csv_of(build_rows(LINES)))
    return path


@pytest.mark.long
def test_an_import_repeated_after_a_kill_creates_only_the_missing_instances(
    renewals: Renewals, run_import: RunImport, url: str, large_file: Path
) -> None:
    with start_import(url, large_file) as process:
        while read_value(url, "SELECT count(*) FROM instances") == 0:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    created_count = read_value(url, "SELECT count(*) FROM instances")
    assert 0 < created_count < LINES
    result = run_import("instances", large_file.read_text())
    assert (result.exit_code, counts(result)) == (0, (LINES - created_count, 0, created_count, 0))
    assert counts(run_import("instances", large_file.read_text())) == (0, 0, LINES, 0)
    assert read_value(url, "SELECT count(*) FROM bundles") == LINES // 20
    assert renewals("verify", DATABASE_URL=url).exit_code == 0


@pytest.mark.long
def test_an_import_repeated_after_a_kill_posts_each_first_balance_once(
    renewals: Renewals, run_import: RunImport, url: str, tmp_path: Path
) -> None:
    accounts = tmp_path / "accounts.csv"
    accounts.write_text("id,name,balance\n" + "".join(f"n-{number},N,1.00\n" for number in range(LINES)))
    with start_import(url, accounts) as process:
        while read_value(url, "SELECT count(*) FROM accounts") < 2_000:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    created_count = read_value(url, "SELECT count(*) FROM accounts") - 2
    assert 0 < created_count < LINES
    assert counts(run_import("accounts", accounts.read_text())) == (
        LINES - created_count,
        0,
        created_count,
        0,
    )
    assert read_value(url, "SELECT sum(balance_cents)::int FROM accounts") == 100 * LINES
    assert read_value(url, "SELECT count(*) FROM ledger_entries") == LINES
    assert renewals("verify", DATABASE_URL=url).exit_code == 0


@pytest.mark.long
@pytest.mark.parametrize("kind", ["accounts", "instances", "vouchers"])
def test_two_concurrent_imports_of_the_same_file_create_each_row_once(
    renewals: Renewals, url: str, tmp_path: Path, large_file: Path, kind: str
) -> None:
    text = {
        "accounts": "id,name,balance\n" + "".join(f"n-{number},N,1.00\n" for number in range(LINES)),
        "vouchers": "accountId,id,faceValue,expiresAt\n"
        + "".join(f"{'ab'[number % 2]},V-{number},1.00,2099-01-01T00:00:00Z\n" for number in range(LINES)),
        "instances": large_file.read_text(),
    }[kind]
    path = tmp_path / f"{kind}.csv"
    path.write_text(text)
    with start_import(url, path) as first, start_import(url, path) as second:
        outputs = [process.communicate()[0] for process in (first, second)]
    assert [process.returncode for process in (first, second)] == [0, 0]
    created = [int(re.search(r"([\d,]+) created", output)[1].replace(",", "")) for output in outputs]  # type: ignore[index]
    assert sum(created) == LINES
    assert read_value(url, f"SELECT count(*) FROM {kind}") == LINES + (2 if kind == "accounts" else 0)
    assert renewals("verify", DATABASE_URL=url).exit_code == 0


@pytest.mark.long
def test_the_memory_of_an_import_does_not_grow_with_the_file(url: str, tmp_path: Path) -> None:
    peaks = []
    for count in (5_000, 50_000):
        path = tmp_path / "instances.csv"
        path.write_text(csv_of(build_rows(count)))
        with start_import(url, path) as process:
            peak = 0
            while process.poll() is None:
                match = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{process.pid}/status").read_text())
                peak = max(peak, int(match[1]) if match else 0)
                time.sleep(0.05)
        assert process.returncode == 0
        peaks.append(peak / 1024)
    assert peaks[1] - peaks[0] < RSS_GROWTH_MEBIBYTES_MAX, peaks


def test_an_import_without_a_reachable_database_fails_with_a_message(
    run_import: RunImport, renewals: Renewals, tmp_path: Path
) -> None:
    path = tmp_path / "accounts.csv"
    path.write_text("id,name\nc,C\n")
    result = renewals("import", "accounts", str(path), DATABASE_URL="postgres://nobody@127.0.0.1:1/none")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[0].startswith("A server cannot be reached: ")
