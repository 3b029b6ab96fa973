"""kubectl, and a release of the chart on a real cluster, for the tests that need one."""

from __future__ import annotations

import json
import subprocess
import time
from contextlib import contextmanager

from tests.k8s.helm import CHART, Helm, Objects, find_helms

IMAGE, TAG, NEXT = "socketio-cluster", "test", "next"
"""The node's image; scripts/test-k8s builds it under both tags."""

SMALL = {
    "image": {"repository": IMAGE, "tag": TAG, "pullPolicy": "Never"},
    "valkey": {
        "enabled": True,
        "image": {"repository": f"{IMAGE}-valkey", "tag": TAG, "pullPolicy": "Never"},
    },
    "loadtest": {"image": {"repository": f"{IMAGE}-loadtest", "tag": TAG, "pullPolicy": "Never"}},
    "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}},
    "drain": {"delay": 1, "window": 2, "grace": 5},
    "minReadySeconds": 0,
}
"""Values for a cluster with two cores: the test images, small requests, short drains."""


class Failed(Exception):
    """kubectl or a pod ended with an error; the text is what it said."""


def kubectl(*arguments, stdin=None, timeout=120):
    """Run kubectl and give what it printed."""
    done = subprocess.run(
        ["kubectl", *map(str, arguments)], input=stdin, capture_output=True, text=True, timeout=timeout
    )
    if done.returncode:
        raise Failed(done.stderr or done.stdout)
    return done.stdout


@contextmanager
def namespace(name):
    """A namespace that enforces the restricted Pod Security Standard; gone with all in it afterwards."""
    labels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")}
    found = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
    kubectl("delete", "namespace", name, "--ignore-not-found", "--timeout=60s")
    kubectl("apply", "-f", "-", stdin=json.dumps(found))
    try:
        yield name
    finally:
        kubectl("delete", "namespace", name, "--wait=false")


def until(question, seconds=60):
    """Ask until the answer is true, and give it; fails after so many seconds."""
    deadline = time.monotonic() + seconds
    while not (answer := question()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {question}"
        time.sleep(0.3)
    return answer


def merge(one, other):
    """Values on top of values."""
    both = dict(one)
    for key, value in other.items():
        inner = both.get(key)
        both[key] = merge(inner, value) if isinstance(inner, dict) and isinstance(value, dict) else value
    return both


class Release:
    """A release of the chart, `chat`, in a namespace of its own."""

    def __init__(self, namespace, values, *, helm=None):
        found = find_helms()
        self.helm = helm or Helm(found[max(found)])
        self.namespace = namespace
        self.name, self.fullname = "chat", "chat-socketio-cluster"
        self.values = merge(SMALL, values)

    def kubectl(self, *arguments, **more):
        return kubectl("--namespace", self.namespace, *arguments, **more)

    def apply(self, values=None, *, seconds=120):
        """Install it or upgrade it, with values on top of those of the start, and wait until it is ready."""
        return self.helm.run(
            "upgrade", "--install", self.name, CHART, "--namespace", self.namespace,
            "--wait", f"--timeout={seconds}s",
            values=merge(self.values, values or {}), timeout=seconds + 30,
        )  # fmt: skip

    def test(self):
        """`helm test`; gives its log, Refused when it fails."""
        return self.helm.run("test", self.name, "--namespace", self.namespace, "--logs", timeout=120)

    def uninstall(self):
        self.helm.run("uninstall", self.name, "--namespace", self.namespace, "--wait", timeout=120)

    def get(self, kind, selector="app.kubernetes.io/instance=chat"):
        """The objects of a kind with these labels."""
        found = self.kubectl("get", kind, "--selector", selector, "--output", "json")
        return Objects(json.loads(found)["items"])

    def pods(self, component="node"):
        """The pods of a component that are neither on their way out nor done."""
        selector = f"app.kubernetes.io/instance={self.name},app.kubernetes.io/component={component}"
        return [pod for pod in self.get("pods", selector) if "deletionTimestamp" not in pod["metadata"]]

    def ready(self):
        """The names of the nodes' pods that are ready."""
        return [pod["metadata"]["name"] for pod in self.pods() if is_ready(pod)]

    def rollout(self, seconds=120):
        """Start all nodes anew, as one does by hand, and wait for it."""
        self.kubectl("rollout", "restart", f"deployment/{self.fullname}")
        self.wait(seconds)

    def wait(self, seconds=120):
        """Wait until a rollout is over, the old pods' goodbyes included."""
        self.kubectl(
            "rollout", "status", f"deployment/{self.fullname}", f"--timeout={seconds}s", timeout=seconds + 10
        )
        selector = f"app.kubernetes.io/instance={self.name},app.kubernetes.io/component=node"
        until(lambda: len(self.get("pods", selector)) == len(self.pods()), seconds)

    def ask(self, pod, path):
        """What a pod's probe port answers: (status, text)."""
        question = (
            "import sys, urllib.request, urllib.error\n"
            f"try: answer = urllib.request.urlopen('http://127.0.0.1:8001{path}', timeout=5)\n"
            "except urllib.error.HTTPError as error: answer = error\n"
            "print(answer.status, answer.read().decode())"
        )
        status, _, text = self.kubectl("exec", pod, "--", "python", "-c", question).partition(" ")
        return int(status), text

    def metric(self, pod, name):
        """The sum of a metric of a pod over its labels."""
        lines = self.ask(pod, "/metrics")[1].splitlines()
        return sum(
            float(line.rpartition(" ")[2]) for line in lines if line.startswith((f"{name} ", f"{name}{{"))
        )

    @contextmanager
    def program(self, text, name="program", **env):
        """Run a Python program in a pod of the node's image, with the Service's address in URL."""
        env = {"URL": f"http://{self.fullname}", **env}
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "labels": {"app": name}},
            "spec": {
                "restartPolicy": "Never",
                "automountServiceAccountToken": False,
                "terminationGracePeriodSeconds": 0,
                "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
                "containers": [
                    {
                        "name": name,
                        "image": f"{IMAGE}:{TAG}",
                        "imagePullPolicy": "Never",
                        "command": ["python", "-c", text],
                        "env": [{"name": key, "value": str(value)} for key, value in env.items()],
                        "securityContext": {
                            "allowPrivilegeEscalation": False,
                            "capabilities": {"drop": ["ALL"]},
                        },
                    }
                ],
            },
        }
        self.kubectl("apply", "-f", "-", stdin=json.dumps(pod))
        try:
            yield Program(self, name)
        finally:
            self.kubectl("delete", "pod", name, "--wait=true", "--timeout=30s")

    def run(self, text, seconds=60, **env):
        """Run a Python program in a pod to its end and give what it printed."""
        with self.program(text, **env) as program:
            return program.finish(seconds)


class Program:
    """A Python program that runs in a pod."""

    def __init__(self, release, name):
        self._release, self._name = release, name

    def log(self):
        try:
            return self._release.kubectl("logs", self._name)
        except Failed as error:
            if "ContainerCreating" in str(error) or "waiting to start" in str(error):
                return ""
            raise

    def says(self, word, seconds=60):
        """Wait until it has printed this."""
        until(lambda: word in self.log(), seconds)

    def finish(self, seconds=60):
        """Wait for its end and give what it printed; Failed when it ended badly."""
        read = ("get", "pod", self._name, "--output", "jsonpath={.status.phase}")
        until(lambda: self._release.kubectl(*read) in ("Succeeded", "Failed"), seconds)
        if self._release.kubectl(*read) == "Failed":
            raise Failed(self.log())
        return self.log()


def is_ready(pod):
    conditions = pod["status"].get("conditions", [])
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
