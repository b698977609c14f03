"""The language of a command's output: `--lang`, then the locale; JSON does not depend on it (rule 27)."""

import pytest

from graphql_api.cli import output_language
from renewals.db import connection as database
from renewals.domain.model import Language
from tests.support.cli import Renewals
from tests.support.fixtures import World

ZH, EN = Language.ZH, Language.EN


@pytest.mark.parametrize(
    ("variables", "language"),
    [
        ({}, EN),
        ({"LANG": "zh_CN.UTF-8"}, ZH),
        ({"LANG": "zh"}, ZH),
        ({"LANG": "zh_TW.UTF-8@radical"}, ZH),
        ({"LANG": "en_GB.UTF-8"}, EN),
        ({"LANG": "de_DE.UTF-8"}, EN),
        ({"LANG": "zha_CN"}, EN),
        ({"LANG": "C"}, EN),
        ({"LANG": ""}, EN),
        ({"LANG": "en_GB", "LC_MESSAGES": "zh_CN"}, ZH),
        ({"LANG": "zh_CN", "LC_MESSAGES": "", "LC_ALL": ""}, ZH),
        ({"LANG": "zh_CN", "LC_MESSAGES": "zh_CN", "LC_ALL": "C.UTF-8"}, EN),
    ],
)
def test_the_locale_determines_the_language_unless_the_option_does(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], language: Language
) -> None:
    for name in output_language.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert output_language.choose(None) is language
    assert output_language.choose(ZH) is ZH
    assert output_language.choose(EN) is EN


@pytest.fixture
async def underfunded_url(database_url: str) -> str:
    """Return a database with one account, which has a due instance and too little money."""
    async with database.connect(database_url):
        world = World()
        await world.put_catalogue()
        await world.account("a", balance="10.00")
        await world.instance("i-1", expires="2027-01-31", mode="AUTO", price="300.00")
    return database_url


@pytest.mark.parametrize(
    "command",
    [
        ("forecast", "a", "--at", "2027-01-30T12:00"),
        ("forecast", "--all", "--at", "2027-01-30T12:00"),
        ("run-now", "--dry-run", "--at", "2027-01-31T00:30"),
        ("runs",),
        ("verify",),
        ("webhooks",),
    ],
)
def test_json_is_the_same_in_every_language(
    renewals: Renewals, underfunded_url: str, command: tuple[str, ...]
) -> None:
    chinese = renewals(*command, "--json", "--lang", "zh", DATABASE_URL=underfunded_url)
    english = renewals(*command, "--json", DATABASE_URL=underfunded_url, LANG="en_US.UTF-8")
    by_locale = renewals(*command, "--json", DATABASE_URL=underfunded_url, LANG="zh_CN.UTF-8")
    assert chinese.exit_code == 0
    assert chinese.stdout == english.stdout == by_locale.stdout


def test_verify_prints_its_rules_in_the_language_of_the_locale(
    renewals: Renewals, underfunded_url: str
) -> None:
    lines = renewals("verify", DATABASE_URL=underfunded_url, LC_ALL="zh_CN.UTF-8").stdout.splitlines()
    assert lines[0] == "正常    账户流水（不含代金券流水）合计等于账户余额"
    assert all(line.startswith("正常    ") for line in lines)
    english = renewals("verify", DATABASE_URL=underfunded_url).stdout.splitlines()
    assert english[0] == "ok      the ledger entries without a voucher add up to the balance of their account"
    assert len(english) == len(lines)


def test_an_error_is_in_the_language_of_the_output(renewals: Renewals, underfunded_url: str) -> None:
    chinese = renewals("runs", "--run", "99", "--lang", "zh", DATABASE_URL=underfunded_url)
    assert (chinese.exit_code, chinese.stdout, chinese.stderr) == (1, "", "--run：续费批次“99”不存在\n")
    chinese = renewals("forecast", "a", "--days", "0", DATABASE_URL=underfunded_url, LANG="zh_CN.UTF-8")
    assert chinese.stderr == "--days：取值范围为 1 至 366，实际为 0\n"


def test_help_is_english_in_every_locale(renewals: Renewals) -> None:
    assert renewals("runs", "--help", LANG="zh_CN.UTF-8").stdout == renewals("runs", "--help").stdout
