"""The benchmark of many rooms runs on each bus, and every room that it tries is heard."""

from __future__ import annotations

import pytest

from benchmarks.many_rooms.__main__ import SERVERS, row
from benchmarks.many_rooms.trial import EVERY, run

ROOMS = 20 * EVERY


@pytest.mark.parametrize("name", SERVERS)
async def test_a_small_trial(tmp_path, name):
    """A node takes thousands of rooms, takes them again after a restart of its bus, and gives them up."""
    with SERVERS[name](tmp_path) as server:
        outcome = await run(server, ROOMS)
    assert outcome.joins > 0
    assert outcome.leaves > 0
    assert row(name, outcome).startswith(f"| {name} | ")
