"""values.yaml and its schema know the same values, and each number is explained."""

from __future__ import annotations

import json
import re

import yaml

from socketio_cluster.manager.bus.registry import BROKERS
from tests.k8s.helm import CHART

VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
SCHEMA = json.loads((CHART / "values.schema.json").read_text())
TEMPLATES = "".join(path.read_text() for path in (CHART / "templates").rglob("*") if path.is_file())


def resolve(schema):
    return SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def differences(values, schema, where="", *, shared=False):
    """Values that one of the two does not know; a shape for several places may have more than each needs."""
    shared = shared or "$ref" in schema
    schema = resolve(schema)
    if "properties" not in schema:
        return
    assert schema["additionalProperties"] is False, where
    for key in values.keys() - schema["properties"].keys():
        yield f"{where}{key}: not in the schema"
    for key in () if shared else schema["properties"].keys() - values.keys():
        yield f"{where}{key}: not in values.yaml"
    for key in values.keys() & schema["properties"].keys():
        if isinstance(values[key], dict):
            yield from differences(values[key], schema["properties"][key], f"{where}{key}.", shared=shared)


def test_every_value_has_a_schema():
    """The schema has every value of values.yaml, and no other but what Helm itself passes to charts."""
    assert list(differences({**VALUES, "global": {}}, SCHEMA)) == []


def test_every_value_is_used():
    """Each group of values.yaml is read by a template."""
    lost = [
        key
        for key in VALUES
        if f".Values.{key}" not in TEMPLATES and f'"{key}"' not in TEMPLATES and f"$v.{key}" not in TEMPLATES
    ]
    assert lost == []


def test_every_number_is_explained():
    """Above each number in values.yaml, or above its line's neighbours, stands a comment."""
    lines = (CHART / "values.yaml").read_text().splitlines()
    bare = []
    for index, line in enumerate(lines):
        _, colon, value = line.partition(": ")
        if not colon or line.lstrip().startswith("#") or not any(c.isdigit() for c in value):
            continue
        above = index - 1
        while above > 0 and lines[above].strip() and not lines[above].lstrip().startswith("#"):
            above -= 1
        if not lines[above].lstrip().startswith("#"):
            bare.append(line)
    assert bare == []


def test_every_bus_may_be_chosen():
    """The schema lets every bus pass that a pod can reach, and kombu's, and nothing else."""
    pattern = re.compile(SCHEMA["properties"]["bus"]["properties"]["url"]["pattern"])
    schemes = {*BROKERS, "kombu+sqs"} - {"local", "memory", "unix"}
    assert [scheme for scheme in schemes if not pattern.search(f"{scheme}://host")] == []
    assert [url for url in ("local://", "kafka://host", "redis://") if pattern.search(url)] == []
