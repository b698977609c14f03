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


def test_the_documentation_lists_every_command() -> None:
    listed = re.findall(r"^\| `renewals ([\w-]+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    group = typer.main.get_command(main.app)
    assert isinstance(group, typer.core.TyperGroup)
    assert sorted(listed) == sorted(group.commands)


def test_the_version_option_prints_the_version_of_the_package(renewals: Renewals) -> None:
    done = renewals("--version")
    assert (done.exit_code, done.stdout) == (0, f"renewals {importlib.metadata.version('renewals')}\n")


@pytest.mark.parametrize("option", ["--check", "--write"])
def test_a_check_or_write_of_the_subgraph_is_refused(renewals: Renewals, option: str) -> None:
    done = renewals("schema", "--federation", option)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "cannot be combined with --check or --write" in done.stderr


@pytest.mark.parametrize("command", [(), ("serve",), ("import",), ("import", "accounts")])
def test_the_option_h_prints_the_same_help(renewals: Renewals, command: tuple[str, ...]) -> None:
    short, long = renewals(*command, "-h"), renewals(*command, "--help")
    assert (short.exit_code, short.stdout) == (0, long.stdout)


def test_the_help_lists_the_options_of_shell_completion(renewals: Renewals) -> None:
    help_text = renewals("--help").stdout
    assert "--install-completion" in help_text
    assert "--show-completion" in help_text


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
def test_the_help_of_a_command_contains_the_defaults(
    renewals: Renewals, command: str, defaults: list[str]
) -> None:
    help_text = " ".join(renewals(command, "--help").stdout.split())
    for default in defaults:
        assert f"[default: {default}]" in help_text


def test_the_module_of_the_command_line_imports_no_heavy_package() -> None:
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
def test_an_unknown_setting_causes_a_warning_with_the_nearest_name(
    renewals: Renewals, database_url: str, name: str, sentence: str
) -> None:
    done = renewals("runs", DATABASE_URL=database_url, **{name: "1"})
    assert done.exit_code == 0
    assert sentence in done.stderr
    assert done.stdout == ""


def test_no_setting_is_reported_as_unknown() -> None:
    assert config.unknown_variables([*config.variables(), "PATH"]) == []


def read_json(renewals: Renewals, *arguments: str, code: int = 0, **variables: str) -> Any:
    done = renewals(*arguments, "--json", **variables)
    assert done.exit_code == code, done.output
    return json.loads(done.stdout)


def test_runs_are_printed_as_json(renewals: Renewals, database_url: str) -> None:
    assert renewals("demo", DATABASE_URL=database_url).exit_code == 0
    assert renewals("run-now", DATABASE_URL=database_url).exit_code == 0
    [run] = read_json(renewals, "runs", DATABASE_URL=database_url)["runs"]
    assert run.keys() == {
        *("id", "trigger", "scheduledAt", "startedAt", "endedAt", "latenessSeconds", "renewedCount"),
        *("refusedCount", "skippedCount", "amount", "parkedCount", "parkedAccounts", "brokenRules"),
    }
    assert run["brokenRules"] in (None, [])
    assert run["amount"].count(".") == 1
    assert run["startedAt"].endswith("+00:00")
    run_output = read_json(
        renewals, "runs", "--run", str(run["id"]), "--count", "1", DATABASE_URL=database_url
    )
    assert run_output["runs"] == [run]
    assert run_output["hasMore"] is (run["renewedCount"] + run["refusedCount"] > 1)
    for attempt in run_output["attempts"]:
        assert attempt.keys() == {"accountId", "instanceId", "succeeded", "price", "code", "message"}


def test_a_forecast_is_printed_as_json(renewals: Renewals, database_url: str) -> None:
    assert renewals("demo", DATABASE_URL=database_url).exit_code == 0
    output = read_json(renewals, "forecast", "demo", "--days", "31", DATABASE_URL=database_url)
    assert output.keys() == {"accountId", "days", "total", "topUpNeeded", "firstShortfallOn"}
    assert len(output["days"]) == 31
    assert output["days"][0].keys() == {
        *("date", "dueCount", "total", "voucherTotal", "balanceTotal", "balanceAfter", "shortfall"),
        "atRiskInstanceIds",
    }
    total = sum(float(day["total"]) for day in output["days"])
    assert output["total"] == f"{total:.2f}"


def test_broken_integrity_rules_are_printed_as_json(renewals: Renewals, database_url: str) -> None:
    assert renewals("demo", DATABASE_URL=database_url).exit_code == 0
    consistent = read_json(renewals, "verify", DATABASE_URL=database_url)
    assert (consistent["addsUp"], {rule["holds"] for rule in consistent["rules"]}) == (True, {True})
    query(database_url, "UPDATE accounts SET balance_cents = balance_cents + 1")
    broken = read_json(renewals, "verify", code=1, DATABASE_URL=database_url)
    assert broken["addsUp"] is False
    [row] = next(rule["rows"] for rule in broken["rules"] if not rule["holds"])
    assert row["accountId" if "accountId" in row else "id"] == "demo"
    assert any(isinstance(value, str) and value.partition(".")[2].isdigit() for value in row.values())


def test_webhook_endpoints_are_printed_as_json(renewals: Renewals, due_url: str) -> None:
    assert read_json(renewals, "webhooks", DATABASE_URL=due_url) == {"endpoints": []}
    own, providers = asyncio.run(put_endpoints(due_url))
    by_id = {item["id"]: item for item in read_json(renewals, "webhooks", DATABASE_URL=due_url)["endpoints"]}
    assert by_id.keys() == {str(own), str(providers)}
    endpoint = by_id[str(own)]
    assert (endpoint["accountId"], endpoint["enabled"]) == ("a", False)
    assert endpoint.keys() == {
        *("id", "accountId", "url", "eventTypes", "enabled", "disabledReason", "pausedUntil"),
        *("deliveredCount", "behindCount", "waitingCount", "parkedCount", "lastDeliveredAt"),
        *("lastAttemptedAt", "lastStatus", "lastError"),
    }
