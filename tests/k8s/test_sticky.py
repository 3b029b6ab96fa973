"""The sticky modes, as each balancer wants to be told."""

from __future__ import annotations

import pytest

VALUES = {
    "valkey": {"enabled": True},
    "ingress": {"enabled": True, "hosts": [{"host": "chat.example.com"}]},
}


def annotations(objects, kind):
    found = objects.one(kind, "chat-socketio-cluster")
    return found["metadata"].get("annotations", {})


def test_none_is_the_default(any_helm):
    """Without a word there is no stickiness anywhere."""
    objects = any_helm.render()
    assert "sessionAffinity" not in objects.one("Service", "chat-socketio-cluster")["spec"]
    assert annotations(objects, "Service") == {}


def test_client_ip(any_helm):
    """Mode clientIP is the Service's own affinity."""
    spec = any_helm.render(case="loadbalancer").one("Service", "chat-socketio-cluster")["spec"]
    assert spec["sessionAffinity"] == "ClientIP"
    assert spec["sessionAffinityConfig"]["clientIP"]["timeoutSeconds"] == 3600


def test_session_persistence(any_helm):
    """Mode sessionPersistence is a field of the route's rule, which has no time limit."""
    rule = any_helm.render(case="gateway").one("HTTPRoute")["spec"]["rules"][0]
    assert rule["sessionPersistence"] == {"sessionName": "node", "type": "Cookie"}
    assert rule["timeouts"] == {"request": "0s"}
    assert rule["backendRefs"] == [{"name": "chat-socketio-cluster", "port": 80}]


@pytest.mark.parametrize(
    ("controller", "kind", "cookie"),
    [
        ("traefik", "Service", "traefik.ingress.kubernetes.io/service.sticky.cookie.name"),
        ("haproxy", "Ingress", "haproxy.org/cookie-persistence"),
        ("haproxy-ingress", "Ingress", "haproxy-ingress.github.io/session-cookie-name"),
        ("nginx", "Ingress", "nginx.ingress.kubernetes.io/session-cookie-name"),
    ],
)
def test_cookie(any_helm, controller, kind, cookie):
    """Each controller's annotation names the cookie in mode cookie, and does not stand there in mode none."""
    objects = any_helm.render(case=f"ingress-{controller}")
    assert annotations(objects, kind)[cookie] == "node"
    assert annotations(objects, "Ingress")["cert-manager.io/cluster-issuer"] == "letsencrypt"
    without = any_helm.render({"sticky": {"mode": "none"}}, case=f"ingress-{controller}")
    assert cookie not in annotations(without, kind)


@pytest.mark.parametrize(
    ("controller", "timeout", "value"),
    [
        ("haproxy", "haproxy.org/timeout-tunnel", "90s"),
        ("haproxy-ingress", "haproxy-ingress.github.io/timeout-tunnel", "90s"),
        ("nginx", "nginx.ingress.kubernetes.io/proxy-read-timeout", "90"),
    ],
)
def test_time_for_silence(any_helm, controller, timeout, value):
    """A silent WebSocket is given idleTimeout, with a cookie or without."""
    values = {**VALUES, "idleTimeout": 90, "ingress": {**VALUES["ingress"], "controller": controller}}
    assert annotations(any_helm.render(values), "Ingress")[timeout] == value


def test_your_annotation_wins(any_helm):
    """An annotation in the values replaces the chart's own."""
    name = "nginx.ingress.kubernetes.io/proxy-read-timeout"
    ingress = {**VALUES["ingress"], "controller": "nginx", "annotations": {name: "7200"}}
    assert annotations(any_helm.render({**VALUES, "ingress": ingress}), "Ingress")[name] == "7200"
