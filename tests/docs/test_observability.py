"""docs/observability.md, the alerts and the dashboard name only existing metrics."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.metrics import MetricWrapperBase

from renewals.observability import metrics

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| `(renewals_\w+)` \| (\w+) \| (.*?) \| (.*) \|$", re.MULTILINE)
NAME = re.compile(r"\brenewals_\w+")
SELECTOR = re.compile(r"\b(renewals_\w+)\{([^}]*)\}")
MATCHER = re.compile(r'(\w+)\s*(?:=~|!~|!=|=)\s*"')
BY = re.compile(r"\bby \(([^)]*)\)")
OF_HISTOGRAMS = ("_bucket", "_sum", "_count")
OF_SCRAPES = {"job", "instance", "le"}

Described = dict[str, tuple[str | None, tuple[str, ...], str]]


def describe_metrics() -> Described:
    """Return every metric of the project: its type, its labels and its help."""
    metrics_by_name: Described = {}
    for metric in vars(metrics).values():
        if isinstance(metric, MetricWrapperBase):
            name = f"{metric._name}_total" if metric._type == "counter" else metric._name
            metrics_by_name[name] = (metric._type, tuple(metric._labelnames), metric._documentation)
    for name, (help_text, label) in metrics.POLLED_METRICS.items():
        metrics_by_name[name] = ("gauge", (label,) if label else (), help_text)
    return metrics_by_name


def alerts() -> list[dict[str, Any]]:
    groups = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def dashboard() -> dict[str, Any]:
    return dict(json.loads((ROOT / "deploy/grafana/renewals.json").read_text(encoding="utf-8")))


def expressions() -> Iterator[str]:
    yield from (rule["expr"] for rule in alerts())
    for panel in dashboard()["panels"]:
        yield from (target["expr"] for target in panel.get("targets", ()))


def test_the_page_lists_every_metric_with_its_type_labels_and_help() -> None:
    page = (ROOT / "docs/observability.md").read_text(encoding="utf-8")
    rows = {
        name: (kind, tuple(re.findall(r"`(\w+)`", labels)), words)
        for name, kind, labels, words in ROW.findall(page)
    }
    assert rows == describe_metrics()


def test_the_names_of_metrics_end_with_their_units() -> None:
    for name, (kind, _, _) in describe_metrics().items():
        assert (kind == "counter") == name.endswith("_total"), name
        if kind == "histogram":
            assert name.endswith(("_seconds", "_cost")), name


@pytest.mark.parametrize("expression", sorted(set(expressions())))
def test_alerts_and_dashboard_use_existing_metrics_and_labels(expression: str) -> None:
    assert expression.count("(") == expression.count(")") and expression.count("{") == expression.count("}")
    known = describe_metrics()
    labels: set[str] = set(OF_SCRAPES)
    names = set(NAME.findall(expression))
    for name in names:
        base_name = next((name.removesuffix(end) for end in OF_HISTOGRAMS if name.endswith(end)), name)
        metric = known[name] if name in known else known[base_name]
        assert name in known or metric[0] == "histogram", name
        labels |= set(metric[1])
    assert names or expression.startswith("up{")
    for _, selector in SELECTOR.findall(expression):
        assert set(MATCHER.findall(selector)) <= labels
    for grouped in BY.findall(expression):
        assert {label.strip() for label in grouped.split(",")} <= labels


def test_every_alert_has_a_runbook() -> None:
    page = (ROOT / "docs/alerts.md").read_text(encoding="utf-8")
    anchors = {
        re.sub(r"[^a-z0-9-]", "", title.lower().replace(" ", "-"))
        for title in re.findall(r"^### (.*)$", page, re.MULTILINE)
    }
    runbooks = [rule["annotations"]["runbook"] for rule in alerts()]
    assert {runbook.partition("#")[2] for runbook in runbooks} == anchors
    assert len(runbooks) == len(anchors) == len({rule["alert"] for rule in alerts()})
    assert {runbook.partition("#")[0] for runbook in runbooks} == {"docs/alerts.md"}
    for rule in alerts():
        assert rule.keys() <= {"alert", "expr", "for", "labels", "annotations"}
        assert rule["labels"]["severity"] in ("critical", "warning")
        assert rule["annotations"].keys() == {"summary", "description", "runbook"}


def test_the_panels_of_the_dashboard_have_unique_ids_and_fit_its_width() -> None:
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
