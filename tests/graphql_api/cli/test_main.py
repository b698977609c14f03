"""The command line: the output and the exit code of each command."""

import asyncio
import datetime as dt
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from graphql_api.cli import main, schema_commands
from renewals import config
from renewals.db import connection as database
from renewals.db import server_version
from renewals.domain import clock as clocks
from renewals.webhooks import endpoint_requests, endpoints
from tests.support.cli import Renewals, query
from tests.support.fixtures import World

LATER = dt.datetime(2027, 3, 1, tzinfo=dt.UTC)
"""An instant after all due times in `due_url`."""

COMMANDS = (
    "up",
    "serve",
    "worker",
    "migrate",
    "demo",
    "api-key",
    "operator-key",
    "run-now",
    "runs",
    "forecast",
    "clock",
    "webhooks",
    "mcp",
    "verify",
    "schema",
    "graphiql-assets",
)
REQUIRED = {
    "serve": "DATABASE_URL",
    "worker": "DATABASE_URL",
    "migrate": "DATABASE_URL",
    "demo": "DATABASE_URL",
    "run-now": "DATABASE_URL",
    "runs": "DATABASE_URL",
    "webhooks": "DATABASE_URL",
    "verify": "DATABASE_URL",
}


@pytest.fixture
async def due_url(database_url: str) -> str:
    """Return a database with expired instances, and with instances due on 31 January, of which one can be paid."""
    async with database.connect(database_url):
        world = World()
        await world.put_catalogue()
        await world.account("a", balance="500.00")
        await world.instances(["i-1", "i-2"], expires="2027-01-31", mode="AUTO", price="300.00")
        await world.instance("i-3", expires="2027-01-30")
        await world.instance("i-4", expires="2027-01-11")
    return database_url


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(renewals: Renewals, command: str) -> None:
    done = renewals(command, "--help")
    assert done.exit_code == 0
    assert f"Usage: root {command}" in done.output


def test_the_help_lists_every_registered_command(renewals: Renewals) -> None:
    assert renewals("--help").exit_code == 0
    assert {item.name or item.callback.__name__ for item in main.app.registered_commands} == set(COMMANDS)  # type: ignore[union-attr]
    assert all(command in renewals("--help").output for command in COMMANDS)


def test_an_unknown_command_or_option_exits_with_code_2(renewals: Renewals) -> None:
    assert renewals("renew").exit_code == 2
    assert renewals("migrate", "--force").exit_code == 2


def test_a_second_migration_prints_that_the_database_is_up_to_date(
    renewals: Renewals, empty_database_url: str
) -> None:
    first = renewals("migrate", DATABASE_URL=empty_database_url)
    assert (first.exit_code, first.stderr) == (0, "")
    assert first.stdout.splitlines() == ["applied 0001_schema"]
    second = renewals("migrate", DATABASE_URL=empty_database_url)
    assert (second.exit_code, second.stdout) == (0, "up to date\n")


def test_the_demo_account_is_loaded_once_and_each_command_prints_a_new_key(
    renewals: Renewals, database_url: str
) -> None:
    first = renewals("demo", "--day", "2027-01-10", DATABASE_URL=database_url)
    second = renewals("demo", "--day", "2027-01-11", DATABASE_URL=database_url)
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert first.stdout.startswith("loaded the demo account\n")
    assert second.stdout.startswith("the demo account already exists\n")
    keys = re.findall(r"^API key, shown once: (rk_\S+)$", first.stdout + second.stdout, re.MULTILINE)
    assert len(set(keys)) == 2
    assert query(database_url, "SELECT count(*) FROM api_keys WHERE account_id = 'demo'") == [(2,)]
    assert query(database_url, "SELECT count(*) FROM accounts") == [(1,)]


RESET = ("demo", "--reset", "--day", "2027-02-10")
EXPIRY = "SELECT expires_at::date::text FROM instances WHERE id = 'b8eac96a-807b-49f2-af7a-a173440b3b56'"


def test_the_demo_account_is_reloaded_only_after_a_confirmation(
    renewals: Renewals, database_url: str
) -> None:
    renewals("demo", "--day", "2027-01-10", DATABASE_URL=database_url)
    for answer in ("", "n\n"):
        done = renewals(*RESET, stdin_text=answer, DATABASE_URL=database_url)
        assert done.exit_code == 1
        assert (
            "deletes all instances (300), orders (0), ledger entries (11), vouchers and refunds of the demo account, "
            "and reloads the account" in done.stdout
        )
        assert query(database_url, EXPIRY) == [("2027-02-28",)]
    for options, answer in ((("--yes",), ""), ((), "y\n")):
        done = renewals(*RESET, *options, stdin_text=answer, DATABASE_URL=database_url)
        assert done.exit_code == 0
        assert done.stdout.endswith("reloaded the demo account as of 2027-02-10\n")
        assert query(database_url, EXPIRY) == [("2027-03-31",)]
    assert query(database_url, "SELECT count(*) FROM api_keys") == [(1,)]
    assert renewals("demo", "--yes", DATABASE_URL=database_url).exit_code == 2


def test_a_reset_without_a_demo_account_loads_the_account_without_a_confirmation(
    renewals: Renewals, database_url: str
) -> None:
    done = renewals(*RESET, DATABASE_URL=database_url)
    assert (done.exit_code, done.stdout.splitlines()[0]) == (0, "loaded the demo account")


@pytest.mark.parametrize("options", [(), ("--reset", "--yes")])
def test_a_real_account_with_the_id_demo_is_refused_and_gets_no_key(
    renewals: Renewals, database_url: str, options: tuple[str, ...]
) -> None:
    query(
        database_url,
        """INSERT INTO accounts (id, name, currency, time_zone, balance_cents, ledger_number, auto_renew_from,
             language, created_at) VALUES ('demo', 'Demo Ltd', 'CNY', 'UTC', 0, 0, now(), 'en', now())""",
    )
    done = renewals("demo", *options, DATABASE_URL=database_url)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == ("account: 'demo' was not created by `renewals demo`, so nothing was changed\n")
    assert query(database_url, "SELECT count(*) FROM api_keys") == [(0,)]


def test_the_test_clock_of_the_demo_account_does_not_depend_on_the_real_time(
    renewals: Renewals, database_url: str
) -> None:
    later = dt.datetime(2031, 3, 14, 23, tzinfo=dt.UTC)
    assert renewals("demo", now=later, DATABASE_URL=database_url).exit_code == 0
    documented = dt.datetime(2027, 1, 15, 2, tzinfo=dt.UTC)
    assert query(database_url, "SELECT test_clock FROM accounts") == [(documented,)]


def test_operator_key_prints_a_key_that_the_audit_log_does_not_contain(
    renewals: Renewals, database_url: str
) -> None:
    done = renewals("operator-key", "夜班", DATABASE_URL=database_url)
    assert done.exit_code == 0
    assert re.fullmatch(r"rk_\S+\n", done.stdout)
    sql = "SELECT role, name, account_id FROM api_keys WHERE prefix = '" + done.stdout.split("_")[1] + "'"
    assert query(database_url, sql) == [("OPERATOR", "夜班", None)]
    entries = query(
        database_url, "SELECT operator_key_id, operator_name, action, request::text FROM audit_log"
    )
    assert [entry[:3] for entry in entries] == [(None, "command line", "CREATE_API_KEY")]
    assert done.stdout.strip() not in str(entries)
    for name in ("", "x" * 201, "a\nb"):
        assert renewals("operator-key", name, DATABASE_URL=database_url).exit_code == 2
    assert renewals("operator-key").exit_code == 2
    assert query(database_url, "SELECT count(*) FROM api_keys") == [(1,)]


def test_api_key_prints_a_key_of_the_requested_role(renewals: Renewals, database_url: str) -> None:
    assert renewals("demo", DATABASE_URL=database_url).exit_code == 0
    for options, role in (((), "RENEWER"), (("--role", "viewer", "--name", "审计"), "VIEWER")):
        done = renewals("api-key", "demo", *options, DATABASE_URL=database_url)
        assert done.exit_code == 0
        assert re.fullmatch(r"rk_\S+\n", done.stdout)
        sql = "SELECT role, account_id FROM api_keys WHERE prefix = '" + done.stdout.split("_")[1] + "'"
        assert query(database_url, sql) == [(role, "demo")]
    for arguments, name in (
        (("nobody",), "ACCOUNT"),
        (("demo", "--role", "operator"), "ACCOUNT"),
        (("demo", "--name", "x" * 201), "--name"),
    ):
        done = renewals("api-key", *arguments, DATABASE_URL=database_url)
        assert (done.exit_code, done.stdout) == (1, "")
        assert done.stderr.startswith(f"{name}: ")
    assert query(database_url, "SELECT count(*) FROM api_keys") == [(3,)]
    assert query(database_url, "SELECT count(*) FROM audit_log") == [(2,)]


@pytest.mark.parametrize("command", [("api-key", "demo"), ("operator-key", "Night shift")])
def test_a_key_is_created_although_a_removed_setting_limits_idempotency_keys(
    renewals: Renewals, database_url: str, command: tuple[str, str]
) -> None:
    assert renewals("demo", DATABASE_URL=database_url).exit_code == 0
    done = renewals(*command, DATABASE_URL=database_url, RENEWALS_IDEMPOTENCY_KEY_LENGTH_MAX="8")
    assert done.exit_code == 0
    assert re.fullmatch(r"rk_\S+\n", done.stdout)


@pytest.mark.parametrize(
    ("options", "served"),
    [((), "create"), (("--operator",), "create_for_operators")],
)
def test_serve_starts_the_application_of_customers_or_that_of_operators(
    renewals: Renewals, monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...], served: str
) -> None:
    started: list[str] = []

    def serve(_: config.Settings, app: str) -> bool:
        started.append(app)
        return True

    monkeypatch.setattr("graphql_api.server.serve.run", serve)
    assert renewals("serve", *options, DATABASE_URL="postgres://nowhere/x").exit_code == 0
    assert started == [served]


def test_an_invalid_day_for_the_demo_account_exits_with_code_2(renewals: Renewals, database_url: str) -> None:
    done = renewals("demo", "--day", "tomorrow", DATABASE_URL=database_url)
    assert done.exit_code == 2
    assert query(database_url, "SELECT count(*) FROM accounts") == [(0,)]


@pytest.mark.parametrize(
    ("at", "variables"),
    [
        ("2027-01-31T00:30", {}),
        ("2027-01-31 00:30:00", {}),
        ("2027-01-30T16:30Z", {}),
        ("2027-01-30T11:30-05:00", {}),
        ("2027-01-30T11:30", {"RENEWALS_TIME_ZONE": "America/New_York"}),
    ],
)
def test_run_now_accepts_an_instant_with_an_offset_or_in_the_default_time_zone(
    renewals: Renewals, due_url: str, at: str, variables: dict[str, str]
) -> None:
    done = renewals("run-now", "--at", at, now=LATER, DATABASE_URL=due_url, **variables)
    assert (done.exit_code, done.stderr) == (0, "chunks done: 1 of 1\n")
    assert done.stdout == (
        "run 1 at 2027-01-30T16:30:00+00:00: 1 renewed for 300.00, 1 refused, 0 skipped, 2 expired, 1 released\n"
    )
    assert query(due_url, "SELECT id, status FROM instances ORDER BY id") == [
        *[("i-1", "RUNNING"), ("i-2", "RUNNING"), ("i-3", "EXPIRED"), ("i-4", "RELEASED")]
    ]


def test_run_now_a_second_before_the_due_time_renews_no_instance(renewals: Renewals, due_url: str) -> None:
    done = renewals("run-now", "--at", "2027-01-31T00:29:59", now=LATER, DATABASE_URL=due_url)
    assert done.exit_code == 0
    assert "0 renewed for 0.00, 0 refused" in done.stdout
    assert query(due_url, "SELECT balance_cents FROM accounts") == [(500_00,)]


def test_run_now_without_an_instant_uses_the_current_time(renewals: Renewals, due_url: str) -> None:
    before = dt.datetime.now(dt.UTC)
    done = renewals("run-now", DATABASE_URL=due_url)
    assert done.exit_code == 0
    [(clock_at,)] = query(due_url, "SELECT clock_at FROM renewal_runs")
    assert before <= clock_at <= dt.datetime.now(dt.UTC)


@pytest.mark.parametrize(
    "at", ["tomorrow", "2027-13-01", "2027-02-29T00:30", "00:30", "0001-01-01", "9999-12-31T23:59Z"]
)
def test_run_now_refuses_an_invalid_instant(renewals: Renewals, due_url: str, at: str) -> None:
    done = renewals("run-now", "--at", at, DATABASE_URL=due_url)
    assert done.exit_code == 2
    assert "2027-03-01T00:30" in done.stderr
    assert query(due_url, "SELECT count(*) FROM renewal_runs") == [(0,)]


def test_verify_prints_a_broken_rule_with_its_row_and_exits_with_code_1(
    renewals: Renewals, due_url: str
) -> None:
    consistent = renewals("verify", DATABASE_URL=due_url)
    assert (consistent.exit_code, "BROKEN" in consistent.stdout) == (0, False)
    query(due_url, "UPDATE accounts SET balance_cents = balance_cents - 1")
    broken = renewals("verify", DATABASE_URL=due_url)
    assert broken.exit_code == 1
    rule = "the ledger entries without a voucher add up to the balance of their account"
    assert f"BROKEN  {rule}\n        account_id=a, " in broken.stdout


def test_runs_prints_the_newest_run_first_and_whether_a_run_was_consistent(
    renewals: Renewals, due_url: str
) -> None:
    renewals("run-now", "--at", "2027-01-31T00:30", now=LATER, DATABASE_URL=due_url)
    query(due_url, "UPDATE accounts SET balance_cents = balance_cents + 1")
    renewals("run-now", "--at", "2027-01-31T01:30", now=LATER, DATABASE_URL=due_url)
    newest, *rest = renewals("runs", DATABASE_URL=due_url).stdout.splitlines()
    assert newest.startswith("run 2 OPERATOR for 2027-01-30T17:30:00+00:00, ")
    assert newest.endswith(", parked accounts: 0; INCONSISTENT")
    assert renewals("runs", "--count", "1", DATABASE_URL=due_url).stdout.startswith("run 2 ")
    assert rest[-1].startswith("run 1 OPERATOR")
    assert rest[-1].endswith(", parked accounts: 0; consistent")


async def put_endpoints(url: str) -> list[str]:
    """Create a disabled endpoint of account `a`, and one of all accounts."""
    async with database.connect(url):
        created = [
            await endpoints.create(
                owner, endpoint_requests.EndpointRequest(f"https://{host}/", (), "k"), clocks.utc_now
            )
            for owner, host in (("a", "a.example.com"), (None, "all.example.com"))
        ]
        ids = [str(result.endpoint.id) for result in created]
        await endpoints.update(
            "a", ids[0], endpoint_requests.EndpointUpdate(is_enabled=False), clocks.utc_now
        )
    return ids


def test_webhooks_prints_the_state_and_the_counts_of_each_endpoint(renewals: Renewals, due_url: str) -> None:
    own, providers = asyncio.run(put_endpoints(due_url))
    printed = renewals("webhooks", DATABASE_URL=due_url).stdout.splitlines()
    counts = "0 delivered, 0 behind, 0 waiting, 0 parked"
    assert printed == [
        f"endpoint {providers} of all accounts, https://all.example.com/, enabled: {counts}",
        f"endpoint {own} of a, https://a.example.com/, DISABLED (disabled by its owner): {counts}",
    ]


@pytest.mark.parametrize(("command", "name"), REQUIRED.items())
def test_a_missing_database_url_is_named_in_the_error(renewals: Renewals, command: str, name: str) -> None:
    done = renewals(command)
    assert done.exit_code == 1
    assert done.stderr == (
        f"{name} is not set. Set it, or run `renewals up`, which starts its own servers.\n"
    )


def test_a_worker_without_a_redis_url_exits_with_code_1(renewals: Renewals, database_url: str) -> None:
    done = renewals("worker", DATABASE_URL=database_url)
    assert done.exit_code == 1
    assert done.stderr.startswith("REDIS_URL is not set.")


INVALID_SETTINGS = {
    "RENEWALS_PORT": "http",
    "RENEWALS_TIME_ZONE": "Mars/Olympus",
    "RENEWALS_AUTO_RENEW_TIME": "25:00",
    "RENEWALS_AUTO_RENEW_LEAD_DAYS": "10",
    "RENEWALS_WORKER_CHUNKS_AT_ONCE": "0",
    "RENEWALS_LOG_LEVEL": "LOUD",
    "DATABASE_URL": "mysql://root:secret@localhost/renewals",
    "REDIS_URL": "localhost:6379",
}


@pytest.mark.parametrize(("name", "value"), INVALID_SETTINGS.items())
def test_an_invalid_setting_is_explained_in_one_line_without_its_password(
    renewals: Renewals, name: str, value: str
) -> None:
    done = renewals("migrate", **{name: value})
    assert done.exit_code == 1
    [line] = done.stderr.splitlines()
    assert line.startswith(f"{name}: ")
    assert "secret" not in line


def test_all_invalid_settings_are_explained_together(renewals: Renewals) -> None:
    done = renewals("run-now", **INVALID_SETTINGS)
    assert {line.split(":")[0] for line in done.stderr.splitlines()} == set(INVALID_SETTINGS)


def test_an_unreachable_or_empty_database_is_reported_in_one_line(
    renewals: Renewals, empty_database_url: str
) -> None:
    missing = renewals("migrate", DATABASE_URL="postgres://nobody@127.0.0.1:1/renewals")
    assert missing.exit_code == 1
    assert re.fullmatch(r"A server cannot be reached: .*\n", missing.stderr)
    empty = renewals("run-now", DATABASE_URL=empty_database_url)
    assert empty.exit_code == 1
    assert empty.stderr == "The database has no tables yet: run `renewals migrate`.\n"


def test_commands_report_a_too_old_postgresql_in_one_line(
    renewals: Renewals, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_version, "MAJOR_MIN", 99)
    for command in (["migrate"], ["demo"], ["run-now"], ["runs"], ["verify"], ["operator-key", "ops"]):
        done = renewals(*command, DATABASE_URL=database_url)
        assert (done.exit_code, done.stdout) == (1, ""), command
        assert re.fullmatch(
            r"The database server is PostgreSQL \d+, but 99 or later is required: .*\n", done.stderr
        ), done.stderr


def test_the_printed_schema_equals_the_file_in_the_repository(renewals: Renewals) -> None:
    printed = renewals("schema")
    assert printed.stdout == schema_commands.SDL_PATH.read_text(encoding="utf-8")
    assert renewals("schema", "--check").exit_code == 0
    for_operators = renewals("schema", "--operator")
    assert for_operators.stdout == schema_commands.OPERATOR_SDL_PATH.read_text(encoding="utf-8")
    for options, schema in (([], printed), (["--operator"], for_operators)):
        subgraph = renewals("schema", "--federation", *options).stdout
        assert set(schema.stdout.splitlines()) - set(subgraph.splitlines()) == {
            f"type {name} {{" for name in ("Account", "Instance", "PageInfo", "RenewOrder")
        }


@pytest.mark.parametrize("drift", ["", "type Query { nothing: Int }\n"])
def test_a_differing_operator_schema_file_is_detected_and_rewritten(
    renewals: Renewals, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, drift: str
) -> None:
    path = tmp_path / "operator.graphql"
    path.write_text(drift, encoding="utf-8")
    monkeypatch.setattr(schema_commands, "OPERATOR_SDL_PATH", path)
    done = renewals("schema", "--check")
    assert (done.exit_code, "operator.graphql is missing or differs" in done.stderr) == (1, True)
    assert renewals("schema", "--write").exit_code == 0
    assert renewals("schema", "--check").exit_code == 0


def test_a_schema_is_not_checked_and_written_at_once(
    renewals: Renewals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "operator.graphql"
    monkeypatch.setattr(schema_commands, "OPERATOR_SDL_PATH", path)
    done = renewals("schema", "--check", "--write")
    assert done.exit_code == 2
    assert "Invalid value for --write: cannot be combined with --check" in done.stderr
    assert not path.exists()


def test_a_differing_customer_schema_file_is_detected_and_rewritten(
    renewals: Renewals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sdl = schema_commands.SDL_PATH.read_text(encoding="utf-8")
    path = tmp_path / "schema.graphql"
    (tmp_path / "pyproject.toml").touch()  # as in the repository
    monkeypatch.setattr(schema_commands, "SDL_PATH", path)
    drifts = [sdl.replace("INSUFFICIENT_FUNDS", "NO_MONEY"), sdl + "\n", "", None]
    for drift in drifts:
        if drift is None:
            path.unlink()
        else:
            path.write_text(drift, encoding="utf-8")
        done = renewals("schema", "--check")
        assert done.exit_code == 1
        assert (
            done.stderr
            == "schema.graphql is missing or differs from the code: run `renewals schema --write`\n"
        )
    assert renewals("schema", "--write").exit_code == 0
    assert path.read_text(encoding="utf-8") == sdl
    assert renewals("schema", "--check").exit_code == 0


def test_the_command_as_a_process_exits_with_the_expected_code_and_no_traceback() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    for arguments, code in ((["--help"], 0), (["migrate"], 1), (["renew"], 2)):
        command = [sys.executable, "-m", "graphql_api", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        assert done.returncode == code
        assert "Traceback" not in done.stderr
