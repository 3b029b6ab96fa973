"""The chart is well-formed: Helm's linter and the schemas of Kubernetes for every values file in k8s/ci."""

from __future__ import annotations

import functools
import json
import warnings

import pytest

from tests.k8s.crds import FILES
from tests.k8s.helm import CASES, CHART, NEWEST, OLDEST, Refused

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import kubernetes_validate


@pytest.mark.parametrize("case", CASES)
def test_lint(helm, case):
    """Helm's strict linter has no word against the chart with these values."""
    helm.run("lint", "--strict", CHART, "--values", CASES[case])


@pytest.mark.parametrize("case", CASES)
def test_objects(any_helm, case):
    """Every object of Kubernetes fits its schema in the oldest and the newest version and one between."""
    objects = any_helm.render(case=case)
    assert objects
    for found in objects:
        if found["kind"] not in FILES:  # test_crds.py looks at those
            for kube in (OLDEST, "1.33", NEWEST):
                validate(json.dumps(found, sort_keys=True), kube)


def test_the_oldest_kubernetes(any_helm):
    """The chart says which Kubernetes it needs: it takes 1.29, and refuses 1.28."""
    assert any_helm.render(kube=OLDEST)
    with pytest.raises(Refused, match=r"requires kubeVersion: >=1\.29"):
        any_helm.render(kube="1.28")


@functools.cache
def validate(text, kube):
    kubernetes_validate.validate(json.loads(text), kube, strict=True)


@pytest.mark.parametrize("case", CASES)
def test_both_helms(helm, any_helm, case):
    """Every version of Helm renders the same objects."""
    assert without_random(helm.render(case=case)) == without_random(any_helm.render(case=case))


def without_random(objects):
    return [{**o, "data": sorted(o["data"])} if o["kind"] == "Secret" else o for o in objects]


def test_a_misspelt_field_is_noticed():
    """The schema check is strict: it fails for a field that does not exist."""
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {"port": []}}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(service, NEWEST, strict=True)
