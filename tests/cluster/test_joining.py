"""Clients that join in one call get the same packets as those that join in a task."""

from __future__ import annotations

import pytest
import socketio

from socketio_cluster.cluster.lane.joining import Joining
from tests.cluster.lane_helpers import lane_node, raw
from tests.harness import eventually


class Everything(socketio.AsyncNamespace):
    """Handles the connect of a client."""

    def on_connect(self, sid, environ, auth):
        self.asked = auth


def nobody_asks(node):
    """Leave only handlers of events."""
    node.sio.handlers["/"].pop("connect", None)


def always(node):
    nobody_asks(node)
    node.sio.always_connect = True


def class_based(node):
    nobody_asks(node)
    node.sio.register_namespace(Everything("/"))


def watched(node):
    nobody_asks(node)
    trigger = node.sio._trigger_event

    async def watch(*args):
        return await trigger(*args)

    node.sio._trigger_event = watch


def handled(node):
    """Leave the connect handler of the node."""


AT_ONCE = {nobody_asks: True, always: False, class_based: False, watched: False, handled: False}


async def session(node, first):
    """Join with a packet, hear an event, join again, leave, come back; return what the client hears."""
    async with raw(node, namespace=False) as one:
        await one.say(first)
        heard = [await one.text()]
        sid = heard[0].split('"')[3]
        client = node.manager.members.clients[sid]
        assert client.connected_at > 0
        assert node.sio.rooms(sid) == [sid]
        await node.sio.emit("hello", 1, to=sid)
        heard.append(await one.text())
        await one.say("40")
        heard.append(await one.text())
        await one.say("41", "40")
        heard.append(await one.text())
        return [text.replace(text.split('"')[3], "SID") if text[:3] == "40{" else text for text in heard]


@pytest.mark.parametrize("arrange", AT_ONCE)
async def test_same(arrange, monkeypatch):
    """What a client hears does not tell whether it has joined at once, which it does when nobody is asked."""
    join, joined, found = Joining.join, [], []
    for at_once in (True, False):

        def noted(self, lane, at_once=at_once):
            joined.append(at_once and join(self, lane))
            return joined[-1]

        monkeypatch.setattr(Joining, "join", noted)
        async with lane_node(short=True) as node:
            arrange(node)
            async with raw(node):  # the first one of a namespace waits for its channel
                joined.clear()
                found.append([await session(node, first) for first in ("40", '40{"token":1}', "40{}")])
            await eventually(lambda: node.forgotten)  # noqa: B023 - it is called in this turn of the loop
            assert joined == 3 * [at_once and AT_ONCE[arrange], False, at_once and AT_ONCE[arrange]]
    assert found[0] == found[1]
    assert found[0][0][0] == '40{"sid":"SID"}'


async def test_broken():
    """A client whose packet cannot be read joins nothing."""
    async with lane_node(short=True) as node, raw(node) as other:
        nobody_asks(node)
        async with raw(node, namespace=False) as one:
            await one.say("40{broken")
            await one.lost()
        assert list(node.manager.members.clients) == [other.sid]
