"""What a plain client may not send: it is told what was wrong, and the node goes on."""

from __future__ import annotations

import logging

import pytest

from tests.harness import eventually
from tests.plain.plain import plain, plain_nodes


@pytest.fixture
async def node(local_url, prefix):
    async with plain_nodes(local_url, prefix, count=1) as [node]:
        yield node


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ("", "not JSON"),
        ("hello", "not JSON"),
        ("[1]", "a message is an object"),
        ("[" * 100_000, "nested too deeply"),
        ("{}", "needs an event"),
        ('{"event": 5}', "event must be a text"),
        ('{"event": ""}', "event must be a text"),
        ('{"event": "disconnect"}', "server's own"),
        ('{"event": "say", "ack": "x"}', "ack must be a whole number"),
        ('{"event": "say", "ack": true}', "ack must be a whole number"),
        ('{"event": "say", "ack": -1}', "ack must be a whole number"),
        ('{"event": "say", "ack": 1e400}', "ack must be a whole number"),
        ('{"event": "say", "room": []}', "room must be a text"),
        ('{"event": "say", "room": "\\ud800"}', "text that UTF-8 can hold"),
        ('{"event": "say", "room": 18446744073709551616}', "64 bits"),
        ('{"event": "say", "text": "x"}', "'text' is no field of a message: event, data, room, ack"),
        (b"\xff\xfe", "must be JSON in UTF-8"),
        (b'{"event":"say","data":1}\nx', "data is given twice"),
        ('{"data": %s}' % ("9" * 5000), "not JSON"),
    ],
)
async def test_error_says_what_was_wrong(node, sent, words):
    """The error names the mistake, and the next message is handled."""
    async with plain(node) as one:
        await one.ws.send(sent)
        assert words in (await one.hear())["error"]
        assert await one.ask(event="say", data="still here") == {"ack": 1, "data": "still here"}


async def test_error_carries_the_ack(node):
    """An error about a message with an ack says which one."""
    async with plain(node) as one:
        await one.say(event="say", room=[], ack=9)
        assert (await one.hear())["ack"] == 9


async def test_unknown_event_is_an_error(node):
    """An event that nobody handles is answered so, with its ack, instead of with silence."""
    del node.sio.handlers["/"]["*"]
    async with plain(node) as one:
        assert await one.ask(event="sya") == {"ack": 1, "error": "nobody here handles the event 'sya'"}


async def test_nonsense_ends(node):
    """Ten bad messages in a row end the connection; a good one between them starts the count anew."""
    async with plain(node) as one:
        for _ in range(9):
            await one.ws.send("x")
        await one.say(event="good")
        for _ in range(10):
            await one.ws.send("x")
        assert await one.closed() == (1008, "10 bad messages in a row")
        await eventually(lambda: node.log[-1] == ("disconnect", one.sid, "transport error"))
    assert ("good", one.sid) in node.log


async def test_too_big_ends(node):
    """A message above ``max_http_buffer_size`` ends the connection with 1009."""
    async with plain(node) as one:
        await one.say(event="say", data="x" * node.sio.eio.max_http_buffer_size)
        assert await one.closed() == (1009, "a message has at most 1000000 bytes")
        await eventually(lambda: node.log[-1] == ("disconnect", one.sid, "payload too large"))


async def test_handler_that_fails(node, caplog):
    """The client of a handler that raises gets an error without its insides, and the log has it all."""

    async def divide(sid, number):
        return 1 / number

    node.sio.on("divide", divide)
    caplog.set_level(logging.ERROR, "socketio_cluster.cluster")
    async with plain(node) as one:
        assert await one.ask(event="divide", data=0) == {
            "ack": 1,
            "error": "the server failed to handle 'divide'",
        }
        assert await one.ask(event="divide", data=2) == {"ack": 1, "data": 0.5}
    assert "ZeroDivisionError" in caplog.text


async def test_ack_nobody_waits_for(node):
    """An answer to no question is ignored, as for every client."""
    async with plain(node) as one:
        await one.say(ack=77, data=1)
        assert await one.ask(event="say", data=1) == {"ack": 1, "data": 1}
