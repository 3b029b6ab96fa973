"""Alerts, dashboards and autoscalers ask in PromQL for series that the nodes have, by labels of these."""

from __future__ import annotations

import json
import re
from string import Template

import pytest
import yaml

from socketio_cluster.cluster.metrics.families import FAMILIES
from tests.k8s.helm import CASES, CHART
from tests.k8s.query import ALWAYS, SERIES, Query, series

DOCS = CHART.parent / "docs"
RULES = {"metrics": {"prometheusRule": {"enabled": True}}}
DASHBOARDS = sorted((CHART / "dashboards").glob("*.json"))


class Dashboard:
    """A dashboard as Grafana shows it: expressions with values instead of variables."""

    def __init__(self, path):
        found = json.loads(path.read_text())
        self.panels = [panel for panel in found["panels"] if panel["type"] != "row"]
        self.variables = [one for one in found["templating"]["list"] if one["type"] == "query"]
        assert [one["name"] for one in self.variables] == ["namespace", "pod"]

    @staticmethod
    def fill(text):
        """Put values into an expression; KeyError for a variable that is not there."""
        return Template(text).substitute({"namespace": "a", "pod": "b", "__rate_interval": "1m"})


@pytest.fixture(params=DASHBOARDS, ids=[path.stem for path in DASHBOARDS])
def dashboard(request):
    return Dashboard(request.param)


@pytest.mark.parametrize(
    ("expression", "unknown"),
    [
        ("histogram_quantile(0.9, sum by (event, le) (rate(socketio_handler_seconds_bucket[5m])))", []),
        ("sum by (node) (socketio_connections > 1) / on (node) sum by (node) (socketio_nodes)", []),
        ("rate(socketio_cleints[5m])", ["socketio_cleints"]),
        ("-(socketio_handler_seconds)", ["socketio_handler_seconds"]),
        ("socketio_connections_sum", ["socketio_connections_sum"]),
        ('socketio_clients{pdo="a"}', ["pdo"]),
        ('max_over_time(socketio_clients{reason="a"}[1h:1m])', ["reason"]),
        ("sum by (flavour) (socketio_clients{})", ["flavour"]),
        ("sum without (flavour) (socketio_clients{})", ["flavour"]),
        ("sum by (transport) (sum by (node) (socketio_connections))", ["transport"]),
        ("sum by (node) (socketio_clients) / on (pod) socketio_rooms", ["pod"]),
        ("socketio_clients / ignoring (state) group_left (flavour) socketio_nodes", ["flavour"]),
    ],
)
def test_unknown_names_are_noticed(expression, unknown):
    """The check itself finds series and labels that do not exist where they are asked for."""
    assert Query(expression).unknown == unknown


@pytest.mark.parametrize("wrong", ["rate(socketio_clients)", "sum by (node (socketio_clients)", "rte(a[5m])"])
def test_what_is_no_promql_is_noticed(wrong):
    """Parentheses, functions and types have to be right."""
    with pytest.raises(ValueError):
        Query(wrong)


@pytest.mark.parametrize("case", CASES)
def test_alerts(any_helm, case):
    """Each alert asks for existing series of this release alone, and says what to do."""
    objects = any_helm.render(RULES, case=case)
    name = objects.node["metadata"]["name"]
    rules = objects.one("PrometheusRule")["spec"]["groups"][0]["rules"]
    assert len(rules) > 10
    for rule in rules:
        query = Query(rule["expr"])
        assert query.unknown == [], rule["alert"]
        for selector in query.selectors:
            assert f'{{namespace="demo",pod=~"{name}-' in str(selector)
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert len(rule["annotations"]["runbook"]) > 60
        told = rule["annotations"]["summary"]
        assert {*re.findall(r"\$labels\.(\w+)", told)} <= query.labels, told


def test_dashboard(dashboard):
    """Each panel asks for existing series, says what it shows, and has legends of labels that are there."""
    assert len(dashboard.panels) > 15
    for panel in dashboard.panels:
        assert panel["description"]
        for target in panel["targets"]:
            query = Query(dashboard.fill(target["expr"]))
            assert query.unknown == [], panel["title"]
            assert {*re.findall(r"{{(\w+)}}", target["legendFormat"])} <= query.labels, panel["title"]
            for selector in query.selectors:
                assert str(selector) == f'{selector.name}{{namespace="a",pod=~"b"}}'


def test_variables(dashboard):
    """The values of the dashboard's variables are those of labels that exist."""
    for variable in dashboard.variables:
        asked = variable["query"]["query"]
        assert variable["definition"] == asked
        selector, label = re.fullmatch(r"label_values\((.+), (\w+)\)", dashboard.fill(asked)).groups()
        query = Query(selector)
        assert query.unknown == []
        assert label in query.labels


def test_everything_is_shown(dashboard):
    """Every metric of the nodes is in a panel of the dashboard."""
    targets = [target for panel in dashboard.panels for target in panel["targets"]]
    shown = set().union(*(Query(dashboard.fill(target["expr"])).series for target in targets))
    assert [family.name for family in FAMILIES if shown.isdisjoint(series(family))] == []


def test_autoscalers(any_helm):
    """The autoscalers count by a metric that exists."""
    hpa = any_helm.render(case="autoscaling").one("HorizontalPodAutoscaler")
    assert hpa["spec"]["metrics"][1]["pods"]["metric"]["name"] in SERIES
    triggers = any_helm.render(case="keda").one("ScaledObject")["spec"]["triggers"]
    query = Query(triggers[0]["metadata"]["query"])
    assert (query.series, query.unknown) == ({"socketio_connections"}, [])
    assert 'namespace="demo",pod=~"chat-' in str(query.selectors[0])


def test_adapter(any_helm):
    """The documented rule of prometheus-adapter makes the metric that the autoscaler asks for."""
    text = (DOCS / "kubernetes.md").read_text()
    (rule,) = yaml.safe_load(re.search(r"^```yaml\n(rules:.*?)^```", text, re.DOTALL | re.MULTILINE)[1])[
        "rules"
    ]
    asked = Query(rule["seriesQuery"])
    hpa = any_helm.render(case="autoscaling").one("HorizontalPodAutoscaler")
    assert asked.series == {hpa["spec"]["metrics"][1]["pods"]["metric"]["name"]}
    assert rule["resources"]["overrides"].keys() <= ALWAYS
    values = {"GroupBy": "pod", "LabelMatchers": 'namespace="demo",pod=~"a|b"', "Series": asked.series.pop()}
    query = Query(re.sub(r"<<\.(\w+)>>", lambda found: values[found[1]], rule["metricsQuery"]))
    assert (asked.unknown, query.unknown, query.labels) == ([], [], {"pod"})
