"""`renewals forecast`: the table in both languages, all accounts, and the errors."""

import json
import re

import pytest

from renewals.db import connection as database
from renewals.forecasts import all_accounts
from tests.support.cli import Renewals, query
from tests.support.fixtures import World

JANUARY = ("--days", "31", "--at", "2027-01-10T12:00")


@pytest.fixture
async def underfunded_url(database_url: str) -> str:
    """Return a database with 150.00 of balance and a voucher of 20.00 for renewals of 230.00 on two days."""
    async with database.connect(database_url):
        world = World()
        await world.put_catalogue()
        await world.account("a", balance="150.00")
        await world.voucher("20.00", expires="2027-03-01")
        await world.instance("i-1", expires="2027-01-21", mode="AUTO", price="30.00")
        await world.instances(["i-2", "i-3"], expires="2027-01-31", mode="AUTO", price="100.00")
        await world.account("rich", balance="9000.00")
        await world.instance("r-1", account="rich", expires="2027-01-31", mode="AUTO", price="100.00")
    return database_url


def test_the_table_has_a_row_per_due_day_the_totals_and_the_required_top_up(
    renewals: Renewals, underfunded_url: str
) -> None:
    done = renewals("forecast", "a", *JANUARY, DATABASE_URL=underfunded_url)
    assert (done.exit_code, done.stderr) == (0, "")
    assert (
        done.stdout
        == """\
a: 31 days from 2027-01-10

date        due   total  vouchers  balance  balance after  shortfall  at risk
2027-01-21    1   30.00     20.00    10.00         140.00
2027-01-31    2  200.00      0.00   100.00          40.00      60.00        1
all days      3  230.00     20.00   110.00                                  1

The first day with a shortfall is 2027-01-31.
Add 60.00 today to pay for every renewal.
"""
    )


def test_the_columns_of_the_chinese_table_are_aligned(renewals: Renewals, underfunded_url: str) -> None:
    done = renewals("forecast", "a", *JANUARY, "--lang", "zh", DATABASE_URL=underfunded_url)
    assert (
        done.stdout
        == """\
a：2027-01-10 起 31 天

日期        待续费    总价  代金券    余额  支付后余额   缺口  有风险
2027-01-21       1   30.00   20.00   10.00      140.00
2027-01-31       2  200.00    0.00  100.00       40.00  60.00       1
合计             3  230.00   20.00  110.00                          1

首个资金不足日：2027-01-31。
今天充值 60.00，即可全部续费。
"""
    )


def test_the_output_for_an_account_with_enough_money_has_no_shortfall(
    renewals: Renewals, underfunded_url: str
) -> None:
    done = renewals("forecast", "rich", *JANUARY, DATABASE_URL=underfunded_url)
    assert done.stdout.endswith("\n\nVouchers and balance cover all renewals.\n")
    assert "2027-01-31    1  100.00      0.00   100.00        8900.00\n" in done.stdout


def test_a_forecast_covers_30_days_by_default(renewals: Renewals, underfunded_url: str) -> None:
    done = renewals("forecast", "a", DATABASE_URL=underfunded_url)
    assert re.match(r"a: 30 days from \d{4}-\d\d-\d\d\n", done.stdout)


def test_a_forecast_does_not_change_accounts_and_instances(renewals: Renewals, underfunded_url: str) -> None:
    rows = "SELECT a.*, i.* FROM accounts a JOIN instances i ON i.account_id = a.id ORDER BY i.id"
    before = query(underfunded_url, rows)
    renewals("forecast", "a", *JANUARY, DATABASE_URL=underfunded_url)
    assert query(underfunded_url, rows) == before


@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        (("nobody",), "ACCOUNT: there is no account 'nobody'\n"),
        (("a", "--days", "0"), "--days: must be between 1 and 366, not 0\n"),
        (("a", "--days", "367"), "--days: must be between 1 and 366, not 367\n"),
    ],
)
def test_an_unknown_account_or_an_invalid_number_of_days_is_refused_in_one_line(
    renewals: Renewals, underfunded_url: str, arguments: tuple[str, ...], refusal: str
) -> None:
    done = renewals("forecast", *arguments, DATABASE_URL=underfunded_url)
    assert (done.exit_code, done.stdout, done.stderr) == (1, "", refusal)


def test_an_unsupported_language_exits_with_code_2(renewals: Renewals, underfunded_url: str) -> None:
    assert renewals("forecast", "a", "--lang", "fr", DATABASE_URL=underfunded_url).exit_code == 2


@pytest.fixture
async def cut_over_url(database_url: str) -> str:
    """Return a database before its first renewals: of three accounts, one lacks money, and one starts in a week."""
    async with database.connect(database_url):
        world = World()
        await world.put_catalogue()
        await world.account("a", balance="150.00")
        await world.voucher("20.00", expires="2027-03-01")
        await world.instances(["i-1", "i-2"], expires="2027-01-11", mode="AUTO", price="100.00")
        await world.instance("i-3", expires="2027-02-11", mode="AUTO")
        later = world.at("2027-01-17 12:00")
        await world.account("later", balance="900.00", auto_renew_from=later)
        await world.instance("l-1", account="later", expires="2027-01-11", mode="AUTO")
        await world.account("云", balance="900.00")
        await world.instance("y-1", account="云", expires="2027-01-10", mode="AUTO", price="30.50")
        await world.account("idle", balance="900.00")
    return database_url


ALL_ACCOUNTS = ("--all", "--at", "2027-01-10T20:00")


def test_the_columns_of_the_chinese_table_of_all_accounts_are_aligned(
    renewals: Renewals, cut_over_url: str
) -> None:
    done = renewals("forecast", *ALL_ACCOUNTS, "--lang", "zh", DATABASE_URL=cut_over_url)
    assert (
        done.stdout
        == """\
全部账户：2027-01-10T12:00:00+00:00 起 2 天，含当天

首个续费日   待续费   有风险   未接管            总价          代金券            余额          需充值  账户
2027-01-11        2        1                   200.00           20.00           80.00           30.00  a
                                    1            0.00            0.00            0.00            0.00  later
2027-01-10        1                             30.50            0.00           30.50            0.00  云
      总价        3        1        1          230.50           20.00          110.50           30.00  CNY，3 个账户
"""
    )


def test_the_table_of_all_accounts_has_a_row_per_account_and_the_totals(
    renewals: Renewals, cut_over_url: str
) -> None:
    done = renewals("forecast", *ALL_ACCOUNTS, DATABASE_URL=cut_over_url)
    assert (done.exit_code, done.stderr) == (0, "")
    assert (
        done.stdout
        == """\
all accounts: 2 days from 2027-01-10T12:00:00+00:00

 first due      due  at risk     left           total        vouchers         balance          top-up  account
2027-01-11        2        1                   200.00           20.00           80.00           30.00  a
                                    1            0.00            0.00            0.00            0.00  later
2027-01-10        1                             30.50            0.00           30.50            0.00  云
     total        3        1        1          230.50           20.00          110.50           30.00  CNY, 3 accounts
"""
    )


def test_the_forecast_of_all_accounts_is_json_lines_with_the_totals_last(
    renewals: Renewals, cut_over_url: str
) -> None:
    done = renewals("forecast", *ALL_ACCOUNTS, "--json", DATABASE_URL=cut_over_url)
    first, later, _, last = map(json.loads, done.stdout.splitlines())
    assert first == {
        "account": "a",
        "currency": "CNY",
        "autoRenewFrom": "2020-01-01T00:00:00+00:00",
        "firstDueOn": "2027-01-11",
        "dueCount": 2,
        "atRiskCount": 1,
        "leftCount": 0,
        "total": "200.00",
        "voucherTotal": "20.00",
        "balanceTotal": "80.00",
        "topUpNeeded": "30.00",
    }
    assert (later["account"], later["firstDueOn"], later["leftCount"]) == ("later", None, 1)
    [sums] = last["totals"]
    assert (sums["currency"], sums["accountCount"], sums["total"]) == ("CNY", 3, "230.50")


def test_a_forecast_that_reads_accounts_in_several_steps_has_each_account_once(
    renewals: Renewals, cut_over_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(all_accounts, "_ACCOUNTS_PER_READ", 1)
    done = renewals("forecast", *ALL_ACCOUNTS, "--json", DATABASE_URL=cut_over_url)
    assert [json.loads(line).get("account") for line in done.stdout.splitlines()] == [
        "a",
        "later",
        "云",
        None,
    ]


def test_a_forecast_without_a_due_instance_prints_that_no_instance_is_due(
    renewals: Renewals, cut_over_url: str
) -> None:
    done = renewals("forecast", "--all", "--at", "2030-01-01T00:00", DATABASE_URL=cut_over_url)
    assert done.stdout.endswith("No instance is due for renewal.\n")


@pytest.mark.parametrize("arguments", [("a", "--all"), (), ("--all", "--days", "0")])
def test_conflicting_missing_or_invalid_arguments_are_refused_without_traceback(
    renewals: Renewals, cut_over_url: str, arguments: tuple[str, ...]
) -> None:
    done = renewals("forecast", *arguments, DATABASE_URL=cut_over_url)
    assert done.exit_code in (1, 2)
    assert (done.stdout, "Traceback" in done.stderr) == ("", False)
