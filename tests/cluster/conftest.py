"""Both ways of an event, in C and in Python, and a node that collects no garbage."""

from __future__ import annotations

import gc

import pytest

from socketio_cluster.manager.native.library import SHORT, VARIABLE, load


@pytest.fixture(params=["compiled", "python"])
def way(request, monkeypatch):
    """Lanes of servers that are made from now on go this way."""
    monkeypatch.delenv(VARIABLE, raising=False)
    if request.param == "python":
        monkeypatch.setenv(VARIABLE, "off")
    elif load(SHORT) is None:
        pytest.skip("the short way is not compiled here")
    return request.param


@pytest.fixture(params=["compiled", "python", "ordinary"])
def lane(request, monkeypatch):
    """Whether nodes have lanes: for each way that an event of one may take, and for python-socketio's own."""
    monkeypatch.setenv(VARIABLE, "off" if request.param == "python" else "on")
    if request.param == "compiled" and load(SHORT) is None:
        pytest.skip("the short way is not compiled here")
    return request.param != "ordinary"


@pytest.fixture
def no_collector():
    """Garbage is not collected: on a worker with little to do that happens once in minutes."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()
