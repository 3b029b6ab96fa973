"""An event that goes the short way calls the same handlers and gets the same bytes as by the general way.

There are two short ways, in C and in Python.
"""

from __future__ import annotations

import asyncio

import pytest

from socketio_cluster.cluster.lane.frames import TEXT
from tests.cluster.lane_helpers import client_frame
from tests.cluster.one_lane import OneLane
from tests.harness import eventually

pytestmark = pytest.mark.usefixtures("way")
SHORT = [
    b'42["ask"]',
    b'420["ask"]',
    b'427["ask","text"]',
    b'42007["ask",1]',
    b'42123456789012345["ask",[1.0,null,{"a":true}]]',
    b'421["ask",{"a":1,"a":2}]',
    '421["ask","ünï€🎉\u007f\\u0000\\ud83c\\udf89"]'.encode(),
    b'421["ask","' + b"x" * 117 + b'"]',
    b'421["ask","' + b"x" * 60_000 + b'"]',
    b'421["plain",1]',
    b'421["ask",1,2]',
    b'421["nobody",1]',
    b'421["slow"]',
    b'421["fail"]',
]
"""Messages that go the short way."""
GENERAL = [
    b"",
    b"4",
    b"42",
    b"421",
    b"42[",
    b"42[]",
    b"421[]",
    b"421[1]",
    b'421[["ask"]]',
    b'421["connect"]',
    b'421["disconnect",1]',
    b'42-1["ask"]',
    b'421 ["ask"]',
    '42\u0661["ask"]'.encode(),
    b'421234567890123456["ask"]',
    b'421["ask"]]',
    b'421["ask",NaN]',
    b'421["ask",1e999]',
    b'421["ask",' + b"9" * 100 + b"]",
    b'421["ask",' + b"9" * 101 + b"]",
    b'421["ask","\\ud800"]',
    b'421["ask",' + b"[" * 30_000 + b"]" * 30_000 + b"]",
    b'421["ask","' + b"x" * 70_000 + b'"]',
    b'42/other,1["ask"]',
    b'42/,1["ask"]',
    b"431[1]",
    b"3",
    b'421["ask","\xff"]',
]
"""Messages that do not."""


async def outcome(text, *, short):
    """What a message causes, and whether it went the short way."""
    subject = OneLane(short=short)
    await subject.connect()
    await subject.say(text)
    return subject.seen, any(subject.short), any(subject.compiled)


@pytest.mark.parametrize("text", [*SHORT, *GENERAL], ids=lambda text: repr(text[:20]))
async def test_same_as_the_general_way(text, way):
    """Calls, answers and counts are the same, and only what should goes the short way."""
    troubles = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: troubles.append(context))
    result, short, compiled = await outcome(text, short=True)
    assert (result, False, False) == await outcome(text, short=False)
    assert short == (text in SHORT)
    assert compiled == (short and way == "compiled" and b"nobody" not in text)
    assert len(troubles) == (2 if b"fail" in text else 0)


async def test_client_with_a_waiting_handler():
    """While a handler of a client waits, its events go the general way, which counts the handlers."""
    subject = OneLane(short=True)
    await subject.connect()
    go = asyncio.Event()

    @subject.sio.event
    async def wait(sid):
        await go.wait()

    for text in (b'421["wait"]', b'422["ask"]'):
        await subject.receive(client_frame(TEXT, text))
    assert subject.short == [True, False]
    go.set()
    await eventually(lambda: not subject.manager.stats.handlers)
    await subject.say(b'423["ask"]')
    assert subject.short == [True, False, True]


async def test_handler_that_is_changed():
    """A handler that is registered in the place of another one is called from then on."""
    subject = OneLane(short=True)
    await subject.connect()
    await subject.say(b'421["ask"]')
    subject.sio.on("ask", subject.plain)
    await subject.say(b'421["ask",1]')
    assert subject.calls == [("ask", ()), ("plain", (1,))]
    assert subject.short == [True, True]


async def test_client_that_is_not_connected():
    """An event of a client that has not joined, or has left, calls no handler."""
    subject = OneLane(short=True)
    await subject.say(b'421["ask"]')
    await subject.connect()
    await subject.say(b"41")
    await subject.say(b'421["ask"]')
    assert subject.calls == []


async def test_client_that_leaves_and_joins_again():
    """A lane that remembers the client of its last event sees that it left, and that another one joined."""
    subject = OneLane(short=True)
    seen = []
    subject.sio.on("who", lambda sid: seen.append(sid))
    await subject.connect()
    first = subject.sid
    await subject.say(b'42["who"]')
    await subject.say(b"41")
    await subject.say(b'42["who"]')
    assert seen == [first]
    await subject.connect()
    for _ in range(2):
        await subject.say(b'42["who"]')
    assert subject.sid != first
    assert seen == [first, subject.sid, subject.sid]
    assert subject.short == [True, True]
