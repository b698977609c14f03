"""deploy/kubernetes, checked against Kubernetes' own schemas and the program's settings and commands."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml

from graphql_api import app
from renewals import config
from renewals.domain import clock as clocks
from renewals.health import probes
from tests.deploy import environments, kubernetes_schemas
from workers import health_server, main

FOLDER = environments.ROOT / "deploy" / "kubernetes"
KUSTOMIZATION = yaml.safe_load((FOLDER / "kustomization.yaml").read_text(encoding="utf-8"))
SECRET = "secret.example.yaml"
UID = 10001
CLOSING_SECONDS = 15
POSTGRES_CONNECTIONS = 97  # PostgreSQL's default is 100, of which 3 are reserved for superusers
needs_kubectl = pytest.mark.skipif(not shutil.which("kubectl"), reason="there is no kubectl here")


def documents() -> Iterator[dict[str, Any]]:
    for name in (*KUSTOMIZATION["resources"], SECRET):
        yield from yaml.safe_load_all((FOLDER / name).read_text(encoding="utf-8"))


def documents_of_kind(kind: str) -> dict[str, dict[str, Any]]:
    return {document["metadata"]["name"]: document for document in documents() if document["kind"] == kind}


def pods() -> dict[str, dict[str, Any]]:
    return {
        name: document["spec"]["template"]["spec"]
        for kind in ("Deployment", "Job")
        for name, document in documents_of_kind(kind).items()
    }


def container(name: str) -> dict[str, Any]:
    [only] = pods()[name]["containers"]
    return dict(only)


def environment(name: str) -> dict[str, str]:
    """Return the container's environment: the settings, the secrets, its own variables."""
    [generated] = KUSTOMIZATION["configMapGenerator"]
    [secret] = documents_of_kind("Secret").values()
    variables: dict[str, str] = {}
    for source in container(name)["envFrom"]:
        if "configMapRef" in source:
            assert source["configMapRef"]["name"] == generated["name"]
            for file in generated["envs"]:
                variables |= environments.read(FOLDER / file)
        else:
            assert source["secretRef"]["name"] == secret["metadata"]["name"]
            variables |= secret["stringData"]
    return variables | {variable["name"]: variable["value"] for variable in container(name).get("env", ())}


DEPLOYMENTS = ("renewals-api", "renewals-operator", "renewals-worker")
PODS = (*DEPLOYMENTS, "renewals-migrate")


def test_the_manifests_have_three_deployments_and_one_migration_job() -> None:
    assert tuple(documents_of_kind("Deployment")) == DEPLOYMENTS
    assert set(pods()) == set(PODS)


@pytest.mark.parametrize("version", [kubernetes_schemas.OLDEST, kubernetes_schemas.NEWEST])
def test_each_document_matches_the_kubernetes_schema(version: str) -> None:
    for document in documents():
        kubernetes_schemas.validate(document, version)
        assert "namespace" not in document["metadata"]


@needs_kubectl
def test_kustomize_builds_the_documents_with_the_image_and_the_settings() -> None:
    process = subprocess.run(
        ["kubectl", "kustomize", str(FOLDER)], capture_output=True, text=True, check=True, timeout=60
    )
    documents_made = list(yaml.safe_load_all(process.stdout))
    for document in documents_made:
        kubernetes_schemas.validate(document, kubernetes_schemas.NEWEST)
    [config] = [document for document in documents_made if document["kind"] == "ConfigMap"]
    assert config["data"] == environments.read(FOLDER / "settings.env")
    assert "Secret" not in {document["kind"] for document in documents_made}
    assert process.stdout.count(f"image: renewals:{environments.VERSION}\n") == len(PODS)
    assert process.stdout.count(f"name: {config['metadata']['name']}\n") == len(PODS) + 1


def test_the_image_has_the_version_of_the_program() -> None:
    assert {container(name)["image"] for name in PODS} == {"renewals"}
    [image] = KUSTOMIZATION["images"]
    assert (image["name"], image["newTag"]) == ("renewals", environments.VERSION)


@pytest.mark.parametrize("name", PODS)
def test_a_container_runs_an_existing_command_with_existing_settings(name: str) -> None:
    assert environments.accepts_command(container(name)["args"])
    assert environments.settings_from(environment(name)).required_database_url


@pytest.mark.parametrize("name", PODS)
def test_no_container_is_root_or_can_become_root(name: str) -> None:
    pod = pods()[name]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == UID
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container(name)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert pod["automountServiceAccountToken"] is False
    assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()


@pytest.mark.parametrize("name", PODS)
def test_no_pod_gets_environment_variables_for_services(name: str) -> None:
    """For a Service named `renewals`, Kubernetes would set RENEWALS_PORT=tcp://... in each pod."""
    assert pods()[name]["enableServiceLinks"] is False


@pytest.mark.parametrize("name", PODS)
def test_a_read_only_container_may_write_to_tmp(name: str) -> None:
    [mount] = container(name)["volumeMounts"]
    [volume] = pods()[name]["volumes"]
    assert mount == {"name": volume["name"], "mountPath": "/tmp"}
    assert "emptyDir" in volume


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_an_update_stops_no_pod_before_the_new_one_is_ready(name: str) -> None:
    deployment = documents_of_kind("Deployment")[name]["spec"]
    assert deployment["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
    selector = deployment["selector"]["matchLabels"]
    assert deployment["template"]["metadata"]["labels"] == selector
    budget = documents_of_kind("PodDisruptionBudget")[name]["spec"]
    assert budget == {"maxUnavailable": 1, "selector": {"matchLabels": selector}}
    for spread in pods()[name]["topologySpreadConstraints"]:
        assert spread["labelSelector"]["matchLabels"] == selector


@pytest.mark.parametrize("name", ["renewals-api", "renewals-operator"])
def test_the_api_has_time_to_drain(name: str) -> None:
    pause = container(name)["lifecycle"]["preStop"]["sleep"]["seconds"]
    drain = environments.settings_from(environment(name)).drain_seconds
    assert pods()[name]["terminationGracePeriodSeconds"] >= pause + drain + CLOSING_SECONDS


def test_the_worker_has_time_to_finish_its_jobs() -> None:
    grace = pods()["renewals-worker"]["terminationGracePeriodSeconds"]
    assert grace >= main.STOP_SECONDS_MAX + CLOSING_SECONDS


@pytest.mark.parametrize("name", DEPLOYMENTS)
async def test_the_paths_of_the_probes_exist(name: str, opened: str) -> None:
    [port] = container(name)["ports"]
    settings = environments.settings_from(environment(name)).model_copy(
        update={"database_url": opened, "redis_url": None}
    )
    statuses = {}
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert container(name)[probe]["httpGet"]["port"] == port["name"]
        statuses[probe] = container(name)[probe]["httpGet"]["path"]
    assert statuses == {"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"}
    if name == "renewals-worker":
        assert port["containerPort"] == settings.worker_metrics_port
        worker_probes = probes.Probes(
            settings, clocks.utc_now, required=health_server.REQUIRED, has_metrics=True
        )
        assert set(statuses.values()) <= {route.path for route in worker_probes.routes()}
        return
    assert port["containerPort"] == settings.port
    served = app.create(settings, serves_customers=name == "renewals-api")
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=served), base_url="http://testserver"
    ) as client:
        for path in (*statuses.values(), "/metrics"):
            assert (await client.get(path)).status_code == 200, path
        assert (await client.get("/graphql")).status_code == (401 if name == "renewals-api" else 404)


def test_a_probed_process_listens_on_all_addresses() -> None:
    for name in DEPLOYMENTS:
        assert environments.settings_from(environment(name)).host == "0.0.0.0"


def test_services_and_the_autoscaler_select_existing_pods() -> None:
    for name, service in documents_of_kind("Service").items():
        assert (
            service["spec"]["selector"]
            == documents_of_kind("Deployment")[name]["spec"]["selector"]["matchLabels"]
        )
        [port] = service["spec"]["ports"]
        assert port["targetPort"] in [container_port["name"] for container_port in container(name)["ports"]]
    [(name, scaler)] = documents_of_kind("HorizontalPodAutoscaler").items()
    assert scaler["spec"]["scaleTargetRef"]["name"] == name == "renewals-api"
    assert "replicas" not in documents_of_kind("Deployment")[name]["spec"]
    assert "cpu" in container(name)["resources"]["requests"]


def test_all_pods_together_fit_the_connection_limit_of_postgresql() -> None:
    scaler = documents_of_kind("HorizontalPodAutoscaler")["renewals-api"]["spec"]
    connections = 3  # the migration's
    for name in DEPLOYMENTS:
        settings = environments.settings_from(environment(name))
        count = (
            documents_of_kind("Deployment")[name]["spec"].get("replicas", scaler["maxReplicas"]) + 1
        )  # during an update
        connections += (
            count * settings.workers * (settings.database_pool_size + 1)
        )  # plus the probes' connection
    assert connections <= POSTGRES_CONNECTIONS


def test_the_network_policies_admit_only_the_named_pods() -> None:
    policies = {name: policy["spec"] for name, policy in documents_of_kind("NetworkPolicy").items()}
    assert set(policies) == {"renewals", *DEPLOYMENTS}
    app_policy = policies["renewals"]
    assert "ingress" not in app_policy
    assert app_policy["policyTypes"] == ["Ingress", "Egress"]
    [labels] = KUSTOMIZATION["labels"]
    assert labels["includeTemplates"] and labels["pairs"] == app_policy["podSelector"]["matchLabels"]
    open_ports = {port["port"] for rule in app_policy["egress"] for port in rule["ports"]}
    assert open_ports == {53, 5432, 6379}

    for name in DEPLOYMENTS:
        assert policies[name]["podSelector"] == documents_of_kind("Deployment")[name]["spec"]["selector"]
        [rule] = policies[name]["ingress"]
        assert [policy["port"] for policy in rule["ports"]] == [container(name)["ports"][0]["name"]]
        [egress] = policies[name]["egress"]
        assert [policy["port"] for policy in egress["ports"]] == list(config.Settings().webhook_ports)
    assert "from" not in policies["renewals-api"]["ingress"][0]
    assert policies["renewals-operator"]["ingress"][0]["from"] == [
        {"namespaceSelector": {"matchLabels": {"renewals-operators": "allowed"}}}
    ]
    assert "from" in policies["renewals-worker"]["ingress"][0]


def test_the_example_of_the_secret_is_not_applied() -> None:
    assert SECRET not in KUSTOMIZATION["resources"]
    known_files = {*KUSTOMIZATION["resources"], SECRET, "kustomization.yaml", "settings.env"}
    assert {path.name for path in Path(FOLDER).iterdir()} == known_files
