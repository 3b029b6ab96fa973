"""Whatever comes from a client or from the bus is read or refused: nothing crashes, hangs or grows."""

from __future__ import annotations

import json
import time

from hypothesis import example, given, settings
from hypothesis import strategies as st
from socketio.packet import Packet

from socketio_cluster.cluster.lane.events import read
from socketio_cluster.cluster.lane.frames import BINARY, CLOSE, TEXT, FrameReader, close_code
from socketio_cluster.manager.bus.envelope import Codec, Header
from socketio_cluster.manager.bus.messages import Emit, Message
from socketio_cluster.manager.errors import EnvelopeError
from tests.cluster.frame_reading import broken
from tests.polling.parsed import compare

LIMIT = 1000
bounded = settings(max_examples=400, deadline=None, derandomize=True)

heads = st.sampled_from(
    [b"\x81", b"\x82", b"\x01", b"\x00", b"\x80", b"\x89", b"\x8a", b"\x88", b"\xc1", b"\x83"]
)
lengths = st.sampled_from(
    [b"\x80", b"\x85", b"\xfd", b"\xfe\x00\x7e", b"\xff" + bytes(8), b"\xff" * 9, b"\x05"]
)
near_frames = st.lists(st.tuples(heads, lengths, st.binary(max_size=150)).map(b"".join), max_size=6).map(
    b"".join
)


@bounded
@given(st.one_of(st.binary(max_size=600), near_frames), st.integers(1, 50))
def test_frames(data, step):
    """Bytes in any pieces give messages within the limit, or a FrameError with a close code."""
    pieces = [data[start : start + step] for start in range(0, len(data), step)]
    messages, code = broken(*pieces, limit=LIMIT)
    assert code in (None, 1002, 1007, 1009)
    for opcode, payload in messages:
        assert len(payload) <= LIMIT
        if opcode == CLOSE and code is None:
            assert 1000 <= close_code(payload) < 5000


@bounded
@given(
    st.lists(st.tuples(st.sampled_from([TEXT, BINARY]), st.binary(max_size=400)), max_size=8),
    st.integers(1, 40),
)
def test_frames_in_pieces(messages, step):
    """Well-formed frames give their messages, however the bytes are cut."""
    data = b""
    for opcode, payload in messages:
        size = (
            bytes((0x80 | len(payload),)) if len(payload) < 126 else b"\xfe" + len(payload).to_bytes(2, "big")
        )
        mask = b"\x11\x22\x33\x44"
        data += bytes((0x80 | opcode,)) + size + mask
        data += bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
    reader = FrameReader(LIMIT)
    found = []
    for start in range(0, len(data), step):
        found += reader.feed(data[start : start + step])
    assert found == messages


queries = st.lists(
    st.sampled_from(
        ["EIO=4", "transport=polling", "sid=a", "t=1", "t", "j=0", "j=", "sid=", "a=b=c", "", "%74=1"]
    )
).map("&".join)
field_names = st.sampled_from(
    ["Host", "Connection", "Proxy-Connection", "Content-Length", "Transfer-Encoding", "Expect", "Upgrade"]
    + ["Content-Length ", " Content-Length", "X Y", "", "Origin", "X-A"]
)
field_values = st.sampled_from(
    [
        "a",
        "keep-alive",
        "close",
        "close, keep-alive",
        "upgrade",
        "0",
        "3",
        "03",
        "+3",
        "3\t",
        "3, 3",
        "chunked",
    ]
    + ["100-continue", "websocket", "", " a\t", "\xff", "a\x00b", "a\nb: c", "a\r\n b", "a\rb", "a\r\n\r\nb"]
)
colons = st.sampled_from([":", ": ", " :", ":\t", ""])
fields = st.tuples(field_names, colons, field_values, st.sampled_from(["\r\n", "\r\n", "\r\n", "\n", "\r"]))
requests = st.tuples(
    st.sampled_from(["GET", "POST"]),
    st.sampled_from([" /socket.io/?", " http://a/socket.io/?", " /socket.io?", "\t/socket.io/?"]),
    queries,
    st.sampled_from([" HTTP/1.1\r\n", " HTTP/1.1\r\n", " HTTP/1.0\r\n", " HTTP/1.1\n"]),
    st.lists(fields.map("".join), max_size=4).map("".join),
    st.sampled_from(
        ["\r\n", "Content-Length: 3\r\n\r\n", "Content-Length: 3\r\nHost: a\r\n\r\n", "\n", "\r\n\r\n"]
    ),
    st.sampled_from(["", "abc", "abcd", "GET / HTTP/1.1\r\n\r\n"]),
).map(lambda parts: "".join(parts).encode("latin-1"))


@bounded
@given(requests)
@example(b"GET /socket.io/?sid=a HTTP/1.1\r\nHost: a\r\nProxy-Connection: close\r\n\r\n")
@example(b"GET /socket.io/?sid=a HTTP/1.1\r\nOrigin: https://good.test\t\r\n\r\n")
def test_polls(data):
    """What the short way of polling takes is the same request to httptools."""
    compare(data)


def test_polls_that_are_taken():
    """The comparison above is not about nothing."""
    plain = b"/socket.io/?EIO=4&transport=polling&t=1&sid=a HTTP/1.1\r\nHost: a\r\n"
    assert compare(b"GET " + plain + b"\r\n")
    assert compare(b"POST " + plain + b"Content-Length: 3\r\nX-A: b \r\n\r\nabc")


texts = st.one_of(
    st.text(max_size=80),
    st.tuples(
        st.sampled_from(["2", "3", "5", "0", ""]),
        st.sampled_from(["", "/chat,", "/a?b=c,", "/", "12", "/chat,7", "1-", "٣"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=8), st.lists, max_leaves=8
        ).map(json.dumps),
    ).map("".join),
)


@bounded
@given(texts)
def test_events(text):
    """The short way reads a packet as python-socketio does, or leaves it to it."""
    event = read(text)
    if event is None:
        return
    packet = Packet(encoded_packet=text)
    assert packet.packet_type == (3 if event.answer else 2)
    assert (packet.namespace or "/", packet.id, packet.data) == (event.namespace, event.ack_id, event.data)


odd_json = st.sampled_from(
    [
        "NaN",
        "-Infinity",
        "1e400",
        "-0",
        "-0.0",
        "1E5",
        "01",
        "1.",
        "+1",
        '"\\ud800"',
        '"\\uD800\\u0041"',
        '"\t"',
    ]
    + [
        '"\\u0000"',
        '{"a":1,"a":2}',
        "\ufeff",
        "[1,]",
        " 7 ",
        "1\x0b",
        '"\\x"',
        "9" * 100,
        "9" * 101,
        "-" + "9" * 101,
    ]
    + [
        "9" * 102 + ".0",
        '"' + "9" * 150 + '"',
        "18446744073709551616",
        "2.2250738585072011e-308",
        "[" * 50 + "]" * 50,
    ]
)
any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=150),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)
values = st.lists(odd_json | any_json.map(json.dumps) | st.text(max_size=8), max_size=3)


def _standard(text: str) -> object:
    """What the standard ``json`` reads, without what JSON does not have; None for what it refuses."""

    def whole(digits: str) -> int:
        return int(digits if len(digits) <= 100 else "none")

    def no_constant(name: str) -> None:
        raise ValueError(name)

    try:
        return json.loads(text, parse_constant=no_constant, parse_int=whole)
    except ValueError:
        return None


@bounded
@given(values)
@example(['"' + "x" * 120 + '"', "9" * 101])
@example(["9" * 101])
def test_values(arguments):
    """The values of an event are those that the standard ``json`` reads, to the last bit."""
    body = "[" + ",".join(['"e"', *arguments]) + "]"
    event = read(f"42{body}")
    # ``repr`` tells -0.0 from 0, and 1.0 from 1.
    assert repr([event.name, *event.data] if event else None) == repr(_standard(body))


@bounded
@given(st.binary(max_size=200), st.integers(0, 80), st.booleans())
def test_envelopes(noise, keep, signed):
    """Bytes of the bus, from scratch or a good envelope spoilt, are a message or an EnvelopeError."""
    codec = Codec("fuzz", "a secret of enough letters" if signed else None)
    good = codec.pack(Header("abcdefgh", 1, time.time()), Emit("/", ["room"], [], [b'2["x"]'], text=True))
    for raw in (noise, good[:keep] + noise, good[:keep] + noise + good[keep:]):
        try:
            codec.header(raw)
            assert isinstance(codec.message(raw), Message)
        except EnvelopeError as error:
            assert error.reason in ("malformed", "version", "unsigned", "signature")
