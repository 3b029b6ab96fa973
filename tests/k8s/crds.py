"""The CustomResourceDefinitions of the kinds that other projects define, from their Go modules."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import zipfile

import yaml
from jsonschema import Draft4Validator

from tests.k8s.helm import CACHE

GATEWAY_OLD = "sigs.k8s.io/gateway-api@v1.6.3"  # the last before sessionPersistence changed
GATEWAY = "sigs.k8s.io/gateway-api@v1.7.0"
OPERATOR = "github.com/prometheus-operator/prometheus-operator@v0.85.0"
KEDA = "github.com/kedacore/keda/v2@v2.21.0"
"""What `go list -m MODULE@latest` gave for each in November 2026: what new clusters install."""

ROUTES = "gateway.networking.k8s.io_httproutes.yaml"
OPERATOR_FILES = "example/prometheus-operator-crd/monitoring.coreos.com_"
FILES = {
    "HTTPRoute": (GATEWAY, f"config/crd/standard/{ROUTES}"),
    "ServiceMonitor": (OPERATOR, f"{OPERATOR_FILES}servicemonitors.yaml"),
    "PodMonitor": (OPERATOR, f"{OPERATOR_FILES}podmonitors.yaml"),
    "PrometheusRule": (OPERATOR, f"{OPERATOR_FILES}prometheusrules.yaml"),
    "ScaledObject": (KEDA, "config/crd/bases/keda.sh_scaledobjects.yaml"),
}
"""Where the definition of each kind is."""

EXPERIMENTAL = {
    "1.6": (GATEWAY_OLD, f"config/crd/experimental/{ROUTES}"),
    "1.7": (GATEWAY, f"config/crd/experimental/{ROUTES}"),
}
"""Those of HTTPRoute in the experimental channel, which has sessionPersistence, by the value gatewayAPI."""


class Missing(Exception):
    """A definition is neither in the cache nor to be had; the text is why."""


def fetch(module, path):
    """Give a file of a Go module as bytes; the first time `go` downloads and verifies the module."""
    kept = CACHE.parent / "crds" / module / path
    if not kept.exists():
        with zipfile.ZipFile(download(module)) as archive:
            content = archive.read(f"{module}/{path}")
        kept.parent.mkdir(parents=True, exist_ok=True)
        fresh = kept.with_suffix(f".{os.getpid()}")
        fresh.write_bytes(content)
        fresh.replace(kept)
    return kept.read_bytes()


@functools.cache
def download(module):
    """Give the path of a Go module's zip, a few MB."""
    go = shutil.which("go")
    if not go:
        raise Missing(f"the definitions of {module} are not in the cache, and there is no go on the PATH")
    # Nothing is built here, so the zip is all that counts: a module that is for a newer Go is downloaded and
    # complained about, but that Go is not downloaded too.
    command, env = [go, "mod", "download", "-json", module], {**os.environ, "GOTOOLCHAIN": "local"}
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=90, env=env)
    except subprocess.TimeoutExpired:
        raise Missing(f"{module} could not be downloaded in 90 s") from None
    told = json.loads(done.stdout or "{}")
    if "Zip" not in told:
        raise Missing(f"{module} could not be downloaded: {told.get('Error') or done.stderr}")
    return told["Zip"]


@functools.cache
def validator(source, version):
    """The validator of a kind's served version, which takes no field that is not in the schema."""
    definition = yaml.load(fetch(*source), yaml.CSafeLoader)["spec"]
    served = {
        one["name"]: one["schema"]["openAPIV3Schema"] for one in definition["versions"] if one["served"]
    }
    schema = strict(served[version.removeprefix(f"{definition['group']}/")])
    schema["properties"]["metadata"] = {}  # Kubernetes' own; its definition is not repeated here
    return Draft4Validator(schema)


def faults(found, source=None):
    """What the definition does not take in an object, as sentences; its CEL rules are not evaluated."""
    errors = validator(source or FILES[found["kind"]], found["apiVersion"]).iter_errors(found)
    return [f"{error.json_path}: {error.message}" for error in errors]


def strict(schema):
    """The JSON schema of an OpenAPI schema of Kubernetes, in which unknown fields are errors, not pruned."""
    found = dict(schema)
    if "properties" in schema:
        found["properties"] = {key: strict(value) for key, value in schema["properties"].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            found[key] = strict(schema[key])
    if schema.get("type") == "object" and not schema.get("x-kubernetes-preserve-unknown-fields"):
        found.setdefault("additionalProperties", False)
    if schema.get("x-kubernetes-int-or-string"):
        found["type"] = ["integer", "string"]
    return {"anyOf": [{"type": "null"}, found]} if schema.get("nullable") else found
