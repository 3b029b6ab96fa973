"""The messages that a ``FrameReader`` reads from pieces of bytes, and a judge: the websockets library."""

from __future__ import annotations

from websockets.protocol import State
from websockets.server import ServerProtocol

from socketio_cluster.cluster.lane.frames import (
    CLOSE,
    CONTINUATION,
    TEXT,
    FrameError,
    FrameReader,
    close_code,
    lone_text,
    longest_frame,
)
from tests.cluster.lane_helpers import client_frame

LIMIT = 70_000

HELLO = client_frame(TEXT, b"hello")
START = client_frame(TEXT, b"he", fin=False)
REST = client_frame(0, b"llo")


def complete(messages):
    """Messages without the parts of those that go on."""
    return (message for message in messages if message[0] != CONTINUATION)


def fed(reader, piece):
    """The messages of a piece, by the general way; the short one, where it goes, must give the same."""
    short = lone_text(piece, longest_frame(reader._limit)) if reader.idle else None
    if short is None:
        yield from complete(reader.feed(piece))
    else:
        assert list(reader.feed(piece)) == [(TEXT, short)]
        yield TEXT, short


def messages(*pieces, limit=LIMIT):
    reader = FrameReader(limit)
    return [message for piece in pieces for message in fed(reader, piece)]


def broken(*pieces, limit=LIMIT):
    """The messages read before the error, and its close code."""
    reader, read = FrameReader(limit), []
    try:
        for piece in pieces:
            for opcode, payload in fed(reader, piece):
                read.append((opcode, payload))
                if opcode == CLOSE:
                    close_code(payload)
    except FrameError as error:
        return read, error.code
    assert len(reader._buffer or b"") <= limit + 14 + max(map(len, pieces), default=0)
    return read, None


def websockets_server(limit=LIMIT):
    """The websockets library's own protocol, after the handshake."""
    protocol = ServerProtocol(max_size=limit)
    protocol.state = State.OPEN
    protocol.parser = protocol.parse()
    next(protocol.parser)
    return protocol
