"""Values that cannot work are refused with a sentence that says what to do."""

from __future__ import annotations

import pytest

from tests.k8s.helm import Refused

VALKEY = {"valkey": {"enabled": True}}
HOSTS = {"enabled": True, "hosts": [{"host": "a"}]}

TOGETHER = [
    ({"replicaCount": 2}, "More than one pod needs a bus"),
    ({"autoscaling": {"enabled": True}}, "More than one pod needs a bus"),
    ({"keda": {"enabled": True}}, "More than one pod needs a bus"),
    (VALKEY | {"bus": {"url": "redis://a"}}, "There is one bus"),
    ({"bus": {"url": "redis://a", "existingSecret": "b"}}, "There is one bus"),
    ({"secret": {"value": "x" * 16, "existingSecret": "b"}}, "There is one secret"),
    ({"recovery": {"seconds": 9, "url": "redis://a", "existingSecret": "b"}}, "There is one Redis beside"),
    ({"recovery": {"url": "redis://a"}}, "set recovery.seconds"),
    ({"bus": {"url": "amqp://a"}, "recovery": {"seconds": 9}}, "name a Redis that does"),
    ({"terminationGracePeriodSeconds": 44}, "too short: the drain needs 45 s"),
    ({"drain": {"window": 100}, "terminationGracePeriodSeconds": 60}, "too short: the drain needs 125 s"),
    ({"limits": {"softConnections": 10000}}, "softConnections has to be below limits.maxConnections"),
    (VALKEY | {"autoscaling": {"enabled": True}, "keda": {"enabled": True}}, "fight over the number"),
    (VALKEY | {"autoscaling": {"enabled": True, "minReplicas": 11}}, "minReplicas is above"),
    (VALKEY | {"autoscaling": {"enabled": True, "targetCPU": None}}, "needs something to look at"),
    (VALKEY | {"autoscaling": {"enabled": True, "targetConnections": 10000}}, "not below what a pod takes"),
    ({"sticky": {"mode": "cookie"}}, "name it in ingress.controller"),
    ({"sticky": {"mode": "cookie"}, "ingress": HOSTS}, "name it in ingress.controller"),
    ({"sticky": {"mode": "sessionPersistence"}}, "set httpRoute.enabled"),
    ({"ingress": {"enabled": True}}, "needs ingress.hosts"),
    ({"httpRoute": {"enabled": True}}, "needs httpRoute.parentRefs"),
    ({"service": {"nodePort": 30000}}, "needs service.type NodePort"),
    (
        {"metrics": {"serviceMonitor": {"enabled": True}, "podMonitor": {"enabled": True}}},
        "count everything twice",
    ),
    ({"metrics": {"serviceMonitor": {"enabled": True}}}, "keep Prometheus out"),
    (
        {"bus": {"url": "redis://a"}, "networkPolicy": {"egress": {"enabled": True}}},
        "keep the pods from their bus",
    ),
    ({"emit": {"enabled": True}}, "needs one token"),
    ({"emit": {"enabled": True, "token": "x" * 16, "existingSecret": "a"}}, "needs one token"),
    ({"emit": {"enabled": True, "token": "x" * 16}}, "keep everybody from the emit port"),
    ({"extraEnv": [{"name": "CLUSTER_PORT", "value": "1"}]}, "CLUSTER_PORT is the chart's own"),
]

ALONE = [
    ({"replicaCuont": 2}, "replicaCuont"),
    ({"bus": {"url": "http://a"}}, "bus/url"),
    ({"recovery": {"url": "amqp://a"}}, "recovery/url"),
    ({"secret": {"value": "short"}}, "secret/value"),
    ({"emit": {"token": "short"}}, "emit/token"),
    ({"app": "main.py"}, "/app"),
    ({"workers": 0}, "workers"),
    ({"sticky": {"mode": "sticky"}}, "sticky/mode"),
    ({"image": {"digest": "latest"}}, "image/digest"),
    ({"resources": {"limits": {"memory": "lots"}}}, "resources/limits/memory"),
    ({"idleTimeout": 30}, "idleTimeout"),
    ({"metrics": {"podMonitor": {"interval": "15s1m"}}}, "metrics/podMonitor/interval"),
    ({"httpRoute": {"gatewayAPI": "v1"}}, "httpRoute/gatewayAPI"),
    ({"podDisruptionBudget": {"maxUnavailable": 0}}, "maxUnavailable"),
    ({"loadtest": {"thresholds": ["--users=5"]}}, "loadtest/thresholds"),
]


@pytest.mark.parametrize(("values", "sentence"), TOGETHER, ids=[sentence for _, sentence in TOGETHER])
def test_together(any_helm, values, sentence):
    """What cannot work together fails, and says so."""
    with pytest.raises(Refused, match=sentence):
        any_helm.render(values)


@pytest.mark.parametrize(("values", "where"), ALONE, ids=[where for _, where in ALONE])
def test_alone(helm, values, where):
    """What is wrong by itself fails at its place in the schema, with every version of Helm."""
    with pytest.raises(Refused, match=where):
        helm.render(values)
