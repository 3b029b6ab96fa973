"""Helm for the tests that only render, a cluster for those that install."""

from __future__ import annotations

import os

import pytest

from tests.k8s.helm import Helm, find_helms


def pytest_collection_modifyitems(items):
    if os.environ.get("TEST_K8S"):
        return
    skip = pytest.mark.skip(reason="needs a Kubernetes cluster: make test-k8s")
    for item in items:
        if item.get_closest_marker("k8s"):
            item.add_marker(skip)


@pytest.fixture(params=["3", "4"], ids=["helm3", "helm4"])
def helm(request):
    """Each major version of Helm that this machine has."""
    found = find_helms()
    if not found:
        pytest.skip("no helm on the PATH: scripts/setup-tests builds one where there is Go")
    if request.param not in found:
        pytest.skip(f"no Helm {request.param} on the PATH")
    return Helm(found[request.param])


@pytest.fixture
def any_helm():
    """The newest Helm that this machine has."""
    found = find_helms()
    if not found:
        pytest.skip("no helm on the PATH: scripts/setup-tests builds one where there is Go")
    return Helm(found[max(found)])
