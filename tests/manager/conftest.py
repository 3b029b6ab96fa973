"""A link with a bus that does what a test says."""

from __future__ import annotations

import pytest

from tests.manager.batches_rig import Bench
from tests.manager.rig import DirectBroker, FakeBroker, Rig


@pytest.fixture(params=[FakeBroker, DirectBroker])
async def rig(request):
    """A link that is about to start, with a broker of each kind."""
    rig = Rig(request.param)
    rig.interest.want("inbox")
    yield rig
    await rig.stop()


@pytest.fixture
async def live(rig):
    """A link that has joined."""
    rig.start()
    await rig.link.wait_up()
    return rig


@pytest.fixture
def pauses(monkeypatch):
    """For each pause of the link, how many failures in a row came before it. None of them takes any time."""
    pauses = []
    monkeypatch.setattr(
        "socketio_cluster.manager.bus.reconnecting.delay",
        lambda attempt, chance, longest: pauses.append(attempt) or 0,
    )
    return pauses


@pytest.fixture
async def bench(monkeypatch):
    """A sender with a broker, whose batches are made in C."""
    bench = Bench(monkeypatch)
    await bench.join()
    assert type(bench.batches._turn).__name__ == "Batching"
    yield bench
    await bench.close()
