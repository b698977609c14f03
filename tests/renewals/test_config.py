"""Settings with dangerous values are refused, with the name of the setting."""

import datetime as dt
import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from renewals import config
from renewals.domain import limits


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RENEWALS_AUTO_RENEW_TIME", "22:46"),
        ("RENEWALS_AUTO_RENEW_TIME", "00:30:01"),
        ("RENEWALS_AUTO_RENEW_TIME", "00:30+08:00"),
        ("RENEWALS_AUTO_RENEW_LEAD_DAYS", "10"),
        ("RENEWALS_AUTO_RENEW_LEAD_DAYS", "-1"),
        ("RENEWALS_TIME_ZONE", "Asia/Nowhere"),
        ("DATABASE_URL", "mysql://root:secret@host/name"),
        ("REDIS_URL", "http://host"),
        ("RENEWALS_COST_PER_MINUTE_MAX", "999999"),
    ],
)
def test_the_error_of_an_invalid_setting_has_the_name_of_the_setting_and_not_its_value(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError) as refused:
        config.Settings()
    [line] = config.format_errors(refused.value).splitlines()
    assert line.startswith(f"{name}: ")
    assert "secret" not in line


def test_the_budget_of_a_key_is_zero_or_at_least_the_maximum_cost_of_a_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for least, budget in ((1_000_000, 1_000_000), (5, 5), (5, 0)):
        monkeypatch.setenv("RENEWALS_COST_MAX", str(least))
        monkeypatch.setenv("RENEWALS_COST_PER_MINUTE_MAX", str(budget))
        assert config.Settings().cost_per_minute_max == budget
    monkeypatch.delenv("RENEWALS_COST_PER_MINUTE_MAX")
    monkeypatch.setenv("RENEWALS_COST_MAX", "100000001")
    with pytest.raises(ValidationError, match=r"at least 100000001 \(RENEWALS_COST_MAX\), not "):
        config.Settings()


def test_the_latest_allowed_time_of_automatic_renewals_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RENEWALS_AUTO_RENEW_TIME", "22:45")
    assert config.Settings().auto_renew_time == dt.time(22, 45)


def test_no_setting_has_the_name_of_a_limit_that_the_schema_promises() -> None:
    names = {name.lower() for name in vars(limits) if name.isupper()}
    assert len(names) > 6
    assert not names & config.Settings.model_fields.keys()


SETTINGS_MAX = 44


def test_a_fixed_limit_cannot_be_set_by_an_environment_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RENEWALS_DEPTH_MAX", "3")
    assert config.Settings().depth_max == 15
    assert config.unknown_variables(["RENEWALS_DEPTH_MAX"]) == [
        "RENEWALS_DEPTH_MAX is not a setting of this version"
    ]
    assert config.Settings(depth_max=4).depth_max == 4


PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"
ROW = re.compile(r"^\| `([A-Z_]+)` \| (.*?) \|", re.MULTILINE)


def format_default(default: object) -> str:
    """Return a default in the form of the page."""
    match default:
        case None | ():
            return "none"
        case bool():
            return f"`{str(default).lower()}`"
        case dt.time():
            return f"`{default:%H:%M}`"
        case tuple():
            return f"`{','.join(map(str, default))}`"
        case _:
            return f"`{default}`"


def test_the_page_of_settings_lists_every_setting_once_with_its_default() -> None:
    rows = ROW.findall(PAGE.read_text(encoding="utf-8"))
    defaults = {name: format_default(field.default) for name, field in config.variables().items()}
    assert dict(rows) == defaults
    assert len(defaults) <= SETTINGS_MAX
    assert len(rows) == len(defaults)


def test_the_page_of_settings_explains_every_setting_and_when_to_change_it() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if ROW.match(line)]
    assert rows
    for name, _, _, meaning, change_it_when in rows:
        assert meaning, name
        assert change_it_when, name
