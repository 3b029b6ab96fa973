"""Nodes that do not keep their events in one history: nobody is told that nothing was missed."""

from __future__ import annotations

import contextlib

import pytest

from tests.harness import eventually, three_nodes
from tests.recovery.clients import left
from tests.recovery.door import Door
from tests.recovery.plain_clients import open_endpoint, plain_client
from tests.services.redis import RedisServer

OFF = ("local_url", None, None, "give it recovery_seconds too")
ELSEWHERE = ("amqp_url", "redis_url", 2, "give all nodes the same recovery_url")


def one_node(bus, prefix, **options):
    return three_nodes(bus, prefix, count=1, configure=open_endpoint, **options)


@pytest.mark.parametrize(("bus", "beside", "seconds", "sentence"), [OFF, ELSEWHERE], ids=["off", "elsewhere"])
async def test_another_node(request, prefix, tmp_path, caplog, bus, beside, seconds, sentence):
    """One that keeps its events elsewhere, or not, is named; nobody is recovered while it is there."""
    url = request.getfixturevalue(bus)
    with contextlib.ExitStack() as stack:
        here = request.getfixturevalue(beside) if beside else None
        there = stack.enter_context(RedisServer(tmp_path)).url if beside else None
        async with (
            one_node(url, prefix, recovery_seconds=2, recovery_url=here) as [a],
            Door(a) as door,
            plain_client(door) as client,
        ):

            async def back():
                door.cut()
                await left(a, client.sid)
                door.lead(a)
                return await client.open()

            async with one_node(url, prefix, name="other", recovery_seconds=seconds, recovery_url=there) as [
                b
            ]:
                await eventually(lambda: b.manager.node_id in a.manager.nodes())
                assert await back() is False
                assert a.manager.stats.recoveries == {"mixed": 1}
                errors = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
                assert [sentence in error for error in errors if error.startswith("other: ")] == [True]
            await eventually(lambda: b.manager.node_id not in a.manager.nodes())
            await a.manager.recovery.agreement.settle()
            assert await back() is False  # Its events from then are missing.
            assert await back() is True
            assert a.manager.stats.recoveries == {"mixed": 1, "late": 1, "recovered": 1}
