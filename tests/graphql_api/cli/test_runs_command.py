"""`renewals runs`: a run's attempts with their reasons, limited in number and filtered by account."""

import datetime as dt

import pytest

from graphql_api.cli import run_commands
from renewals.db import connection as database
from tests.support.cli import Renewals
from tests.support.fixtures import World

NOW = dt.datetime(2027, 2, 1, tzinfo=dt.UTC)
SHORT = "INSUFFICIENT_FUNDS: 300.00 is required and 200.00 is available; 100.00 is missing."


@pytest.fixture
async def due_url(database_url: str, renewals: Renewals) -> str:
    """Return a database with two accounts. One of them has money for only one of its two instances."""
    async with database.connect(database_url):
        world = World()
        await world.put_catalogue()
        await world.account("a", balance="500.00")
        await world.instances(["i-1", "i-2"], expires="2027-01-31", mode="AUTO", price="300.00")
        await world.account("b", balance="50.00")
        await world.instance("j-1", account="b", expires="2027-01-31", mode="AUTO", price="12.50")
    return database_url


@pytest.fixture
def url_after_run(due_url: str, renewals: Renewals) -> str:
    assert renewals("run-now", "--at", "2027-01-31T00:30", now=NOW, DATABASE_URL=due_url).exit_code == 0
    return due_url


def attempts(renewals: Renewals, url: str, *arguments: str) -> list[str]:
    """Return the output lines with the attempts of the run."""
    done = renewals("runs", "--run", "1", *arguments, DATABASE_URL=url)
    assert (done.exit_code, done.stderr) == (0, "")
    first, *lines = done.stdout.splitlines()
    assert first.startswith("run 1 OPERATOR for 2027-01-30T16:30:00+00:00, ")
    return lines


def test_a_run_is_printed_with_the_price_or_the_reason_of_each_attempt(
    renewals: Renewals, url_after_run: str
) -> None:
    assert attempts(renewals, url_after_run) == [
        "  a  i-1  renewed for 300.00",
        f"  a  i-2  {SHORT}",
        "  b  j-1  renewed for 12.50",
    ]


def test_a_run_in_chinese_has_the_same_numbers(renewals: Renewals, url_after_run: str) -> None:
    done = renewals("runs", "--run", "1", "--lang", "zh", DATABASE_URL=url_after_run)
    first, *lines = done.stdout.splitlines()
    assert first.startswith("续费批次 1（运营方），计划时间 2027-01-30T16:30:00+00:00，延迟 ")
    assert first.endswith("：续费 2 个，金额 312.50，未续费 1 个，跳过 0 个，已搁置 0 个账户；数据一致")
    assert lines[0] == "  a  i-1  已续费，金额 300.00"
    assert lines[1].startswith("  a  i-2  INSUFFICIENT_FUNDS：")


def test_attempts_are_filtered_by_failure_and_by_account(renewals: Renewals, url_after_run: str) -> None:
    assert attempts(renewals, url_after_run, "--failed") == [f"  a  i-2  {SHORT}"]
    assert attempts(renewals, url_after_run, "--account", "b") == ["  b  j-1  renewed for 12.50"]
    assert attempts(renewals, url_after_run, "--account", "b", "--failed") == []
    assert attempts(renewals, url_after_run, "--account", "nobody") == []


def test_attempts_beyond_the_count_are_left_out_with_a_notice(renewals: Renewals, url_after_run: str) -> None:
    more = "  there are more attempts: filter with --account or --failed, or raise --count above 2"
    assert attempts(renewals, url_after_run, "--count", "2")[2:] == [more]
    assert len(attempts(renewals, url_after_run, "--count", "3")) == 3


def test_attempts_beyond_the_greatest_count_are_left_out_without_the_advice_to_raise_the_count(
    renewals: Renewals, url_after_run: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_commands, "COUNT_MAX", 2)
    assert attempts(renewals, url_after_run, "--count", "2")[2:] == [
        "  there are more attempts: filter with --account or --failed"
    ]


def test_a_second_run_of_the_day_has_its_own_attempts(renewals: Renewals, url_after_run: str) -> None:
    renewals("run-now", "--at", "2027-01-31T01:30", now=NOW, DATABASE_URL=url_after_run)
    second = renewals("runs", "--run", "2", DATABASE_URL=url_after_run).stdout.splitlines()[1:]
    assert second == [f"  a  i-2  {SHORT}"]
    assert len(attempts(renewals, url_after_run)) == 3


def test_an_unknown_run_is_refused_in_one_line(renewals: Renewals, url_after_run: str) -> None:
    done = renewals("runs", "--run", "99", DATABASE_URL=url_after_run)
    assert (done.exit_code, done.stdout, done.stderr) == (1, "", "--run: there is no run 99\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--failed",),
        ("--account", "a"),
        ("--run", "0"),
        ("--run", str(2**63)),
        ("--run", "1", "--test-clocks"),
    ],
)
def test_invalid_options_of_runs_exit_with_code_2(
    renewals: Renewals, url_after_run: str, arguments: tuple[str, ...]
) -> None:
    assert renewals("runs", *arguments, DATABASE_URL=url_after_run).exit_code == 2
