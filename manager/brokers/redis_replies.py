"""``RedisReplies``: reads what a Redis server sends on one connection.

redis-py opens the connection and logs in; then this protocol takes it over. Through asyncio's streams and
redis-py a reply costs four futures, a timer and three turns of the event loop, and a message that a node gets
or publishes costs as many. Here whatever has arrived is parsed at once, in the callback of the transport.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from copy import copy
from functools import partial
from typing import Any, Final

import msgspec
from hiredis import ProtocolError, PushNotification, Reader
from redis.exceptions import NoPermissionError, ResponseError

from socketio_cluster.manager.brokers.patience import Patience
from socketio_cluster.manager.brokers.redis_compiled import reading
from socketio_cluster.manager.errors import BrokerError

Replies = list[Any]
"""Replies in their order; an error reply is a ``ResponseError`` among them. Texts are bytes."""

Answered = Callable[[Replies | Exception], None]

HELLO: Final = b"*2\r\n$5\r\nHELLO\r\n$1\r\n3\r\n"
"""The command that changes a connection to RESP3. A server that knows it lets every user send it."""


class Question(msgspec.Struct):
    """Commands that were written at the time ``at`` (of the loop), and the replies that have come so far.

    ``done`` is called with all replies, or with an error in their place.
    """

    count: int
    at: float
    done: Answered
    replies: Replies = []


class Takers(msgspec.Struct):
    """Who gets the replies that come on a connection, and what RESP3 pushes."""

    replies: Callable[[Replies], None]
    pushes: Callable[[Replies], None]


class RedisReplies(asyncio.Protocol):
    """The replies on one connection.

    They belong to the questions, in their order. Messages of pub/sub and confirmations belong to whom
    ``push_to`` names. Only RESP3 tells them from replies; with RESP2 ``hand_to`` gives away everything.

    Args:
        transport: the connection, on which nothing is due.
        name: the server, for people.
    """

    __slots__ = ("__dict__", "__weakref__", "_error")  # C reads the last one, see ``native/_batch.c``

    def __init__(self, transport: asyncio.Transport, name: str) -> None:
        self.transport = transport
        self._name = name
        self._loop = asyncio.get_running_loop()
        self._reader = Reader(replyError=_refusal)
        self._questions: deque[Question] = deque()
        self._unsent: list[bytes] = []
        """The commands that leave at the next turn of the loop."""
        self._patience = Patience(self._loop, self._questions, lambda: self._give_up(TimeoutError()))
        self._takers = Takers(self._answer, _ignore)
        self._ended: Callable[[BrokerError], object] = lambda error: None
        self._error: BrokerError | None = None
        self.data_received = reading(  # type: ignore[assignment, method-assign]
            self._reader, self._takers, self._unreadable, self.data_received
        )
        transport.set_protocol(self)

    def write(self, commands: bytes) -> None:
        """Write commands in their wire form. Raises ``BrokerError`` if the connection has ended."""
        self._check()
        if self._unsent:
            self._unsent.append(commands)
            self._send()
        else:
            self.transport.write(commands)

    def write_pushed(self, commands: bytes) -> None:
        """Write commands that only pushes confirm. A reply to them is an error, which ends the connection.

        It would be taken for one to the next question. So a question that has always one reply follows.
        """
        self.ask_for(commands + HELLO, 1, self._pushed)

    def _pushed(self, replies: Replies | Exception) -> None:
        if not isinstance(replies, Exception) and isinstance(replies[0], ResponseError):
            self._end(BrokerError(f"Redis at {self._name} failed: {replies[0]}"))

    def _check(self) -> None:
        if self._error is not None:
            raise copy(self._error)  # Raising one object again makes its traceback grow.

    def ask(self, commands: bytes, count: int) -> asyncio.Future[Replies]:
        """Do as ``ask_for``, and return the future of the replies. Cancelling it is safe."""
        answered = self._loop.create_future()
        self.ask_for(commands, count, partial(settle, answered))
        return answered

    def ask_for(self, commands: bytes, count: int, done: Answered) -> None:
        """Write ``count`` commands, and call ``done`` with their replies when the last one has come.

        In their place it gets ``TimeoutError`` if the server does not answer in time, and
        ``BrokerError`` if the connection ends. Raises ``BrokerError`` if that has ended already.
        """
        if self._unsent or self._error is not None:
            self.write(commands)
        else:  # As ``write`` does, one call less for each batch.
            self.transport.write(commands)
        self._expect(count, done)

    def ask_soon(self, command: bytes) -> asyncio.Future[Replies]:
        """Ask one command, as ``ask`` does, but in one write with all others of this turn of the loop.

        uvloop writes at once. When many clients come back, a write for each would cost more than the rest.
        """
        self._check()
        if not self._unsent:
            self._loop.call_soon(self._send)
        self._unsent.append(command)
        answered = self._loop.create_future()
        self._expect(1, partial(settle, answered))
        return answered

    def _send(self) -> None:
        if self._unsent and self._error is None:
            self.transport.write(b"".join(self._unsent))
        self._unsent.clear()

    def _expect(self, count: int, done: Answered) -> None:
        self._questions.append(Question(count, self._loop.time(), done))
        self._patience.asked()

    def hand_to(self, take: Callable[[Replies], None]) -> None:
        """Give all replies to ``take`` from now on."""
        self._takers.replies = take

    def push_to(self, take: Callable[[Replies], None]) -> None:
        """Give all that RESP3 pushes to ``take`` from now on."""
        self._takers.pushes = take

    def on_end(self, ended: Callable[[BrokerError], object]) -> None:
        """Call ``ended`` with the error that ends the connection."""
        self._ended = ended

    def data_received(self, data: bytes) -> None:
        """Parse what has arrived, and give away the replies that are whole.

        ``_read.c`` does it where it is compiled.
        """
        reader = self._reader
        try:
            reader.feed(data)
            replies: Replies = []
            pushes: Replies = []
            while (reply := reader.gets()) is not False:  # hiredis's word for "not yet"
                (pushes if type(reply) is PushNotification else replies).append(reply)
        except ProtocolError as error:
            self._unreadable(error)
        else:
            if replies:  # They come first, as the next batch waits for them.
                self._takers.replies(replies)
            if pushes:
                self._takers.pushes(pushes)

    def _unreadable(self, error: ProtocolError) -> None:
        self._end(BrokerError(f"Redis at {self._name} sent something else than replies: {error}"))

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell everybody who waits."""
        self._end(BrokerError(f"Redis at {self._name} failed: {exc or 'it has closed the connection'}"))

    def _answer(self, replies: Replies) -> None:
        at = 0
        while at < len(replies):
            if not self._questions:
                self._end(BrokerError(f"Redis at {self._name} sent a reply that nobody asked for"))
                return
            question = self._questions[0]
            end = at + question.count - len(question.replies)
            question.replies += replies[at:end]
            at = end
            if len(question.replies) == question.count:
                self._questions.popleft()
                question.done(question.replies)

    def _end(self, error: BrokerError) -> None:
        if self._error is not None:
            return
        self._error = error
        self.transport.abort()
        self._patience.end()
        self._give_up(error)
        self._ended(error)

    def _give_up(self, error: Exception) -> None:
        while self._questions:
            self._questions.popleft().done(copy(error))


def _ignore(pushes: Replies) -> None:
    """Drop what nobody has asked for."""


def settle(answered: asyncio.Future[Any], replies: Any) -> None:
    """Wake who waits for replies, or for the error in their place, unless it was cancelled."""
    if answered.done():
        return
    if isinstance(replies, Exception):
        answered.set_exception(replies)
        answered.exception()  # Somebody may have stopped waiting for it.
    else:
        answered.set_result(replies)


def is_passing(refusal: ResponseError) -> bool:
    """Whether an error reply tells of the server's state, which will pass, and not of the command.

    Its kind is then another one than ERR, such as OOM, NOSCRIPT, LOADING or READONLY.
    """
    return str(refusal).partition(" ")[0].isupper()


def _refusal(text: str) -> ResponseError:
    """Return the error for an error reply. Its first word is its kind, such as ERR."""
    kind, _, rest = text.partition(" ")
    if kind == "NOPERM":
        return NoPermissionError(rest)
    return ResponseError(rest if kind == "ERR" else text)
