"""deploy/systemd, checked with systemd's own tools if they are installed."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from graphql_api.server import supervision
from tests.deploy import environments
from workers import main

FOLDER = environments.ROOT / "deploy" / "systemd"
UNITS = sorted(FOLDER.glob("*.service"))
EXECUTABLE = "/opt/renewals/.venv/bin/renewals"
EXPOSURE_MAX = 20  # tenths of a score out of 10; a service without any of these options has 96
API, MIGRATE, WORKER = (unit.stem for unit in UNITS)
needs_systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd here")


def values(name: str, key: str) -> list[str]:
    text = (FOLDER / f"{name}.service").read_text(encoding="utf-8")
    return re.findall(rf"^{key}=(.*)$", text, re.MULTILINE)


def analyze(*words: str) -> str:
    process = subprocess.run(
        ["systemd-analyze", *words], capture_output=True, text=True, check=False, timeout=60
    )
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stderr


@pytest.fixture
def installed(tmp_path: Path) -> list[str]:
    """The units, with the program installed at the path that they name."""
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8")
        assert EXECUTABLE in text
        (tmp_path / unit.name).write_text(text.replace(EXECUTABLE, "/bin/true"), encoding="utf-8")
    return [str(tmp_path / unit.name) for unit in UNITS]


@needs_systemd
def test_systemd_verifies_the_units(installed: list[str]) -> None:
    output = analyze("verify", "--man=no", *installed)
    assert not [line for line in output.splitlines() if "renewals" in line]


@needs_systemd
def test_systemd_rates_the_exposure_as_low(installed: list[str]) -> None:
    for path in installed:
        analyze("security", "--offline=true", "--no-pager", f"--threshold={EXPOSURE_MAX}", path)


def test_the_units_are_the_api_the_migration_and_the_worker() -> None:
    assert [API, MIGRATE, WORKER] == ["renewals-api", "renewals-migrate", "renewals-worker"]


@pytest.mark.parametrize("name", [API, MIGRATE, WORKER])
def test_a_unit_runs_an_existing_command_with_the_settings_of_the_file(name: str) -> None:
    [command] = values(name, "ExecStart")
    executable, *words = command.split()
    assert executable == EXECUTABLE
    assert environments.accepts_command(words)
    assert values(name, "EnvironmentFile") == ["/etc/renewals/renewals.env"]
    assert values(name, "User") == ["renewals"]
    settings = environments.settings_from(environments.read(FOLDER / "renewals.env.example"))
    assert settings.required_database_url and settings.required_redis_url
    assert settings.worker_metrics_port != settings.port


def test_the_api_reloads_by_sighup_and_has_at_least_two_processes() -> None:
    assert values(API, "ExecReload") == ["/bin/kill -HUP $MAINPID"]
    [environment] = values(API, "Environment")
    assert environments.settings_from(dict([environment.split("=", 1)])).workers >= 2
    assert environments.settings_from(environments.read(FOLDER / "renewals.env.example")).workers >= 2


def test_each_unit_has_time_to_shut_down() -> None:
    drain = environments.settings_from({}).drain_seconds
    for name, needed in (
        (API, drain + supervision.STOP_SECONDS_EXTRA),
        (WORKER, main.STOP_SECONDS_MAX),
    ):
        assert int(values(name, "TimeoutStopSec")[0]) > needed
        assert values(name, "KillMode") == ["mixed"]
        assert values(name, "Restart") == ["always"]


def test_the_api_and_the_worker_start_after_the_migration() -> None:
    assert values(MIGRATE, "Type") == ["oneshot"]
    for name in (API, WORKER):
        assert "renewals-migrate.service" in values(name, "After")[0].split()
        assert "renewals-migrate.service" in values(name, "Wants")[0].split()
