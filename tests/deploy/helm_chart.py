"""Helm as a library in a separate process, and the part of the chart's schema that follows from the settings.

Helm is written in Go. Its threads would stay in the process of the tests, and disturb tests that fork.
"""

import dataclasses
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args, get_origin

import annotated_types
import yaml
from pydantic.fields import FieldInfo

from renewals import config
from tests.deploy import environments

CHART = environments.ROOT / "deploy" / "helm" / "renewals"
SECRETS = ("DATABASE_URL", "REDIS_URL", "RENEWALS_DATABASE_REPLICA_URL", "RENEWALS_WEBHOOK_KEYS")
SET_BY_THE_CHART = ("RENEWALS_HOST", "RENEWALS_PORT", "RENEWALS_WORKER_METRICS_PORT")
WARNING = 2
TYPES = {bool: "boolean", int: "integer", float: "number"}
KEYWORDS = {
    annotated_types.Ge: "minimum",
    annotated_types.Le: "maximum",
    annotated_types.Gt: "exclusiveMinimum",
}

Documents = dict[tuple[str, str], dict[str, Any]]


class Rendered(NamedTuple):
    """The result of rendering: the text of the templates, or Helm's error."""

    texts: dict[str, str]
    error: str


def render(values: dict[str, Any], release: str) -> Rendered:
    """Render the chart with the values. Call this in a separate process."""
    import helm_python

    with helm_python.Chart.load(CHART) as chart:
        try:
            chart.validate_schema(values)
            return Rendered(chart.render(values, name=release, namespace="renewals"), "")
        except helm_python.HelmError as problem:
            return Rendered({}, str(problem))


def lint(values: dict[str, Any], version: str) -> list[str]:
    """Return the errors and warnings of `helm lint` for a version of Kubernetes. Call this in a separate process."""
    import helm_python

    report = helm_python.lint(CHART, values, strict=True, kube_version=f"v{version}.0")
    assert report["total_charts_linted"] == 1
    findings = [message["error"] for message in report["messages"] if message["severity"] >= WARNING]
    return [*report["errors"], *findings]


def package(folder: str) -> list[str]:
    """Package the chart into a folder; return the names of the packaged files. Call this in a separate process."""
    import helm_python

    with helm_python.Chart.load(helm_python.package(CHART, destination=folder)) as chart:
        return [file["name"] for file in (*chart.templates, *chart.files)]


@contextmanager
def process() -> Iterator[ProcessPoolExecutor]:
    """Yield an executor whose process runs the functions above."""
    with ProcessPoolExecutor(max_workers=1, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


def setting_schema(field: FieldInfo) -> dict[str, Any]:
    """Return the JSON schema of a setting in values.yaml."""
    annotation: Any = field.annotation
    choices = [part for part in (annotation, *get_args(annotation)) if get_origin(part) is Literal]
    if choices:
        return {"enum": list(get_args(choices[0]))}
    if annotation not in TYPES:
        return {"type": ["string", "integer"] if get_origin(annotation) is tuple else "string"}
    bounds = {
        KEYWORDS[type(bound)]: dataclasses.astuple(bound)[0]
        for bound in field.metadata
        if type(bound) in KEYWORDS
    }
    return {"type": TYPES[annotation], **bounds}


def settings_schema() -> dict[str, Any]:
    """Return the JSON schema of the value `settings`: all settings that neither the chart nor the Secret defines."""
    withheld = {*SECRETS, *SET_BY_THE_CHART}
    properties = {
        name: setting_schema(field) for name, field in config.variables().items() if name not in withheld
    }
    return {"type": "object", "additionalProperties": False, "properties": properties}


def texts(helm: ProcessPoolExecutor, values: dict[str, Any], release: str = "renewals") -> dict[str, str]:
    """Return the rendered text of each template by the name of its file."""
    rendered = helm.submit(render, values, release).result(timeout=60)
    assert not rendered.error
    return {Path(name).name: text for name, text in rendered.texts.items()}


def documents(helm: ProcessPoolExecutor, values: dict[str, Any], release: str = "renewals") -> Documents:
    """Return the rendered objects by kind and name."""
    objects = [
        document
        for name, text in texts(helm, values, release).items()
        if name != "NOTES.txt"
        for document in yaml.safe_load_all(text)
        if document
    ]
    by_name = {(document["kind"], document["metadata"]["name"]): document for document in objects}
    assert len(by_name) == len(objects)
    return by_name


def pods(objects: Documents) -> dict[str, dict[str, Any]]:
    """Return the template of each Deployment's pods, and of the Job's, without the hash in its name."""
    return {
        name.rpartition("-")[0] if kind == "Job" else name: document["spec"]["template"]
        for (kind, name), document in objects.items()
        if kind in ("Deployment", "Job")
    }
