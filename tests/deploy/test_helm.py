"""deploy/helm, rendered by Helm itself: valid for Kubernetes, and by default the same as deploy/kubernetes."""

import base64
import itertools
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import pytest

from tests.deploy import environments, kubernetes_schemas, test_kubernetes
from tests.deploy import helm_chart as charts
from tests.deploy.helm_values import EVERYTHING, LITTLE, SECRETS

VERSIONS = (kubernetes_schemas.OLDEST, kubernetes_schemas.NEWEST)
ALL_VALUES = pytest.mark.parametrize(
    "values", [{}, EVERYTHING, LITTLE], ids=["defaults", "everything", "little"]
)


def decode_secret(secret: dict[str, Any]) -> dict[str, str]:
    """Return the values of a Secret."""
    return {name: base64.b64decode(value).decode() for name, value in secret["data"].items()}


def environment(objects: charts.Documents, pod: dict[str, Any]) -> dict[str, str]:
    """Return the environment of a pod's container. For a Secret outside of the chart, use the example values."""
    [container] = pod["spec"]["containers"]
    variables: dict[str, str] = {}
    for source in container["envFrom"]:
        if "configMapRef" in source:
            variables |= objects["ConfigMap", source["configMapRef"]["name"]]["data"]
        else:
            secret = objects.get(("Secret", source["secretRef"]["name"]))
            variables |= decode_secret(secret) if secret else SECRETS
    return variables | {variable["name"]: variable["value"] for variable in container.get("env", ())}


def read_kustomization() -> charts.Documents:
    """Return the objects of deploy/kubernetes with the label and the image of its kustomization."""
    [labels] = test_kubernetes.KUSTOMIZATION["labels"]
    [image] = test_kubernetes.KUSTOMIZATION["images"]
    objects = {}
    for document in test_kubernetes.documents():
        objects[document["kind"], document["metadata"]["name"]] = document
        if document["kind"] in ("Deployment", "Job"):
            template = document["spec"]["template"]
            template["metadata"]["labels"] |= labels["pairs"]
            template["spec"]["containers"][0]["image"] = f"{image['newName']}:{image['newTag']}"
    del objects["Secret", "renewals-secrets"]
    return objects


@pytest.mark.parametrize("version", VERSIONS)
@ALL_VALUES
def test_helm_lint_reports_no_error_and_no_warning(
    helm: ProcessPoolExecutor, values: dict[str, Any], version: str
) -> None:
    assert helm.submit(charts.lint, values, version).result(timeout=60) == []


@pytest.mark.parametrize("version", VERSIONS)
@ALL_VALUES
def test_each_object_matches_the_kubernetes_schema(
    helm: ProcessPoolExecutor, values: dict[str, Any], version: str
) -> None:
    for (kind, _), document in charts.documents(helm, values).items():
        assert "namespace" not in document["metadata"]
        if kind != "ServiceMonitor":  # of the Prometheus Operator
            kubernetes_schemas.validate(document, version)


def test_the_default_values_render_the_same_objects_as_the_kustomization(helm: ProcessPoolExecutor) -> None:
    objects, expected = charts.documents(helm, {}), read_kustomization()
    settings = objects.pop(("ConfigMap", "renewals-settings"))
    assert settings["data"] == environments.read(test_kubernetes.FOLDER / "settings.env")
    [job] = [key for key in objects if key[0] == "Job"]
    objects["Job", job[1].rpartition("-")[0]] = objects.pop(job)  # without the hash
    assert objects.keys() == expected.keys()
    for key, document in objects.items():
        if key[0] in ("Deployment", "Job"):
            assert document["spec"]["template"]["metadata"].pop("annotations").keys() == {"checksum/settings"}
        assert document["spec"] == expected[key]["spec"], key


@ALL_VALUES
def test_a_container_runs_an_existing_command_with_existing_settings(
    helm: ProcessPoolExecutor, values: dict[str, Any]
) -> None:
    objects = charts.documents(helm, values)
    for name, pod in charts.pods(objects).items():
        [container] = pod["spec"]["containers"]
        assert environments.accepts_command(container["args"]), name
        settings = environments.settings_from(environment(objects, pod))
        assert settings.required_database_url == SECRETS["DATABASE_URL"]
        if name.endswith("worker"):
            assert container["ports"][0]["containerPort"] == settings.worker_metrics_port
        if name.endswith(("api", "operator")):
            assert container["ports"][0]["containerPort"] == settings.port
            pause = container["lifecycle"]["preStop"]["sleep"]["seconds"]
            least = pause + settings.drain_seconds + test_kubernetes.CLOSING_SECONDS
            assert pod["spec"]["terminationGracePeriodSeconds"] >= least


def test_the_program_reads_the_settings_of_the_values_unchanged(helm: ProcessPoolExecutor) -> None:
    objects = charts.documents(helm, EVERYTHING)
    settings = {
        name: environments.settings_from(environment(objects, pod))
        for name, pod in charts.pods(objects).items()
    }
    assert settings["billing-api"].cost_max == 20_000_000
    assert settings["billing-api"].drain_seconds == 44.5
    assert settings["billing-api"].federation
    assert settings["billing-api"].webhook_ports == (443, 8443)
    assert settings["billing-api"].webhook_keys
    assert [settings[f"billing-{name}"].console for name in ("api", "operator")] == [True, False]
    assert [settings[f"billing-{name}"].workers for name in ("api", "worker")] == [2, 1]


def test_all_pods_have_the_options_for_all_pods(helm: ProcessPoolExecutor) -> None:
    pods = charts.pods(charts.documents(helm, EVERYTHING))
    assert len(pods) == 4
    for pod in pods.values():
        [container] = pod["spec"]["containers"]
        image = EVERYTHING["image"]
        assert container["image"] == f"{image['repository']}@{image['digest']}"
        assert container["imagePullPolicy"] == image["pullPolicy"]
        assert container["resources"] == EVERYTHING["api"]["resources"]
        assert EVERYTHING["volumeMounts"][0] in container["volumeMounts"]
        assert EVERYTHING["volumes"][0] in pod["spec"]["volumes"]
        assert pod["metadata"]["annotations"].items() >= EVERYTHING["podAnnotations"].items()
        for name in ("imagePullSecrets", "nodeSelector", "tolerations", "affinity"):
            assert pod["spec"][name] == EVERYTHING[name]
        assert pod["spec"]["securityContext"]["runAsUser"] == test_kubernetes.UID
        assert container["securityContext"]["readOnlyRootFilesystem"] is True


def test_a_new_migration_job_is_created_only_for_a_changed_image_or_setting(
    helm: ProcessPoolExecutor,
) -> None:
    """Kubernetes neither changes a Job, nor runs a second one with the same name."""

    def job(values: dict[str, Any]) -> str:
        [name] = [name for kind, name in charts.documents(helm, values) if kind == "Job"]
        return name

    assert job({}) == job({"api": {"replicas": 3}})
    changes = [{"image": {"tag": "2"}}, {"settings": {"RENEWALS_LOG_LEVEL": "DEBUG"}}]
    assert len({job({}), *map(job, changes)}) == 3


def test_changed_settings_and_secrets_replace_the_pods(helm: ProcessPoolExecutor) -> None:
    def checksums(values: dict[str, Any]) -> list[dict[str, str]]:
        pods = charts.pods(charts.documents(helm, values))
        return [pod["metadata"]["annotations"] for pod in pods.values()]

    created = {"existingName": "", "values": SECRETS}
    other = {"existingName": "", "values": SECRETS | {"REDIS_URL": "redis://other:6379/0"}}
    variants: list[dict[str, Any]] = [
        {},
        {"settings": {"RENEWALS_FEDERATION": True}},
        {"secret": created},
        {"secret": other},
    ]
    for before, after in itertools.pairwise(variants):
        assert all(a != b for a, b in zip(checksums(before), checksums(after), strict=True))


def test_a_secret_is_created_only_from_given_values(helm: ProcessPoolExecutor) -> None:
    assert "Secret" not in {kind for kind, _ in charts.documents(helm, {})}
    objects = charts.documents(helm, EVERYTHING)
    [secret] = [document for (kind, _), document in objects.items() if kind == "Secret"]
    assert decode_secret(secret) == SECRETS
    sources = {
        name: pod["spec"]["containers"][0]["envFrom"][1]["secretRef"]["name"]
        for name, pod in charts.pods(objects).items()
    }
    assert sources.pop("billing-migrate") == "owner"
    assert set(sources.values()) == {secret["metadata"]["name"]}


@pytest.mark.parametrize(
    ("settings", "more"),
    [
        ({}, []),
        ({"RENEWALS_CONSOLE": True}, ["/console", "/"]),
        ({"RENEWALS_GRAPHIQL": True}, ["/graphiql", "/"]),
    ],
)
def test_the_ingress_publishes_the_paths_of_customers(
    helm: ProcessPoolExecutor, settings: dict[str, bool], more: list[str]
) -> None:
    values = {"settings": settings, "ingress": EVERYTHING["ingress"]}
    objects = charts.documents(helm, values)
    spec = objects["Ingress", "renewals-api"]["spec"]
    assert (
        [rule["host"] for rule in spec["rules"]] == EVERYTHING["ingress"]["hosts"] == spec["tls"][0]["hosts"]
    )
    for rule in spec["rules"]:
        paths = rule["http"]["paths"]
        assert [path["path"] for path in paths] == ["/graphql", "/export", "/calendar.ics", *more]
        assert [path["pathType"] for path in paths if path["path"] == "/"] in ([], ["Exact"])
        for path in paths:
            service = path["backend"]["service"]
            ports = objects["Service", service["name"]]["spec"]["ports"]
            assert service["port"]["name"] in [port["name"] for port in ports]
    assert {kind for kind, _ in charts.documents(helm, {}) if kind == "Ingress"} == set()


def test_prometheus_may_scrape_each_service(helm: ProcessPoolExecutor) -> None:
    objects = charts.documents(helm, EVERYTHING)
    spec = objects["ServiceMonitor", "billing"]["spec"]
    services = {name: document for (kind, name), document in objects.items() if kind == "Service"}
    assert services.keys() == {"billing-api", "billing-operator", "billing-worker"}
    scraped = [endpoint["port"] for endpoint in spec["endpoints"]]
    for name, service in services.items():
        labels = service["metadata"]["labels"]
        assert labels.items() >= spec["selector"]["matchLabels"].items()
        assert labels[spec["jobLabel"]] == name
        [port] = service["spec"]["ports"]
        assert port["name"] in scraped
        pod = charts.pods(objects)[name]
        assert pod["metadata"]["labels"].items() >= service["spec"]["selector"].items()
        assert port["targetPort"] in [port["name"] for port in pod["spec"]["containers"][0]["ports"]]
        [ingress] = objects["NetworkPolicy", name]["spec"]["ingress"]
        monitoring = {"namespaceSelector": {"matchLabels": {"renewals-monitoring": "allowed"}}}
        assert "from" not in ingress or monitoring in ingress["from"]


def test_two_releases_in_one_namespace_share_no_object(helm: ProcessPoolExecutor) -> None:
    first, second = (charts.documents(helm, {}, release) for release in ("renewals", "trial"))
    assert not first.keys() & second.keys()
    assert {name.startswith("trial-renewals") for _, name in second} == {True}
    for release, name in ((first, "renewals"), (second, "trial-renewals")):
        for pod_name, pod in charts.pods(release).items():
            labels = {"app.kubernetes.io/name": pod_name, "app.kubernetes.io/part-of": name}
            assert pod["metadata"]["labels"] == labels
