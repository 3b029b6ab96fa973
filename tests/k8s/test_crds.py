"""What the chart renders for Gateways, the Prometheus Operator and KEDA fits the definitions of these."""

from __future__ import annotations

import re

import kubernetes_validate
import pytest
import yaml
from jsonschema import Draft4Validator

from tests.k8s import crds
from tests.k8s.helm import CASES, CHART, NEWEST

GATEWAYS = [
    {"name": "gateway"},
    {
        "group": "gateway.networking.k8s.io",
        "kind": "Gateway",
        "name": "gateway",
        "namespace": "gateways",
        "sectionName": "https",
        "port": 443,
    },
]
ROUTE = {
    "enabled": True,
    "annotations": {"example.com/on": "1"},
    "parentRefs": GATEWAYS,
    "hostnames": ["chat.example.com", "*.example.com"],
    "path": "/chat,a=1",
    "requestTimeout": "1h30m",
}
SCALING = {
    "targetCPU": None,
    "targetConnections": 1000000,
    "behavior": {
        "scaleUp": {"stabilizationWindowSeconds": 60, "selectPolicy": "Max"},
        "scaleDown": {
            "selectPolicy": "Disabled",
            "policies": [{"type": "Percent", "value": 10, "periodSeconds": 30}],
        },
    },
}
KEDA = {
    "enabled": True,
    "prometheus": "https://prometheus.example.com/a?b=c#d",
    "pollingInterval": 1,
    "fallback": {"failureThreshold": 1, "replicas": 0},
}
LABELS = {"enabled": True, "labels": {"prometheus": "1"}}
BUS, OPEN = {"bus": {"existingSecret": "bus"}}, {"networkPolicy": {"enabled": False}}
OPTIONS = [
    ("HTTPRoute", {"httpRoute": ROUTE}),
    ("HTTPRoute", {"httpRoute": {"enabled": True, "parentRefs": GATEWAYS, "requestTimeout": ""}}),
    ("ServiceMonitor", OPEN | {"metrics": {"serviceMonitor": {**LABELS, "interval": "1m30s"}}}),
    ("PodMonitor", OPEN | {"metrics": {"podMonitor": {**LABELS, "interval": "1h500ms"}}}),
    ("PrometheusRule", {"metrics": {"prometheusRule": LABELS}}),
    ("PrometheusRule", {"metrics": {"prometheusRule": LABELS}, "limits": {"maxConnections": None}}),
    ("ScaledObject", BUS | {"keda": {"enabled": True}, "autoscaling": {"targetConnections": None}}),
    ("ScaledObject", BUS | {"keda": KEDA, "autoscaling": SCALING, "limits": {"maxConnections": None}}),
]


@pytest.fixture(scope="module", autouse=True)
def definitions():
    """All of them, or a word why not."""
    try:
        for module, path in [*crds.FILES.values(), *crds.EXPERIMENTAL.values()]:
            crds.fetch(module, path)
    except crds.Missing as error:
        pytest.skip(str(error))


def check(objects):
    """Compare the objects of other projects' kinds with their definitions; gives these kinds."""
    found = [one for one in objects if one["kind"] in crds.FILES]
    for one in found:
        assert crds.faults(one) == [], one["kind"]
        owner = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": one["metadata"]}
        kubernetes_validate.validate(owner, NEWEST, strict=True)
    return {one["kind"] for one in found}


@pytest.mark.parametrize("case", CASES)
def test_cases(any_helm, case):
    """Every object of another project's kind fits its definition, with each file of k8s/ci."""
    values = {"sticky": {"mode": "none"}} if case == "gateway" else {}  # its mode has a test of its own
    check(any_helm.render(values, case=case))


@pytest.mark.parametrize(("kind", "values"), OPTIONS)
def test_options(any_helm, kind, values):
    """So does each kind with every option that shapes it, in a release whose name reads like a number."""
    assert kind in check(any_helm.render(values | {"fullnameOverride": "chat"}, name="1"))


@pytest.mark.parametrize("version", crds.EXPERIMENTAL)
def test_session_persistence(any_helm, version):
    """Session persistence fits the experimental channel of the Gateway API that was named, and no other."""
    values = {"httpRoute": {"gatewayAPI": version}, "sticky": {"cookieName": "1"}}
    route = any_helm.render(values, case="gateway").one("HTTPRoute")
    for other, source in crds.EXPERIMENTAL.items():
        assert (crds.faults(route, source) == []) == (other == version)
    (fault,) = crds.faults(route)
    assert "'sessionPersistence' was unexpected" in fault


def test_the_documented_route():
    """The route of docs/balancers.md fits the experimental channel, and that of 1.7 as its comment says."""
    text = (CHART.parent / "docs" / "balancers.md").read_text()
    written = re.search(r"^```yaml\n(apiVersion: gateway.*?)^```", text, re.DOTALL | re.MULTILINE)[1]
    newer = re.sub(r"sessionName: node +# .*: (cookie: .*)", r"\1", written)
    for version, route in {"1.6": written, "1.7": newer}.items():
        assert crds.faults(yaml.safe_load(route), crds.EXPERIMENTAL[version]) == []


FREE = {"matchLabels", "labels", "annotations", "metadata"}
"""Mappings whose keys these schemas do not know."""


def misspelt(found):
    """Every copy of a part of an object in which one field has another name."""
    if isinstance(found, list):
        for index, item in enumerate(found):
            for wrong in misspelt(item):
                yield [*found[:index], wrong, *found[index + 1 :]]
    elif isinstance(found, dict):
        for key, value in found.items():
            yield {**{k: v for k, v in found.items() if k != key}, f"{key}x": value}
            for wrong in misspelt(value) if key not in FREE else ():
                yield {**found, key: wrong}


@pytest.mark.parametrize(("kind", "values"), OPTIONS)
def test_misspelt_fields_are_noticed(any_helm, kind, values):
    """Wherever a field of an object is misspelt, the check finds it."""
    found = any_helm.render(values).one(kind)
    wrong = [{**found, "spec": spec} for spec in misspelt(found["spec"])]
    assert len(wrong) > 5
    assert [one for one in wrong if not crds.faults(one)] == []


def test_special_schemas():
    """Null fits where it is allowed alone, numbers and strings where both are, any field where all are."""
    fields = {
        "null": {"type": "string", "nullable": True},
        "text": {"type": "string"},
        "both": {"x-kubernetes-int-or-string": True},
        "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "map": {"type": "object", "additionalProperties": {"type": "object", "properties": {}}},
    }
    fits = Draft4Validator(crds.strict({"type": "object", "properties": fields})).is_valid
    assert fits({"null": None, "both": 1, "free": {"a": 1}, "map": {"a": {}}})
    assert fits({"null": "a", "both": "a"})
    for wrong in ({"text": None}, {"both": 1.5}, {"map": {"a": {"b": 1}}}, {"map": {"a": 1}}, {"more": 1}):
        assert not fits(wrong)
