"""Clients that talk live through a drain, a rollout, an upgrade and a killed pod: what they see and miss.

The story is told once, with official JavaScript clients on this machine that reach the Service by its
address; the tests then look at what was written down.
"""

from __future__ import annotations

import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from pathlib import Path

import pytest

from tests.jsclient import install
from tests.k8s.cluster import NEXT, Release, namespace, until
from tests.k8s.ledger import Ledger
from tests.services.process import program

pytestmark = [pytest.mark.k8s, pytest.mark.timeout(240)]

HERE = Path(__file__).parent
CLIENTS, ROOMS, PAUSE = 300, 25, 0.02
"""Every 20 ms another client speaks, so a room hears something twice a second."""
OUT = 5.0
"""Seconds that a client may be out; by default it waits 0.5 to 1.5 s before it tries to come back."""
DELAY, WINDOW = 3, 8
CODE = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "ledger"},
    "data": {"ledger_app.py": (HERE / "ledger_app.py").read_text()},
}
VALUES = {
    "app": "ledger_app:app",
    "replicaCount": 3,
    "drain": {"delay": DELAY, "window": WINDOW},
    "extraObjects": [CODE],
    "extraVolumes": [{"name": "app", "configMap": {"name": "ledger"}}],
    "extraVolumeMounts": [{"name": "app", "mountPath": "/app"}],
}


@dataclass
class Drained:
    """What was seen of a pod that was let go, and when: deleted, not ready, out of the endpoints."""

    node: str
    deleted: float
    unready: float
    moved: float


@dataclass
class Story:
    """All that happened."""

    drained: Drained
    ledger: Ledger


@contextmanager
def crowd(url):
    """Clients that talk until the function that is given is called; it gives their report."""
    install()
    task = {"url": url, "clients": CLIENTS, "rooms": ROOMS, "pause": PAUSE}
    command = [program("node", package="nodejs"), HERE / "ledger.js", json.dumps(task)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "here\n"
            yield lambda: json.loads(process.communicate(timeout=60)[0])
        finally:
            process.kill()


def address(release):
    """The Service's own address, if this machine reaches it."""
    path = "jsonpath={.spec.clusterIP}"
    host = release.kubectl("get", "service", release.fullname, "--output", path)
    for _ in range(10):  # a Service answers a moment after its pods are ready
        try:
            socket.create_connection((host, 80), timeout=1).close()
            return f"http://{host}"
        except OSError:
            time.sleep(0.5)
    pytest.skip("the addresses of the cluster's Services are not reachable from this machine")


def endpoints(release):
    """The pods that the Service leads to."""
    slices = release.get("endpointslices", f"kubernetes.io/service-name={release.fullname}")
    found = [one for part in slices for one in part["endpoints"] or ()]
    return {one["targetRef"]["name"] for one in found if one["conditions"]["ready"]}


def readiness(host):
    """What the pod at this address says about itself; `ask` takes long while the pod is busy."""
    try:
        with urllib.request.urlopen(f"http://{host}:8001/readyz", timeout=2) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.read().decode()


def drain(release, pod):
    """Delete a pod and see what it says and who is led to it."""
    host = release.kubectl("get", "pod", pod, "--output", "jsonpath={.status.podIP}")
    deleted = time.time()
    release.kubectl("delete", "pod", pod, "--wait=false")
    until(lambda: "draining" in json.loads(readiness(host))["workers"][f"{pod}-1"]["reasons"])
    unready = time.time()
    until(lambda: pod not in endpoints(release))
    return Drained(f"{pod}-1", deleted, unready, time.time())


def kill(release, pod):
    """Delete a pod without grace; returns when it was asked for."""
    asked = time.time()
    release.kubectl("delete", "pod", pod, "--grace-period=0", "--force")
    return asked


@pytest.fixture(scope="module")
def story():
    with namespace("socketio-rollout") as space:
        release = Release(space, VALUES)
        release.apply({"replicaCount": 1})
        with crowd(address(release)) as finish:
            (first,) = release.ready()
            release.apply()
            drained = drain(release, first)
            release.wait()
            release.rollout()
            release.apply({"image": {"tag": NEXT}})
            release.wait()
            victim = max(release.ready(), key=lambda pod: release.metric(pod, "socketio_connections"))
            asked = kill(release, victim)
            time.sleep(2 + OUT)  # the kubelet gives it 2 s all the same
            yield Story(drained, Ledger(finish(), f"{victim}-1", asked))


def test_all_were_there(story):
    """All clients were on the drained pod, a third of them polling, and many on the killed one."""
    first = [session for session in story.ledger.sessions if session.node == story.drained.node]
    assert len({session.client for session in first}) == len(first) == CLIENTS
    assert sum(session.transport == "polling" for session in first) == CLIENTS / 3
    assert sum(session.node == story.ledger.killed for session in story.ledger.sessions) > CLIENTS / 10


def test_nothing_lost(story):
    """What was said to a client while it was connected has reached it, from its own pod and from others."""
    assert list(story.ledger.lost()) == []
    owed = [
        (node == session.node, len(story.ledger.owed(session, node)))
        for session in story.ledger.sessions
        for node in session.heard
    ]
    assert sum(count for own, count in owed if own) > 10 * CLIENTS
    assert sum(count for own, count in owed if not own) > 10 * CLIENTS


def test_nothing_twice(story):
    """Nothing has reached a client twice."""
    assert list(story.ledger.doubled()) == []


def test_handlers_ran(story):
    """Each session's connect handler and disconnect handler ran to their ends, but on the killed pod."""
    assert list(story.ledger.unwritten()) == []


def test_all_came_back(story):
    """After each disconnect each client was back within 5 s, and all are there at the end."""
    outages = list(story.ledger.outages())
    assert max(outages) <= OUT
    assert len(outages) > 2 * CLIENTS
    assert sum(session.went == inf for session in story.ledger.sessions) == CLIENTS


def test_no_errors(story):
    """Clients see a closed transport and nothing else; after the kill few may try a pod that is gone."""
    ledger = story.ledger
    assert [error for error in ledger.errors if error["at"] < ledger.at] == []
    assert {error["what"] for error in ledger.errors} <= {"connect_error"}
    assert len(ledger.errors) < CLIENTS / 10
    assert {s.reason for s in ledger.sessions if s.went < ledger.at} == {"transport close"}
    after = {s.reason for s in ledger.sessions if ledger.at < s.went < inf}
    assert after <= {"transport close", "transport error"}


def test_unready_before_goodbyes(story):
    """A pod on its way out is not ready, then out of the endpoints; after the delay come the goodbyes."""
    first = min(s.went for s in story.ledger.sessions if s.node == story.drained.node)
    assert story.drained.unready < story.drained.moved < first
    assert first - story.drained.deleted > DELAY


def test_drain_is_even(story):
    """The drain lets each quarter of its clients go in its quarter of the window, give or take one."""
    went = sorted(s.went for s in story.ledger.sessions if s.node == story.drained.node)
    for index, at in enumerate(went):
        assert at - went[0] == pytest.approx(WINDOW * index / CLIENTS, abs=WINDOW / 4)
    for second in range(WINDOW):  # its fair share is an eighth
        assert sum(second <= at - went[0] < second + 1 for at in went) < CLIENTS / 3
