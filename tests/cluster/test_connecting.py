"""Connect handlers begin at once; a client cannot tell it from those that begin in a task."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar

import pytest
from socketio.exceptions import ConnectionRefusedError as Refused

from socketio_cluster.cluster.lane.frames import TEXT
from socketio_cluster.cluster.lane.inbound import Inbound
from tests.cluster.lane_helpers import client_frame, lane_node, raw
from tests.harness import eventually

NAME = ContextVar("name", default=None)


async def returns(sio, sid, auth):
    """Look at what the client says, and let it in."""
    NAME.set(auth)


async def waits(sio, sid, auth):
    """Wait for a while before the client may come in."""
    for _ in range(3):
        await asyncio.sleep(0)
    NAME.set(auth)


async def emits(sio, sid, auth):
    """Say something to the client before it is in."""
    await sio.emit("early", 1, to=sid)
    await sio.enter_room(sid, "room")


async def refuses(sio, sid, auth):
    """Turn the client away."""
    raise Refused("no", {"why": auth})


async def refuses_late(sio, sid, auth):
    """Turn the client away after a while."""
    await asyncio.sleep(0)
    return False


async def fails(sio, sid, auth):
    """Break."""
    raise LookupError(sid)


async def ends(sio, sid, auth):
    """Let the client go at once."""
    await sio.disconnect(sid)


async def limits(sio, sid, auth):
    """Use what only works in a task."""
    async with asyncio.timeout(15):
        await asyncio.sleep(0)


def plain(sio, sid, auth):
    """Be no coroutine function."""
    NAME.set(auth)


HANDLERS = (returns, waits, emits, refuses, refuses_late, fails, ends, limits, plain)


def handle(node, handler, begun):
    """Let a node ask a connect handler, and answer who a client is and in which rooms."""

    def connect(sid, environ, auth):
        begun.append(asyncio.get_running_loop())
        return handler(node.sio, sid, auth)

    async def connect_slowly(sid, environ, auth):
        return await connect(sid, environ, auth)

    async def who(sid):
        return [NAME.get(), len(node.sio.rooms(sid))]

    node.sio.on("connect", connect if handler is plain else connect_slowly)
    node.sio.on("who", who)


async def heard(node, first):
    """Say something; return all that is heard until there is an answer, or the connection has ended."""
    texts = []
    async with raw(node, namespace=False) as one:
        await one.say(first)
        while not texts or texts[-1][:2] not in ("41", "44"):
            texts.append(await one.text())
            if texts[-1].startswith("40"):
                sid = texts[-1].split('"')[3]
                texts[-1] = texts[-1].replace(sid, "SID")
                await one.say('421["who"]')
            elif texts[-1].startswith("43"):
                break
    return texts


@pytest.mark.parametrize("handler", HANDLERS)
async def test_same(handler, monkeypatch):
    """What is heard is the same, whether the handler has begun at once or in a task."""
    alone, began, found = Inbound._connect_alone, [], []
    for at_once in (True, False):
        begun = []

        def noted(self, lane, text, at_once=at_once, begun=begun):
            handled = at_once and alone(self, lane, text)
            began.append(handled and bool(begun))
            return handled

        monkeypatch.setattr(Inbound, "_connect_alone", noted)
        async with lane_node(short=True) as node:
            async with raw(node):  # the first one of a namespace waits for its channel
                handle(node, handler, begun)
                began.clear()
                texts = []
                for first in ("40", '40{"token":1}', "40{}"):
                    begun.clear()
                    texts.append(await heard(node, first))
                found.append(texts)
            await eventually(lambda: node.forgotten)  # noqa: B023 - it is called in this turn of the loop
        assert began == 3 * [at_once]
    assert found[0] == found[1]
    assert all(found[0])


async def test_nothing_is_read_meanwhile():
    """An event that comes while the handler waits is handled after it."""
    async with lane_node(short=True) as node, raw(node):
        open_up, log = asyncio.Event(), []

        async def connect(sid, environ, auth):
            log.append("begins")
            await open_up.wait()
            log.append("ends")

        node.sio.on("connect", connect)
        node.sio.on("note", lambda sid: log.append("note"))
        async with raw(node, namespace=False) as one:
            await one.say("40")
            await eventually(lambda: log == ["begins"])
            await one.say('42["note"]')
            open_up.set()
            assert (await one.text()).startswith("40{")
            await eventually(lambda: len(log) == 3)
        assert log == ["begins", "ends", "note"]


GENERAL = (b"40{broken", b"40[1]", b"40/other,", b"401", b'40{"a":1}x', b'40{"a":"\xff"}')


@pytest.mark.parametrize("packet", GENERAL)
async def test_left_to_the_general_way(packet, monkeypatch):
    """What is not just a CONNECT packet for the main namespace is handled as ever."""
    alone, taken = Inbound._connect_alone, []
    monkeypatch.setattr(
        Inbound,
        "_connect_alone",
        lambda self, lane, text: taken.append(alone(self, lane, text)) or taken[-1],
    )
    async with lane_node(short=True) as node, raw(node):
        taken.clear()
        async with raw(node, namespace=False) as one:
            await one.send(client_frame(TEXT, packet))
            await eventually(lambda: taken)
        await eventually(lambda: len(node.sockets) == 1)
    assert taken == [False]


async def test_opened_without_a_flush(monkeypatch):
    """A new client gets its OPEN packet at once, though a flush to many others may not be due yet."""
    async with lane_node(short=True) as node:
        waiting = []
        monkeypatch.setattr(node.hooks.flusher, "add", waiting.append)
        async with raw(node, namespace=False) as one:
            assert one.opened.startswith("0{")
        assert not waiting
