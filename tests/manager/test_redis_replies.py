"""What a Redis server sends belongs to the questions, in their order."""

from __future__ import annotations

import asyncio
from unittest.mock import Mock

import pytest
from redis.exceptions import NoPermissionError, ResponseError

from socketio_cluster.manager.brokers import patience
from socketio_cluster.manager.brokers.redis_line import RedisLine
from socketio_cluster.manager.brokers.redis_replies import RedisReplies
from socketio_cluster.manager.errors import BrokerError, SettingError
from socketio_cluster.manager.native.library import VARIABLE


@pytest.fixture(params=["compiled", "python"])
async def replies(request, monkeypatch):
    """A connection on which the test says what the server sends, with each way of reading it."""
    monkeypatch.setenv(VARIABLE, "off" if request.param == "python" else "on")
    return RedisReplies(Mock(asyncio.Transport), "here")


async def test_replies_in_pieces(replies):
    """However the bytes are cut, each question gets its replies."""
    wire = b":1\r\n$3\r\nabc\r\n*2\r\n:2\r\n$-1\r\n-NOPERM no\r\n-ERR what\r\n-MOVED 1 there\r\n"
    for size in (1, 5, len(wire)):
        asked = [replies.ask(b"x", count) for count in (2, 1, 3)]
        for at in range(0, len(wire), size):
            replies.data_received(wire[at : at + size])
        first, second, errors = [one.result() for one in asked]
        assert (first, second) == ([1, b"abc"], [[2, None]])
        assert [type(error) for error in errors] == [NoPermissionError, ResponseError, ResponseError]
        assert [str(error) for error in errors] == ["no", "what", "MOVED 1 there"]


async def test_questions_of_one_turn_leave_in_one_write(replies):
    """Questions that can wait for the end of the turn are gathered, and none overtakes another."""
    asked = [replies.ask_soon(b"a"), replies.ask_soon(b"b")]
    assert not replies.transport.write.called
    await asyncio.sleep(0)
    asked.append(replies.ask_soon(b"c"))
    asked.append(replies.ask(b"d", 1))
    await asyncio.sleep(0)
    assert [call.args[0] for call in replies.transport.write.call_args_list] == [b"ab", b"cd"]
    replies.data_received(b":1\r\n:2\r\n:3\r\n:4\r\n")
    assert [one.result() for one in asked] == [[1], [2], [3], [4]]


async def test_a_cancelled_question(replies):
    """The replies to a question that was cancelled are not taken for those to the next one."""
    cancelled, asked = replies.ask(b"x", 2), replies.ask(b"y", 1)
    cancelled.cancel()
    replies.data_received(b":1\r\n:2\r\n:3\r\n")
    assert asked.result() == [3]


async def test_the_end(replies):
    """Those who wait, who listens, and who asks later get the error with which the connection ends."""
    heard = []
    replies.hand_to(heard.append)
    replies.on_end(heard.append)
    asked, unsent = replies.ask(b"x", 1), replies.ask_soon(b"y")
    replies.connection_lost(OSError("cut"))
    errors = (*heard, asked.exception(), unsent.exception())
    assert [str(error) for error in errors] == ["Redis at here failed: cut"] * 3
    await asyncio.sleep(0)
    replies.transport.write.assert_called_once_with(b"x")
    for ask in (lambda: replies.ask(b"x", 1), lambda: replies.ask_soon(b"x")):
        with pytest.raises(BrokerError, match="cut"):
            ask()
    with pytest.raises(BrokerError, match="cut"):
        replies.write(b"x")


@pytest.mark.parametrize("wire", [b":1\r\n", b"?what\r\n"])
async def test_what_nobody_asked_for(replies, wire):
    """A reply without a question, and what is no reply, end the connection."""
    replies.data_received(wire)
    assert replies.transport.abort.called
    with pytest.raises(BrokerError):
        replies.write(b"x")


async def test_silence(replies, monkeypatch):
    """When the server is silent, the questions end with ``TimeoutError``, and the connection does not."""
    monkeypatch.setattr(patience, "REPLY_TIMEOUT", 0.1)
    first, second = replies.ask(b"x", 1), replies.ask(b"y", 1)
    for asked in (first, second):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(asked), 1)
    assert first.done()
    assert second.done()
    assert not replies.transport.abort.called


async def test_a_release_of_redis_py_without_the_transport():
    """A redis-py that keeps its connection elsewhere is refused, with the release to install."""

    class Other:
        async def connect(self):
            """Connect in a way of its own."""

    line = RedisLine({"connection_class": lambda **_: Other()})
    with pytest.raises(SettingError, match=r"install redis 8\.1"):
        await line.connect()
