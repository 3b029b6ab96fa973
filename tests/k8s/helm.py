"""Helm on the command line, as the tests of the chart call it."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import yaml

CHART = Path(__file__).parents[2] / "k8s"
CASES = {
    path.name.removesuffix("-values.yaml"): path for path in sorted((CHART / "ci").glob("*-values.yaml"))
}
OLDEST, NEWEST = "1.29", "1.37"
"""The Kubernetes versions at both ends of what the chart is checked against."""

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "socketio-cluster" / "bin"
"""Where scripts/setup-tests puts a Helm that it built."""


class Refused(Exception):
    """Helm ended with an error; the text is what it said."""


@functools.cache
def find_helms():
    """The paths of the Helms on this machine by their major version, such as {"4": ".../helm"}."""
    path = f"{os.environ['PATH']}{os.pathsep}{CACHE}"
    found = {}
    for name in ("helm", "helm3", "helm4"):
        if helm := shutil.which(name, path=path):
            version = subprocess.run([helm, "version", "--short"], capture_output=True, text=True, check=True)
            found.setdefault(version.stdout.lstrip("v").partition(".")[0], helm)
    return found


@dataclass(frozen=True)
class Helm:
    """One version of Helm."""

    path: str

    def run(self, *arguments, values=None, timeout=60):
        """Run it, with values on top of what files say, and give what it printed; Refused when it fails."""
        command = [self.path, *map(str, arguments)]
        if values is not None:
            command += ["--values", "-"]
        text = json.dumps(values)  # which is YAML too
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=timeout)
        if done.returncode:
            raise Refused(done.stderr or done.stdout)
        return done.stdout

    def render(self, values=None, *, case=None, name="chat", kube=NEWEST):
        """Give the objects of the chart with a file of k8s/ci and values on top of it."""
        options = ["--values", CASES[case]] if case else []
        options += ["--namespace", "demo", "--kube-version", kube]
        text = rendered(self, name, tuple(options), json.dumps(values or {}))
        return Objects(found for found in yaml.load_all(text, yaml.CSafeLoader) if found)


@functools.cache
def rendered(helm, name, options, values):
    return helm.run("template", name, CHART, *options, values=json.loads(values))


class Objects(list):
    """Rendered objects, found by their kind."""

    def one(self, kind, name=None):
        """The only object of a kind, or the one with such a name."""
        found = self.all(kind, name)
        assert len(found) == 1, f"{len(found)} objects of kind {kind} and name {name}"
        return found[0]

    def all(self, kind, name=None):
        return [o for o in self if o["kind"] == kind and name in (None, o["metadata"]["name"])]

    @property
    def pod(self):
        """What the Deployment of the nodes says about its pods."""
        return self.node["spec"]["template"]

    @property
    def node(self):
        nodes = [o for o in self.all("Deployment") if o["metadata"]["labels"][COMPONENT] == "node"]
        assert len(nodes) == 1
        return nodes[0]

    @property
    def container(self):
        return self.pod["spec"]["containers"][0]

    @property
    def env(self):
        """The node's variables; what is not a plain value is given as it stands."""
        return {e["name"]: e.get("value", e.get("valueFrom")) for e in self.container["env"]}


COMPONENT = "app.kubernetes.io/component"
