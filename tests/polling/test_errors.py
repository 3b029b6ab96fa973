"""What goes wrong with the request of one client stays with that client."""

from __future__ import annotations

import pytest

from tests.cluster.lane_helpers import lane_node, raw
from tests.polling.wire import Ways, session, waits

WITHOUT_TEXT = {"a lone surrogate": "\ud800", "an object in a dict": {"of": object()}}


@pytest.mark.parametrize("data", WITHOUT_TEXT.values(), ids=WITHOUT_TEXT)
async def test_packets_that_cannot_be_encoded(data, monkeypatch):
    """A poll that cannot be answered gets a 500 and loses its connection; other clients get their events."""
    answers, ways = [], Ways(monkeypatch)
    for short in (False, True):
        async with lane_node(short=short) as node, session(node) as one, raw(node) as other:
            one.send(one.request())
            await waits(node, one)
            await node.sio.eio.send(one.sid, data)
            await node.sio.emit("said", to=other.sid)
            assert await other.text() == '42["said"]'
            answers.append(await one.answer())
            assert await one.ended()
            await node.sio.emit("again", to=other.sid)
            assert await other.text() == '42["again"]'
            assert (await one_more(node, one))[0][0] == b"HTTP/1.1 200 OK"
    assert answers[0] == answers[1]
    assert answers[0][0][0] == b"HTTP/1.1 500 Internal Server Error"
    assert ways.short


async def one_more(node, one):
    """The answer to the next poll of this client, which comes on another connection."""
    one.close()
    await one.open()
    await node.sio.emit("later", to=one.name)
    return await one.ask()
