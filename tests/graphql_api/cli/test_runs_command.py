"""`renewals runs`: a run's attempts with their reasons, limited in number and filtered by account."""

import datetime as dt

import pytest

from renewals.db import connection as database
from tests.support.cli import Renewals
from tests.support.fixtures import World

NOW = dt.datetime(2027, 2, 1, tzinfo=dt.UTC)
SHORT = "INSUFFICIENT_FUNDS: 300.00 is required and 200.00 is available; 100.00 is missing."


@pytest.fixture
async def night(database_url: str, renewals: Renewals) -> str:
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
def ran(night: str, renewals: Renewals) -> str:
    assert renewals("run-now", "--at", "2027-01-31T00:30", now=NOW, DATABASE_URL=night).exit_code == 0
    return night


def attempts(renewals: Renewals, url: str, *arguments: str) -> list[str]:
    """Return the output lines with the attempts of the run."""
    done = renewals("runs", "--run", "1", *arguments, DATABASE_URL=url)
    assert (done.exit_code, done.stderr) == (0, "")
    first, *lines = done.stdout.splitlines()
    assert first.startswith("run 1 OPERATOR for 2027-01-30T16:30:00+00:00, ")
    return lines


def test_a_run_shows_each_attempt_with_its_price_or_its_reason(renewals: Renewals, ran: str) -> None:
    assert attempts(renewals, ran) == [
        "  a  i-1  renewed for 300.00",
        f"  a  i-2  {SHORT}",
        "  b  j-1  renewed for 12.50",
    ]


def test_in_chinese_a_run_has_the_same_numbers(renewals: Renewals, ran: str) -> None:
    done = renewals("runs", "--run", "1", "--lang", "zh", DATABASE_URL=ran)
    first, *lines = done.stdout.splitlines()
    assert first.startswith("续费批次 1（运营方），计划时间 2027-01-30T16:30:00+00:00，延迟 ")
    assert first.endswith("：续费 2 个，金额 312.50，未续费 1 个，跳过 0 个，已搁置 0 个账户；数据一致")
    assert lines[0] == "  a  i-1  已续费，金额 300.00"
    assert lines[1].startswith("  a  i-2  INSUFFICIENT_FUNDS：")


def test_only_what_failed_or_one_account_can_be_chosen(renewals: Renewals, ran: str) -> None:
    assert attempts(renewals, ran, "--failed") == [f"  a  i-2  {SHORT}"]
    assert attempts(renewals, ran, "--account", "b") == ["  b  j-1  renewed for 12.50"]
    assert attempts(renewals, ran, "--account", "b", "--failed") == []
    assert attempts(renewals, ran, "--account", "nobody") == []


def test_there_are_no_more_than_asked_for_and_that_is_said(renewals: Renewals, ran: str) -> None:
    more = "  there are more attempts: filter with --account or --failed, or raise --count above 2"
    assert attempts(renewals, ran, "--count", "2")[2:] == [more]
    assert len(attempts(renewals, ran, "--count", "3")) == 3


def test_the_other_run_of_the_day_has_attempts_of_its_own(renewals: Renewals, ran: str) -> None:
    renewals("run-now", "--at", "2027-01-31T01:30", now=NOW, DATABASE_URL=ran)
    again = renewals("runs", "--run", "2", DATABASE_URL=ran).stdout.splitlines()[1:]
    assert again == [f"  a  i-2  {SHORT}"]
    assert len(attempts(renewals, ran)) == 3


def test_a_run_that_is_not_there_is_refused_in_a_line(renewals: Renewals, ran: str) -> None:
    done = renewals("runs", "--run", "99", DATABASE_URL=ran)
    assert (done.exit_code, done.stdout, done.stderr) == (1, "", "run: there is no run 99\n")


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
def test_what_makes_no_sense_ends_with_2(renewals: Renewals, ran: str, arguments: tuple[str, ...]) -> None:
    assert renewals("runs", *arguments, DATABASE_URL=ran).exit_code == 2
