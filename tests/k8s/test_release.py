"""The chart on a real cluster, in a namespace that enforces the restricted Pod Security Standard.

One release lives through all of it; each test leaves it as it was, with three pods on a Valkey.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.k8s.cluster import NEXT, Release, kubectl, namespace, until
from tests.k8s.crds import FILES
from tests.k8s.helm import CASES

pytestmark = [pytest.mark.k8s, pytest.mark.timeout(240)]

CROWD = (Path(__file__).parent / "crowd.py").read_text()
TARGET = {"app": "socketio_cluster.loadtest.targets.ours:app"}
VALUES = {"replicaCount": 3, "secret": {"existingSecret": "chat-secret"}}


def write_secret(space, text):
    found = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "chat-secret"},
        "stringData": {"secret": text},
    }
    kubectl("apply", "--namespace", space, "-f", "-", stdin=json.dumps(found))


@pytest.fixture(scope="module")
def chat():
    with namespace("socketio-test") as space:
        write_secret(space, "first" * 8)
        release = Release(space, VALUES)
        release.apply()
        yield release


def crowd(release, seconds, meanwhile):
    """Let clients talk for so many seconds, do something meanwhile, and give what they lived through."""
    with release.program(CROWD, SECONDS=seconds) as program:
        program.says("connected")
        meanwhile(json.loads(program.log().split(" ", 1)[1]))
        return json.loads(program.finish(seconds + 60).splitlines()[-1])


def test_install(chat):
    """The chart installs into a restricted namespace, and all pods get ready."""
    assert len(chat.ready()) == 3


def test_clients_reach_each_other_through_the_service(chat):
    """`helm test` connects clients by polling and WebSocket, and an emit from another pod reaches them."""
    assert "has reached each of them once" in chat.test()


def test_talk(chat):
    """Clients on several pods hear all that one of them says, each once and in order."""
    told = crowd(chat, 3, lambda nodes: None)
    assert len({node for person in told["people"] for node in person["nodes"]}) > 1
    assert told["said"] > 10
    for person in told["people"]:
        assert person["heard"] == list(range(told["said"]))
        assert person["lost"] == 0


def test_readiness_tells_of_the_bus(chat):
    """A pod is live and ready, and says so of its worker."""
    pod = chat.ready()[0]
    status, text = chat.ask(pod, "/readyz")
    assert (status, json.loads(text)["workers"][f"{pod}-1"]["bus"]) == (200, "up")
    assert chat.ask(pod, "/livez")[0] == 200


def test_scale(chat):
    """More and fewer pods come and go with replicaCount, and clients cross between all of them."""
    for count in (4, 2, 3):
        chat.apply({"replicaCount": count})
        chat.wait()
        assert len(chat.ready()) == count
    chat.test()


def test_upgrade_to_another_image(chat):
    """`helm upgrade` with another image replaces every pod."""
    before = set(chat.ready())
    chat.apply({"image": {"tag": NEXT}})
    chat.wait()
    assert {pod["spec"]["containers"][0]["image"].rpartition(":")[2] for pod in chat.pods()} == {NEXT}
    assert not before & set(chat.ready())
    chat.apply()
    chat.wait()


def test_client_ip(chat):
    """With sticky.mode clientIP all clients of one address are on one pod."""
    chat.apply({"sticky": {"mode": "clientIP"}})
    told = crowd(chat, 1, lambda nodes: None)
    assert len({node for person in told["people"] for node in person["nodes"]}) == 1
    chat.test()
    chat.apply()


def test_bus_restart(chat):
    """While the bus is away nobody is disconnected, pods are live but not ready; all that is said arrives."""

    def restart(nodes):
        valkey = chat.pods("valkey")[0]["metadata"]["name"]
        chat.kubectl("scale", f"deployment/{chat.fullname}-valkey", "--replicas=0")
        chat.kubectl("wait", f"pod/{valkey}", "--for=delete", "--timeout=30s")
        pod = chat.pods()[0]["metadata"]["name"]
        until(lambda: chat.ask(pod, "/readyz")[0] == 503)
        assert chat.ask(pod, "/livez")[0] == 200
        chat.kubectl("scale", f"deployment/{chat.fullname}-valkey", "--replicas=1")
        until(lambda: all(chat.ask(pod["metadata"]["name"], "/readyz")[0] == 200 for pod in chat.pods()))

    told = crowd(chat, 25, restart)
    for person in told["people"]:
        assert person["lost"] == 0
        assert person["heard"] == list(range(told["said"]))


def test_pod_killed(chat):
    """When a pod is killed its clients come back by themselves to others, and hear again."""

    def kill(nodes):
        pod = nodes[1].rpartition("-")[0]  # the second's: the first one speaks
        chat.kubectl("delete", "pod", pod, "--grace-period=0", "--force")

    told = crowd(chat, 12, kill)
    assert told["people"][1]["lost"] == 1
    assert len(set(told["people"][1]["nodes"])) == 2
    for person in told["people"]:
        assert person["here"]
        assert person["heard"][-1] == told["said"] - 1
        assert len(person["heard"]) == len(set(person["heard"]))
    until(lambda: len(chat.ready()) == 3)


def test_secret_rotation(chat):
    """In three rollouts the cluster has a new secret, and at no moment does a node refuse another."""
    first, second = "first" * 8, "second" * 8
    for secret in (f"{first}\n{second}", f"{second}\n{first}", second):
        write_secret(chat.namespace, secret)
        chat.rollout()
        # Each new pod has heard those before it for a while.
        assert not any(chat.metric(pod, "socketio_envelopes_refused_total") for pod in chat.ready())
    assert "has reached each of them once" in chat.test()


def test_load_and_autoscaler(chat):
    """Under a load test more pods are started, the load test passes, and without load they go again."""
    load = {
        "enabled": True, "scenario": "room", "users": 100, "spawnRate": 50, "runTime": 75, "workers": 1,
        "extraArgs": ["--rate=4"],  # 70m on each of three pods, and the target is 40m
    }  # fmt: skip
    behavior = {
        "scaleDown": {
            "stabilizationWindowSeconds": 0,
            "policies": [{"type": "Pods", "value": 1, "periodSeconds": 15}],
        }
    }
    scaling = {"enabled": True, "minReplicas": 3, "maxReplicas": 4, "targetCPU": "40m", "behavior": behavior}
    chat.apply(TARGET)
    chat.wait()
    chat.apply(TARGET | {"loadtest": load, "autoscaling": scaling})
    assert len(chat.pods()) == 3  # the autoscaler takes over what there is
    job = chat.get("jobs", "app.kubernetes.io/component=loadtest")[0]["metadata"]["name"].removesuffix(
        "-workers"
    )
    until(lambda: len(chat.pods()) == 4, 100)
    until(lambda: verdict(chat, job), 100)
    assert verdict(chat, job) == "Complete", chat.kubectl("logs", f"job/{job}")
    until(lambda: len(chat.pods()) == 3, 100)
    chat.apply()
    chat.wait()


def test_load_test_fails(chat):
    """A threshold that cannot be kept makes the load test's Job fail, and its log says which."""
    load = {
        "enabled": True,
        "scenario": "echo",
        "users": 5,
        "runTime": 5,
        "workers": 1,
        "thresholds": ["--call-p99-ms=0.001"],
    }
    chat.apply(TARGET)
    chat.wait()
    chat.apply(TARGET | {"loadtest": load})
    job = chat.get("jobs", "app.kubernetes.io/component=loadtest")[0]["metadata"]["name"].removesuffix(
        "-workers"
    )
    until(lambda: verdict(chat, job), 60)
    assert verdict(chat, job) == "Failed"
    assert "call-p99-ms" in chat.kubectl("logs", f"job/{job}")
    chat.apply()


def verdict(release, job):
    """How a Job ended, or nothing yet."""
    status = json.loads(release.kubectl("get", "job", job, "--output", "json"))["status"]
    found = {c["type"] for c in status.get("conditions", []) if c["status"] == "True"}
    return next(iter(found & {"Complete", "Failed"}), None)


@pytest.mark.parametrize("case", CASES)
def test_the_api_server_takes_it(any_helm, chat, case):
    """The API server takes every object that the chart makes of a values file."""
    objects = any_helm.render(case=case, name="other", kube="1.35")
    objects = [found for found in objects if found["kind"] not in FILES]
    for found in objects:
        found["metadata"]["namespace"] = chat.namespace
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    kubectl("create", "--dry-run=server", "-f", "-", stdin=text)


def test_uninstall(chat):
    """`helm uninstall` leaves nothing of the release but the pod of its last test, as Helm does."""
    chat.uninstall()
    kinds = "deployments,services,secrets,configmaps,pods,jobs,networkpolicies,pdb,serviceaccounts,hpa"
    release = "app.kubernetes.io/instance=chat,app.kubernetes.io/component!=test"
    until(lambda: chat.get(kinds, release) == [], 60)
