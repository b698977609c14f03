"""Common options of the commands: the version, a fast and complete help, JSON output, and unknown settings."""

import asyncio
import importlib.metadata
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer.core
import typer.main

from graphql_api.cli import main
from renewals import config
from tests.graphql_api.cli.test_main import due_url, put_endpoints
from tests.support.cli import Renewals, query

__all__ = ["due_url"]

HEAVY = {
    *(
        "asyncpg",
        "graphql",
        "httpx2",
        "mcp",
        "pydantic",
        "redis",
        "rich",
        "starlette",
        "strawberry",
        "tortoise",
    ),
    "uvicorn",
}


PAGE = Path(__file__).parents[3] / "docs" / "cli.md"


def test_the_page_lists_every_command() -> None:
    listed = re.findall(r"^\| `renewals ([\w-]+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    group = typer.main.get_command(main.app)
    assert isinstance(group, typer.core.TyperGroup)
    assert sorted(listed) == sorted(group.commands)


def test_the_version_is_the_package_s(renewals: Renewals) -> None:
    done = renewals("--version")
    assert (done.exit_code, done.stdout) == (0, f"renewals {importlib.metadata.version('renewals')}\n")


@pytest.mark.parametrize("option", ["--check", "--write"])
def test_the_subgraph_is_only_printed(renewals: Renewals, option: str) -> None:
    done = renewals("schema", "--federation", option)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "cannot be combined with --check or --write" in done.stderr


@pytest.mark.parametrize("command", [(), ("serve",), ("import",), ("import", "accounts")])
def test_help_has_a_short_name(renewals: Renewals, command: tuple[str, ...]) -> None:
    short, long = renewals(*command, "-h"), renewals(*command, "--help")
    assert (short.exit_code, short.stdout) == (0, long.stdout)


def test_completion_can_be_installed_and_shown(renewals: Renewals) -> None:
    said = renewals("--help").stdout
    assert "--install-completion" in said
    assert "--show-completion" in said


@pytest.mark.parametrize(
    ("command", "defaults"),
    [
        ("serve", ["RENEWALS_HOST", "RENEWALS_PORT", "RENEWALS_WORKERS", "RENEWALS_DRAIN_SECONDS"]),
        ("run-now", ["now"]),
        ("demo", ["2027-01-15"]),
        ("runs", ["10 runs, or 100 attempts"]),
        (
            "forecast",
            ["the account's current time", "30, or 2 with --all", "from LC_ALL, LC_MESSAGES, LANG, else en"],
        ),
        ("api-key", ["RENEWER"]),
    ],
)
def test_help_shows_the_defaults(renewals: Renewals, command: str, defaults: list[str]) -> None:
    said = " ".join(renewals(command, "--help").stdout.split())
    for default in defaults:
        assert f"[default: {default}]" in said


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys; import graphql_api.cli.main; print(*{name.partition('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not HEAVY & set(done.stdout.split())


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("RENEWALS_GRAPHIQ", "RENEWALS_GRAPHIQ is not a setting; did you mean RENEWALS_GRAPHIQL?"),
        (
            "RENEWALS_DRAIN_SECOND",
            "RENEWALS_DRAIN_SECOND is not a setting; did you mean RENEWALS_DRAIN_SECONDS?",
        ),
        ("RENEWALS_DATABASE_URL", "RENEWALS_DATABASE_URL is not a setting; did you mean DATABASE_URL?"),
        ("RENEWALS_MONTHS_MAX", "RENEWALS_MONTHS_MAX is not a setting of this version"),
    ],
)
def test_a_misspelled_setting_is_a_warning_with_the_nearest_name(
    renewals: Renewals, database_url: str, name: str, sentence: str
) -> None:
    done = renewals("runs", DATABASE_URL=database_url, **{name: "1"})
    assert done.exit_code == 0
    assert sentence in done.stderr
    assert done.stdout == ""


def test_every_setting_is_known_by_its_name() -> None:
    assert config.unknown_variables([*config.variables(), "PATH"]) == []


def answer(renewals: Renewals, *arguments: str, code: int = 0, **variables: str) -> Any:
    done = renewals(*arguments, "--json", **variables)
    assert done.exit_code == code, done.output
    return json.loads(done.stdout)


def test_runs_are_printed_as_json(renewals: Renewals, database_url: str) -> None:
    assert renewals("demo", DATABASE_URL=database_url).exit_code == 0
    assert renewals("run-now", DATABASE_URL=database_url).exit_code == 0
    [run] = answer(renewals, "runs", DATABASE_URL=database_url)["runs"]
    assert run.keys() == {
        *("id", "trigger", "scheduledAt", "startedAt", "endedAt", "latenessSeconds", "renewedCount"),
        *("refusedCount", "skippedCount", "amount", "parkedCount", "parkedAccounts", "brokenRules"),
    }
    assert run["brokenRules"] in (None, [])
    assert run["amount"].count(".") == 1
    assert run["startedAt"].endswith("+00:00")
    one = answer(renewals, "runs", "--run", str(run["id"]), "--count", "1", DATABASE_URL=database_url)
    assert one["runs"] == [run]
    assert one["hasMore"] is (run["renewedCount"] + run["refusedCount"] > 1)
    for attempt in one["attempts"]:
        assert attempt.keys() == {"accountId", "instanceId", "succeeded", "price", "code", "message"}


def test_a_forecast_is_printed_as_json(renewals: Renewals, database_url: str) -> None:
    assert renewals("demo", DATABASE_URL=database_url).exit_code == 0
    found = answer(renewals, "forecast", "demo", "--days", "31", DATABASE_URL=database_url)
    assert found.keys() == {"accountId", "days", "total", "topUpNeeded", "firstShortfallOn"}
    assert len(found["days"]) == 31
    assert found["days"][0].keys() == {
        *("date", "dueCount", "total", "voucherTotal", "balanceTotal", "balanceAfter", "shortfall"),
        "atRiskInstanceIds",
    }
    total = sum(float(day["total"]) for day in found["days"])
    assert found["total"] == f"{total:.2f}"


def test_what_does_not_add_up_is_printed_as_json(renewals: Renewals, database_url: str) -> None:
    assert renewals("demo", DATABASE_URL=database_url).exit_code == 0
    well = answer(renewals, "verify", DATABASE_URL=database_url)
    assert (well["addsUp"], {rule["holds"] for rule in well["rules"]}) == (True, {True})
    query(database_url, "UPDATE accounts SET balance_cents = balance_cents + 1")
    broken = answer(renewals, "verify", code=1, DATABASE_URL=database_url)
    assert broken["addsUp"] is False
    [row] = next(rule["rows"] for rule in broken["rules"] if not rule["holds"])
    assert row["accountId" if "accountId" in row else "id"] == "demo"
    assert any(isinstance(value, str) and value.partition(".")[2].isdigit() for value in row.values())


def test_webhooks_are_printed_as_json(renewals: Renewals, due_url: str) -> None:
    assert answer(renewals, "webhooks", DATABASE_URL=due_url) == {"endpoints": []}
    own, providers = asyncio.run(put_endpoints(due_url))
    found = {each["id"]: each for each in answer(renewals, "webhooks", DATABASE_URL=due_url)["endpoints"]}
    assert found.keys() == {str(own), str(providers)}
    endpoint = found[str(own)]
    assert (endpoint["accountId"], endpoint["enabled"]) == ("a", False)
    assert endpoint.keys() == {
        *("id", "accountId", "url", "eventTypes", "enabled", "disabledReason", "pausedUntil"),
        *("deliveredCount", "behindCount", "waitingCount", "parkedCount", "lastDeliveredAt"),
        *("lastAttemptedAt", "lastStatus", "lastError"),
    }
