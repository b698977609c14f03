"""docker-compose.yml, the Dockerfile and .dockerignore, checked without a Docker daemon."""

import re
from typing import Any

import pytest
import yaml

from graphql_api.server import supervision
from renewals.health import probes
from tests.deploy import environments
from workers import main

COMPOSE = yaml.safe_load((environments.ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
DOCKERFILE = (environments.ROOT / "Dockerfile").read_text(encoding="utf-8")
IGNORED = (environments.ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
PROJECT_SERVICES = ("migrate", "api", "worker")
DEFAULT = re.compile(r"\$\{\w+:-([^}]*)\}")


def service(name: str) -> dict[str, Any]:
    return dict(COMPOSE["services"][name])


def seconds(text: str) -> int:
    assert text.endswith("s")
    return int(text[:-1])


@pytest.mark.parametrize("name", PROJECT_SERVICES)
def test_a_service_runs_an_existing_command_with_existing_settings(name: str) -> None:
    assert environments.accepts_command(service(name)["command"])
    environment = {
        variable: DEFAULT.sub(r"\1", value) for variable, value in service(name)["environment"].items()
    }
    settings = environments.settings_from(environment)
    assert settings.required_database_url == "postgres://renewals:for-development-only@postgres:5432/renewals"
    assert settings.required_redis_url == "redis://redis:6379/0"


@pytest.mark.parametrize("name", PROJECT_SERVICES)
def test_a_service_of_the_project_has_no_unneeded_capabilities(name: str) -> None:
    assert service(name)["read_only"] is True
    assert service(name)["tmpfs"] == ["/tmp"]
    assert service(name)["cap_drop"] == ["ALL"]
    assert service(name)["image"] == f"renewals:{environments.VERSION}"
    assert "user" not in service(name)  # the image sets the user


def test_no_service_gains_privileges_or_uses_the_latest_tag() -> None:
    for name, service_ in COMPOSE["services"].items():
        assert service_["security_opt"] == ["no-new-privileges:true"], name
        tag = service_["image"].partition(":")[2]
        assert tag[:1].isdigit(), name
        assert "privileged" not in service_


def test_the_api_has_time_to_drain_and_the_worker_to_finish_its_jobs() -> None:
    drain = environments.settings_from({}).drain_seconds
    assert seconds(service("api")["stop_grace_period"]) > drain + supervision.STOP_SECONDS_EXTRA
    assert seconds(service("worker")["stop_grace_period"]) > main.STOP_SECONDS_MAX


def test_the_health_check_requests_readiness_at_the_served_port() -> None:
    settings = environments.settings_from({})
    worker_port = service("worker")["environment"]["RENEWALS_WORKER_METRICS_PORT"]
    for name, port in (("api", settings.port), ("worker", worker_port)):
        command = service(name)["healthcheck"]["test"][-1]
        assert f"http://127.0.0.1:{port}{probes.READYZ}'" in command
    assert service("migrate")["healthcheck"] == {"disable": True}
    for name in ("api", "worker"):
        assert service(name)["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


def test_the_base_image_is_a_minor_version_of_python_on_one_debian() -> None:
    node, base = sorted(set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)))
    assert re.fullmatch(r"node:\d+-trixie-slim", node)  # builds the console
    assert re.fullmatch(r"python:3\.\d+(\.\d+)?-slim-[a-z]+", base)


def test_the_image_has_its_labels_and_runs_as_an_unprivileged_user() -> None:
    labels = dict(re.findall(r'org\.opencontainers\.image\.(\w+)="([^"]*)"', DOCKERFILE))
    assert labels.keys() == {"title", "description", "licenses", "version", "revision"}
    assert labels["version"] == environments.VERSION
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    assert re.findall(r"^USER (\S+)$", last, re.MULTILINE) == ["10001:10001"]
    assert last.index("USER ") < last.index("ENTRYPOINT ")
    assert f"http://127.0.0.1:8000{probes.HEALTHZ}'" in last
    [command] = re.findall(r"^CMD (\[.*\])$", last, re.MULTILINE)
    assert environments.accepts_command(yaml.safe_load(command))


def test_the_build_context_contains_only_the_files_that_the_image_copies() -> None:
    copied = set(re.findall(r"^COPY (?!--from)(\S+) \S+$", DOCKERFILE, re.MULTILINE))
    rules = [line for line in IGNORED if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert {rule[1:] for rule in rules if rule.startswith("!")} == copied
    assert all((environments.ROOT / name).exists() for name in copied)
    excluded = rules[1 + len(copied) :]
    generated = [
        "graphql_api/static",
        "console/node_modules",
        "console/src/api/generated",
    ]  # files on developers' machines
    assert excluded == [*generated, "**/__pycache__", "**/*.py[co]", "**/.*"]
