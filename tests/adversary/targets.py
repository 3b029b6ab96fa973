"""Whatever reads bytes of clients or of the bus, each as a function that fails when something is wrong.

Bytes are read, or refused with the one error that is meant for it: any other error, and every failed
assertion, is a finding.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import struct
from unittest.mock import patch

import pytest
from socketio.msgpack_packet import MsgPackPacket
from socketio.packet import ACK, EVENT, Packet

from socketio_cluster.cluster.forward import messages
from socketio_cluster.cluster.lane.events import Ack, read
from socketio_cluster.cluster.lane.frames import TEXT
from socketio_cluster.manager.brokers.amqp_frames import METHOD, Deliveries, FrameBuffer
from socketio_cluster.manager.brokers.hub import HubClient
from socketio_cluster.manager.brokers.nats_routes import Routes
from socketio_cluster.manager.bus.envelope import Codec
from socketio_cluster.manager.bus.messages import Emit, Recorded
from socketio_cluster.manager.errors import EnvelopeError
from socketio_cluster.manager.host.posts import MOST_PACKETS, Malformed, packets_of
from socketio_cluster.manager.host.strict_packet import BadPacket, strict_packet_class
from socketio_cluster.manager.native.library import VARIABLE
from tests.cluster.frame_reading import broken
from tests.cluster.lane_helpers import client_frame
from tests.cluster.one_lane import OneLane
from tests.manager.hearing_rig import SECRET, Hearing, stamp
from tests.polling.parsed import compare

LIMIT = 1000
JSON, MSGPACK = strict_packet_class(Packet), strict_packet_class(MsgPackPacket)
RUNNER = asyncio.Runner()
CODECS = [Codec("fuzz"), Codec("fuzz", secrets.token_hex())]


def frames(data: bytes) -> None:
    """Frames of a client are the same messages, cut anywhere; the first byte says where."""
    if data:
        cut, wire = data[0] % len(data), data[1:]
        messages, code = broken(wire, limit=LIMIT)
        assert (messages, code) == broken(wire[:cut], wire[cut:], limit=LIMIT)
        assert all(len(payload) <= LIMIT for _, payload in messages)
        assert code in (None, 1002, 1007, 1009)


def payload(data: bytes) -> None:
    """A POST is packets, or malformed."""
    try:
        packets = packets_of(data)
    except Malformed:
        return
    assert len(packets) <= MOST_PACKETS
    assert all(packet[0] in "134b" for packet in packets)


def polls(data: bytes) -> None:
    """A request that the short way of polling takes is the same request to httptools."""
    compare(data)


def events(data: bytes) -> None:
    """The short way reads what the general one reads, which raises nothing but ``BadPacket``."""
    text = data.decode("utf-8", "replace")
    event = read(f"4{text}")
    try:
        packet = JSON(encoded_packet=text)
    except BadPacket:
        assert event is None
        return
    if event is None:
        return
    assert (packet.namespace or "/", packet.id) == (event.namespace, event.ack_id)
    if isinstance(event, Ack):
        assert (packet.packet_type, packet.data) == (ACK, event.data)
    else:
        assert (packet.packet_type, packet.data) == (EVENT, [event.name, *event.data])


def msgpack(data: bytes) -> None:
    """A msgpack packet has the types of a packet, or is bad."""
    try:
        packet = MSGPACK(encoded_packet=data)
    except BadPacket:
        return
    assert isinstance(packet.namespace, str | None)
    assert isinstance(packet.id, int | None)


def envelope(data: bytes) -> None:
    """Bytes of the bus are an envelope or an ``EnvelopeError``; nobody else's pass for signed ones."""
    for codec in CODECS:
        try:
            codec.header(data)
            codec.message(data)
        except EnvelopeError as error:
            assert error.reason in ("malformed", "version", "unsigned", "signature")
        else:
            assert codec is CODECS[0], "an envelope was forged"


def forward(data: bytes) -> None:
    """A frame of another node is a message, or a ``ConnectionError``."""
    with contextlib.suppress(ConnectionError):
        messages.decode(data)


class _Hub:
    """Takes what a member asks for."""

    @property
    def channels(self):
        return self

    def __getattr__(self, name):
        return lambda *args: None


class _Transport:
    """Takes what is written, and notes the end."""

    def write(self, data):
        pass

    def abort(self):
        pass


def hub(data: bytes) -> None:
    """What a node says to the hub is done or ends its connection; no more is kept than was said."""
    member = HubClient(_Hub())
    member.connection_made(_Transport())
    for start in range(0, len(data), 7):
        member.data_received(data[start : start + 7])
        assert len(member._buffer) <= len(data)


def amqp(data: bytes) -> None:
    """What the server sends is deliveries, or one of the errors after which the link is made anew."""
    buffer, deliveries = FrameBuffer(), Deliveries("tag", "exchange")
    try:
        for start in range(0, len(data), 11):
            buffer.feed(data[start : start + 11])
            while (frame := buffer.next()) is not None:
                kind, _, payload = frame
                assert len(payload) < len(data)
                deliveries.add(kind or METHOD, payload)
    except (OSError, IndexError, struct.error, UnicodeDecodeError):
        return
    assert sum(len(each.payload) for each in deliveries.take()) <= len(data)


def routes(data: bytes) -> None:
    """What nodes at NATS servers say to each other gets one line as an answer, or none."""
    book = Routes("HOME", "chat", "me")
    number = book.start()
    book.heard(data.decode(errors="replace"))
    book.answered(data)
    assert len(book.others) <= 2
    book.finish(number)
    if (answer := book.answer(data)) is not None:
        subject, text = answer
        assert subject.isascii()
        assert not any(char.isspace() for char in subject)
        assert text.split()[1:] == [b"HOME"]


def short(data: bytes) -> None:
    """Both short ways, in C and in Python, do the same with some bytes, or with messages in frames.

    The first byte says which of these; messages are cut at zeros.
    """
    wires = [data[1:]] if data[:1] == b"\xff" else [client_frame(TEXT, each) for each in data.split(b"\0")]
    in_c, in_python = (RUNNER.run(_outcome(wires, way)) for way in ("on", "off"))
    assert in_c == in_python


def heard(data: bytes) -> None:
    """A node that hears in C does what one does that hears in Python.

    The first byte says of what kind the node is, and whether the rest is whole payloads or messages in the
    envelopes of a node that is known. These are cut at two zeros.
    """
    kind, parts = data[0] if data else 0, data[1:].split(b"\0\0")[:4]
    assert _heard("on", kind, parts) == _heard("off", kind, parts)


def _heard(way: str, kind: int, parts: list[bytes]) -> list[object]:
    recovery, is_whole, secret = bool(kind & 1), bool(kind & 2), SECRET if kind & 4 else None
    event = Emit("/", ["red"], [], [b'2["a"]'], True)
    with pytest.MonkeyPatch.context() as patches:
        node = Hearing(patches, way, recovery=recovery, secret=secret)
        node.add("one", "red", session=recovery)
        node.add("two", "red", "blue")
        for number, part in enumerate([None, *parts], 1):
            raw = node.pack(Recorded(event) if recovery else event, number)
            if part is not None:
                raw = part if is_whole else node.with_body(raw, part)
            node.hear(stamp(raw, number) if recovery and not (is_whole and part) else raw)
    return node.state()


async def _outcome(wires: list[bytes], way: str) -> tuple[object, ...]:
    told: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: told.append(context["message"]))
    with patch.dict(os.environ, {VARIABLE: way}):
        one = OneLane(short=True)
    await one.connect()
    for wire in wires[:4]:
        await one.take(wire)
    return *one.seen, told


TARGETS = {
    each.__name__: each
    for each in (frames, payload, polls, events, msgpack, envelope, forward, hub, amqp, routes, short, heard)
}
