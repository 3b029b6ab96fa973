"""Alerts and dashboard ask for metrics that the nodes have, by labels that these have."""

from __future__ import annotations

import json
import re

import pytest

from cluster.metrics.families import FAMILIES
from tests.k8s.helm import CHART

ALWAYS = {"node", "namespace", "pod", "release"}
"""Labels that every series has: ours, and those that Prometheus and the rules add."""

LABELS = {family.name: {*family.labels, *ALWAYS} for family in FAMILIES}
SUFFIXES = ("_bucket", "_sum", "_count")


def metric(word):
    """The family that a name in an expression belongs to."""
    base = next((word.removesuffix(s) for s in SUFFIXES if word.removesuffix(s) in LABELS), word)
    return base if word.endswith(SUFFIXES) else word


def unknown(expression):
    """Names of metrics and labels that no node has."""
    names = re.findall(r"\b((?:socketio|process)_\w+)", expression)
    lost = [name for name in names if metric(name) not in LABELS]
    known = {"le"}.union(*(LABELS[metric(name)] for name in names if metric(name) in LABELS))
    for group in re.findall(r"by \(([^)]*)\)", expression):
        lost += [label for label in re.split(r",\s*", group) if label not in known]
    return lost


@pytest.fixture
def rules(any_helm):
    return any_helm.render(case="autoscaling").one("PrometheusRule")["spec"]["groups"][0]["rules"]


@pytest.fixture(scope="module")
def panels():
    found = json.loads((CHART / "dashboards" / "nodes.json").read_text())["panels"]
    return [panel for panel in found if panel["type"] != "row"]


def test_unknown_names_are_noticed():
    """The check itself finds a metric and a label that do not exist."""
    assert unknown("sum by (flavour) (socketio_clients{})") == ["flavour"]
    assert unknown("rate(socketio_cleints[5m])") == ["socketio_cleints"]
    assert unknown("histogram_quantile(0.9, sum by (event, le) (socketio_handler_seconds_bucket))") == []


def test_alerts(rules):
    """Each alert asks for existing series of this release alone, and says what to do."""
    assert len(rules) > 10
    for rule in rules:
        assert unknown(rule["expr"]) == [], rule["alert"]
        assert 'namespace="demo", pod=~"chat-socketio-cluster-' in rule["expr"]
        assert "RELEASE" not in rule["expr"]
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert len(rule["annotations"]["runbook"]) > 60
        told = rule["annotations"]["summary"]
        by = re.findall(r"\$labels\.(\w+)", told)
        assert unknown(f"by ({', '.join(by)}) {rule['expr']}" if by else rule["expr"]) == [], told


def test_dashboard(panels):
    """Each panel asks for existing series and says what it shows."""
    assert len(panels) > 15
    for panel in panels:
        assert panel["description"]
        for target in panel["targets"]:
            assert unknown(target["expr"]) == [], panel["title"]
            assert 'pod=~"$pod"' in target["expr"]


def test_autoscalers(any_helm):
    """The autoscalers count by a metric that exists."""
    hpa = any_helm.render(case="autoscaling").one("HorizontalPodAutoscaler")
    assert hpa["spec"]["metrics"][1]["pods"]["metric"]["name"] in LABELS
    triggers = any_helm.render(case="keda").one("ScaledObject")["spec"]["triggers"]
    assert unknown(triggers[0]["metadata"]["query"]) == []


def test_everything_is_shown(panels):
    """Every metric of the nodes is in a panel of the dashboard."""
    shown = {metric(n) for p in panels for t in p["targets"] for n in re.findall(r"\b(\w+)\{", t["expr"])}
    assert LABELS.keys() - shown == set()
