"""The lane reads frames as RFC 6455 and the websockets library do, in bounded memory."""

from __future__ import annotations

import random
import sys

import pytest
from websockets.frames import Frame, Opcode

from socketio_cluster.cluster.lane.frames import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    TEXT,
    FrameReader,
    close_code,
    lone_text,
    longest_frame,
    message_frame,
)
from socketio_cluster.cluster.lane.frames import frame as server_frame
from tests.cluster.frame_reading import (
    HELLO,
    LIMIT,
    REST,
    START,
    broken,
    complete,
    messages,
    websockets_server,
)
from tests.cluster.lane_helpers import client_frame

SIZES = [0, 1, 125, 126, 127, 1023, 1024, 65535, 65536]


def held(reader):
    """How many bytes a reader keeps."""
    return sum(sys.getsizeof(getattr(reader, name)) for name in reader.__slots__)


@pytest.mark.parametrize("size", [1, 125, 126, 65535])
def test_short_way(size):
    """One whole text frame is read the short way; nothing else is, and what is too long is not."""
    text = b"x" * size
    wire = client_frame(TEXT, text)
    assert lone_text(wire, longest_frame(size)) == text
    others = [wire + b"x", wire + wire, client_frame(BINARY, text), client_frame(TEXT, text, fin=False)]
    others += [wire[:cut] for cut in range(min(len(wire), 20))] + [wire[:-1]]
    assert lone_text(wire, longest_frame(size - 1)) is None
    for other in others:
        assert lone_text(other, longest_frame(LIMIT)) is None
    for begun in (START, wire[:3]):
        reader = FrameReader(LIMIT)
        assert reader.idle
        list(reader.feed(begun))
        assert not reader.idle


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
@pytest.mark.parametrize("size", SIZES)
def test_sizes(opcode, size):
    """A frame of every form of length is read whole."""
    payload = random.Random(size).randbytes(size)
    assert messages(client_frame(opcode, payload)) == [(opcode, payload)]


@pytest.mark.parametrize("size", SIZES)
def test_server_frames(size):
    """A frame of the server is what the websockets library makes of it, for every form of length."""
    payload = bytes(size)
    for opcode in (TEXT, BINARY, PONG) if size < 126 else (TEXT, BINARY):
        assert server_frame(opcode, payload) == Frame(Opcode(opcode), payload).serialize(mask=False)


@pytest.mark.parametrize("size", [*SIZES, 124, 1022])
def test_message_frames(size):
    """An event's frame is that of its packet with the number of a message before it."""
    packet = b"x" * size
    assert message_frame(packet) == server_frame(TEXT, b"4" + packet)


@pytest.mark.parametrize("size", [0, 5, 125, 126, 300])
def test_split_anywhere(size):
    """A frame cut in two at any byte, with another behind it, is read like a whole one."""
    payload = bytes(range(256)) * 2
    wire = client_frame(BINARY, payload[:size]) + HELLO
    due = [(BINARY, payload[:size]), (TEXT, b"hello")]
    for at in range(len(wire) + 1):
        assert messages(wire[:at], wire[at:]) == due


@pytest.mark.parametrize("size", [65535, 65536])
def test_split_header_of_large_frame(size):
    """A large frame whose header comes byte by byte is read like a whole one."""
    wire = client_frame(BINARY, bytes(size))
    pieces = [wire[at : at + 1] for at in range(20)]
    assert messages(*pieces, wire[20:-1], wire[-1:]) == [(BINARY, bytes(size))]


def test_several_in_one_read():
    """Frames that come together are read in their order."""
    wire = HELLO + client_frame(PING, b"p") + client_frame(BINARY, b"\x00") + client_frame(TEXT, b"")
    assert messages(wire) == [(TEXT, b"hello"), (PING, b"p"), (BINARY, b"\x00"), (TEXT, b"")]


def test_byte_by_byte():
    """Fragments and control frames that come byte by byte are read like whole ones."""
    wire = START + client_frame(PING, b"p") + REST + HELLO
    pieces = [wire[at : at + 1] for at in range(len(wire))]
    assert messages(*pieces) == [(PING, b"p"), (TEXT, b"hello"), (TEXT, b"hello")]


def test_fragments():
    """Fragments make one message, and control frames between them come first."""
    pieces = [
        client_frame(BINARY, b"", fin=False),
        client_frame(0, b"a", fin=False),
        client_frame(PING, b"x"),
        client_frame(0, b"", fin=False),
        client_frame(PONG, b"y"),
        client_frame(0, b"b"),
    ]
    assert messages(b"".join(pieces)) == [(PING, b"x"), (PONG, b"y"), (BINARY, b"ab")]
    assert messages(*pieces, HELLO) == [(PING, b"x"), (PONG, b"y"), (BINARY, b"ab"), (TEXT, b"hello")]


VIOLATIONS = {
    "unmasked": (b"\x81\x05hello", 1002),
    "reserved bit 1": (client_frame(TEXT, b"x", first=0xC1), 1002),
    "reserved bit 2": (client_frame(TEXT, b"x", first=0xA1), 1002),
    "reserved bit 3": (client_frame(TEXT, b"x", first=0x91), 1002),
    **{f"opcode {opcode}": (client_frame(opcode, b""), 1002) for opcode in (3, 7, 11, 15)},
    "fragmented ping": (client_frame(PING, b"", fin=False), 1002),
    "fragmented close": (client_frame(CLOSE, b"\x03\xe8", fin=False), 1002),
    "long ping": (client_frame(PING, bytes(126)), 1002),
    "long close": (client_frame(CLOSE, b"\x03\xe8" + bytes(124)), 1002),
    "continuation alone": (REST, 1002),
    "continuation after the end": (START + REST + REST, 1002),
    "start in a message": (START + HELLO, 1002),
    "fragmented start in a message": (START + START, 1002),
    "one byte of close code": (client_frame(CLOSE, b"\x03"), 1002),
    **{
        f"close code {code}": (client_frame(CLOSE, code.to_bytes(2, "big")), 1002)
        for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)
    },
    "close reason not UTF-8": (client_frame(CLOSE, b"\x03\xe8\xff"), 1007),
    "too long": (client_frame(BINARY, bytes(LIMIT + 1)), 1009),
    "too long in fragments": (
        client_frame(BINARY, bytes(LIMIT), fin=False)
        + client_frame(0, b"", fin=False)
        + client_frame(0, b"x"),
        1009,
    ),
    "length with the highest bit": (b"\x82\xff" + b"\xff" * 8 + b"mask", 1009),
}


@pytest.mark.parametrize(("wire", "code"), VIOLATIONS.values(), ids=VIOLATIONS)
def test_violations(wire, code):
    """What breaks the protocol has the close code of the RFC, as in the websockets library."""
    before = HELLO + client_frame(PING, b"p")
    read, found = broken(before + wire)
    assert read[:2] == [(TEXT, b"hello"), (PING, b"p")]
    assert found == code
    judge = websockets_server()
    judge.receive_data(before + wire)
    assert judge.close_sent.code == code


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1011, 1012, 1013, 1014, 3000, 4999])
def test_close_codes(code):
    """A close code that a client may send is read, with a reason or without."""
    assert close_code(code.to_bytes(2, "big")) == code
    assert close_code(code.to_bytes(2, "big") + "gründe".encode()) == code
    assert close_code(b"") == 1005


@pytest.mark.parametrize("length", [b"\xfe\x00\x05", b"\xff" + (5).to_bytes(8, "big")])
def test_length_longer_than_needed(length):
    """A length in more bytes than it needs is read, as the websockets library does."""
    wire = b"\x81" + length + b"\0\0\0\0hello"
    assert messages(wire) == [(TEXT, b"hello")]
    judge = websockets_server()
    judge.receive_data(wire)
    assert [bytes(each.data) for each in judge.events_received()] == [b"hello"]


def test_limit_is_judged_by_the_header():
    """A frame over the limit is refused at its header, one at the limit is not; fragments count together."""
    fits = client_frame(BINARY, bytes(LIMIT))
    assert messages(fits) == [(BINARY, bytes(LIMIT))]
    assert broken(client_frame(BINARY, bytes(LIMIT + 1))[:10]) == ([], 1009)
    piece = client_frame(BINARY, bytes(LIMIT - 1), fin=False)
    assert messages(piece, client_frame(0, b"x")) == [(BINARY, bytes(LIMIT - 1) + b"x")]
    assert broken(piece, client_frame(0, b"xy")[:2]) == ([], 1009)


def test_memory():
    """However small the pieces of a message, and however many, the reader keeps the limit and a header."""
    reader, small = FrameReader(LIMIT), held(FrameReader(LIMIT))
    bound = small + 2 * (LIMIT * 9 // 8 + 100)  # a bytearray grows by an eighth; copied while being cut
    wire = client_frame(BINARY, bytes(LIMIT))
    for at in range(len(wire) - 1):
        assert not list(reader.feed(wire[at : at + 1]))
        assert held(reader) < bound / 2
    assert len(list(reader.feed(wire[-1:]))) == 1
    assert held(reader) == small
    assert not list(complete(reader.feed(client_frame(TEXT, b"", fin=False))))
    for _ in range(LIMIT):
        assert not list(
            complete(reader.feed(client_frame(0, b"", fin=False) + client_frame(0, b"x", fin=False)))
        )
    assert held(reader) < bound
    assert reader._buffer is None
    assert list(reader.feed(client_frame(0, b""))) == [(TEXT, b"x" * LIMIT)]
    assert held(reader) == small
