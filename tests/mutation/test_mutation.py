"""Tests of the tests: they find a defect that is planted in a copy of the code, and pass on an unchanged copy.

The copies use the server of these tests, with their own databases.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COPIED = ("graphql_api", "renewals", "schema", "tests", "workers", "pyproject.toml")
SECONDS_MAX = 300
"""The timeout of a run. Without a lock, runs wait until PostgreSQL detects deadlocks, and the machine may be busy."""


@dataclass(frozen=True)
class Mutant:
    """A change of one line in one file, and the test that must then fail."""

    path: str
    line: str
    broken: str
    seen_by: str


MUTANTS = {
    # Within a process, the calls of an account are queued anyway. Runs and other processes depend on the lock.
    "no account lock": Mutant(
        "renewals/accounts/repository.py",
        'return await _read(connection, account_ids, "FOR NO KEY UPDATE")',
        "return await _read(connection, account_ids)",
        "tests/renewals/auto_renewal/test_chunks.py::test_five_concurrent_runs_charge_each_instance_once"
        "[31 January in Shanghai]",
    ),
    # While the lock works, this constraint never fails, so only a test of the database itself can prove it.
    "no unique instance and start": Mutant(
        "renewals/db/migrations/0001_schema.py",
        '"unique_together": (("instance", "starts_at", "refund_count"),),',
        "",
        "tests/renewals/db/test_guards.py::test_an_invalid_statement_is_refused_by_its_constraint"
        "[a second line with the same instance and start]",
    ),
    "a refund that does not increase the refund count": Mutant(
        "renewals/domain/refund_rules.py",
        "count = line.instance.refund_count + 1",
        "count = line.instance.refund_count",
        "tests/renewals/operators/test_refunds.py::test_a_refunded_period_can_be_bought_again_once",
    ),
    "instances of any account": Mutant(
        "renewals/instances/queries.py",
        "FROM instances i WHERE i.account_id = $1 AND i.id = ANY($2)",
        "FROM instances i WHERE $1::text IS NOT NULL AND i.id = ANY($2)",
        "tests/isolation/test_isolation.py::test_no_customer_reads_or_changes_another_accounts_data",
    ),
    "endpoints of any account": Mutant(
        "renewals/webhooks/endpoints.py",
        "id=uuid.UUID(endpoint_id), account_id=owner, using_db=connection",
        "id=uuid.UUID(endpoint_id), using_db=connection",
        "tests/isolation/test_isolation.py::test_no_customer_reads_or_changes_another_accounts_data",
    ),
    "vouchers in the order of their ids": Mutant(
        "renewals/domain/payment.py",
        "key=lambda v: (v.expires_at, -v.available_cents, v.id)",
        "key=lambda v: v.id",
        "tests/schema/customer/test_paying.py::test_the_voucher_with_the_first_expiry_pays_first_then_the_larger_then_the_lower_id",
    ),
}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Copy the code and its tests to another folder."""
    for name in COPIED:
        if (ROOT / name).is_dir():
            # Copy compiled files, but not files that another test is compiling at this moment.
            shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("*.pyc.*"))
        else:
            shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def run(copy: Path, *tests: str) -> subprocess.CompletedProcess[str]:
    """Run some tests of a copy, without the environment of the current run."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "TEST_"))
    }
    servers = {"DATABASE_URL": os.environ["TEST_POSTGRES_URL"], "REDIS_URL": os.environ["TEST_REDIS_URL"]}
    return subprocess.run(
        [sys.executable, "-B", "-m", "pytest", "-p", "no:cacheprovider", *tests],
        cwd=copy,
        env=environment | servers,
        capture_output=True,
        text=True,
        timeout=SECONDS_MAX,
        check=False,
    )


def test_the_tests_pass_on_an_unchanged_copy_of_the_code(copy: Path) -> None:
    tests = {mutant.seen_by for mutant in MUTANTS.values()}
    process = run(copy, *sorted(tests))
    assert process.returncode == pytest.ExitCode.OK, process.stdout
    assert f"{len(tests)} passed" in process.stdout


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS)
def test_a_planted_defect_makes_its_test_fail(copy: Path, mutant: Mutant) -> None:
    source = (copy / mutant.path).read_text(encoding="utf-8")
    assert source.count(mutant.line) == 1, "the line has changed; break it as it is now"
    (copy / mutant.path).write_text(source.replace(mutant.line, mutant.broken), encoding="utf-8")
    Path(importlib.util.cache_from_source(str(copy / mutant.path))).unlink(missing_ok=True)
    process = run(copy, mutant.seen_by)
    assert process.returncode == pytest.ExitCode.TESTS_FAILED, process.stdout + process.stderr
    assert f"FAILED {mutant.seen_by}" in process.stdout
