"""Packets: encoded once, and the ack id put in without decoding."""

from __future__ import annotations

import json
import sys

import pytest
from socketio import packet as sio
from socketio.msgpack_packet import MsgPackPacket

from socketio_cluster.manager.clients.packets import (
    SHARED_IDS,
    decode,
    encode,
    encode_ack,
    encode_event,
    packet_format,
    shared_ack_id,
    with_ack_id,
)
from socketio_cluster.manager.errors import SettingError
from socketio_cluster.manager.host.strict_packet import strict_packet_class

DATA = [
    None,
    "text",
    b"bytes",
    ["a", 1],
    {"a": {"b": b"\x00"}},
    ("one", b"two", [b"three"]),
    (),
    0,
    '","',
    "[1]",
]
SPACES = ["/", "/chat", "/a-1[", "/1/2"]


class Shouting(sio.Packet):
    """A format of somebody's own."""

    def encode(self):
        encoded = super().encode()
        return ["!" + encoded[0], *encoded[1:]] if isinstance(encoded, list) else "!" + encoded

    def decode(self, encoded):
        return super().decode(encoded[1:])


FORMATS = pytest.mark.parametrize("form", [sio.Packet, MsgPackPacket, Shouting])


@FORMATS
@pytest.mark.parametrize("namespace", SPACES)
def test_round_trip(form, namespace):
    """What is decoded is what was encoded, in every format and namespace."""
    for data in DATA:
        arguments = [] if data is None else list(data) if isinstance(data, tuple) else [data]
        encoded = encode_event(form, "event", data, namespace)
        packet = decode(form, encoded.parts, encoded.text)
        assert (packet.namespace or "/") == namespace
        assert packet.data == ["event", *arguments]
        assert packet.id is None


@FORMATS
@pytest.mark.parametrize("namespace", SPACES)
def test_ack_id(form, namespace):
    """The packet with an ack id is byte for byte the one python-socketio makes."""
    for data in DATA:
        arguments = [] if data is None else list(data) if isinstance(data, tuple) else [data]
        encoded = encode_event(form, "event", data, namespace)
        wanted = encode(form(sio.EVENT, namespace=namespace, data=["event", *arguments], id=42))
        got = with_ack_id(form, encoded, 42)
        assert (got.parts, got.text) == (wanted.parts, wanted.text)
        assert decode(form, encoded.parts, encoded.text).id is None  # the shared one is as it was


class WriteOnly(sio.Packet):
    """A format that does not read what it has written."""

    def encode(self):
        return "!" + super().encode()

    def decode(self, encoded):
        raise ValueError("not from here")


@pytest.mark.parametrize(("form", "data"), [(MsgPackPacket, {1: "one"}), (WriteOnly, "text")])
def test_shared_ack_id(form, data):
    """Where the id has no place it is in the packet from the start, and nothing is decoded for it."""
    ack_id = shared_ack_id()
    assert SHARED_IDS <= ack_id < 2**31
    encoded = encode_event(form, "event", data, "/chat", ack_id)
    wanted = encode(form(sio.EVENT, namespace="/chat", data=["event", data], id=ack_id))
    assert with_ack_id(form, encoded, ack_id).parts == wanted.parts
    assert encode_event(sio.Packet, "event", data, "/chat", ack_id).ack_id == 0


def test_shared_ack_id_that_is_taken():
    """A client for which the id is taken gets another in its packet."""
    encoded = encode_event(MsgPackPacket, "event", {1: "one"}, "/", SHARED_IDS)
    packet = decode(MsgPackPacket, with_ack_id(MsgPackPacket, encoded, 7).parts, text=False)
    assert (packet.id, packet.data) == (7, ["event", {1: "one"}])


def test_what_nodes_write_is_read():
    """Limits that are for clients do not keep a node from reading what another one has written."""
    for form, data in (
        (MsgPackPacket, {1: {b"x": 2}}),
        (sio.Packet, 10**150),
        (strict_packet_class(sio.Packet), 10**150),
    ):
        encoded = encode_event(form, "event", data, "/")
        assert decode(form, encoded.parts, encoded.text).data == ["event", data]


def test_marked_place():
    """Only the standard format has a place for the id; others are encoded again."""
    assert encode_event(sio.Packet, "a", None, "/").ack_at == 1
    assert encode_event(sio.Packet, "a", b"", "/n").ack_at == len("51-/n,")
    assert encode_event(MsgPackPacket, "a", None, "/").ack_at == -1
    assert encode_event(Shouting, "a", None, "/").ack_at == -1


def test_bytes_only():
    """All parts are bytes, and ``text`` says whether the first one was text."""
    encoded = encode_event(sio.Packet, "a", bytearray(b"\x01"), "/")
    assert encoded.parts == [b'51-["a",{"_placeholder":true,"num":0}]', b"\x01"]
    assert encoded.text
    assert not encode_event(MsgPackPacket, "a", None, "/").text


@FORMATS
def test_ack(form):
    """The arguments of an answer come back as they were."""
    for arguments in ([], [None], ["a", b"b", {"c": b"d"}]):
        encoded = encode_ack(form, arguments)
        assert decode(form, encoded.parts, encoded.text).data == arguments


def test_what_cannot_be_encoded():
    """Data that the serializer cannot take raises its error."""
    with pytest.raises(TypeError):
        encode_event(sio.Packet, "a", {1, 2}, "/")


def test_without_msgpack(monkeypatch):
    """Where msgpack is not installed its serializer is a SettingError that says what to install."""
    monkeypatch.setitem(sys.modules, "msgpack", None)
    with pytest.raises(SettingError, match=r"^serializer='msgpack' needs msgpack: pip install .*\[msgpack\]"):
        packet_format("msgpack")


def test_formats():
    """``serializer`` and ``json`` mean what they mean to python-socketio, and change no shared class."""
    assert packet_format("default") is sio.Packet
    assert packet_format("msgpack") is MsgPackPacket
    assert packet_format(Shouting) is Shouting

    class Loud:
        dumps = staticmethod(lambda *args, **kwargs: json.dumps(*args, **kwargs).upper())
        loads = staticmethod(json.loads)

    assert encode_event(packet_format("default", Loud), "a", None, "/").parts == [b'2["A"]']
    assert encode_event(sio.Packet, "a", None, "/").parts == [b'2["a"]']
    with pytest.raises(SettingError, match="'pickle'"):
        packet_format("pickle")
