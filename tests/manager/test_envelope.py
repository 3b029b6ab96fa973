"""The envelope: what is packed comes back, and anything else is an ``EnvelopeError``."""

from __future__ import annotations

import random

import msgspec
import pytest

from socketio_cluster.manager.bus.envelope import HEADER_BYTES, MAC_BYTES, Codec, Header, is_notice
from socketio_cluster.manager.bus.messages import (
    Ack,
    Answer,
    Ask,
    Beat,
    Bye,
    Close,
    Disconnect,
    Dropped,
    Emit,
    Enter,
    Gone,
    Hello,
    Late,
    Leave,
    Message,
    Offer,
    PassedOn,
    Recorded,
    Reply,
    SelectiveEmit,
    Taken,
    Unknown,
)
from socketio_cluster.manager.bus.presence_messages import (
    Entry,
    PresenceCalled,
    PresenceChange,
    PresenceMissed,
)
from socketio_cluster.manager.bus.query_messages import (
    Condition,
    Finding,
    FindSockets,
    Query,
    Recipients,
    Want,
)
from socketio_cluster.manager.errors import EnvelopeError

SECRET = "correct horse battery staple"
HEADER = Header("abcd-_12", 2**40 + 7, 1_700_000_000.25)
EMIT = Emit("/chat", ["lobby", 7], ["sid"], [b'52-["a"]', b"\x00\xff"], True, 3, 4)
MESSAGES = [
    EMIT,
    Ack(1, [b"3[]", b""], False),
    Gone(2),
    Enter(3, "/", "sid", "lobby"),
    Leave(4, "/", "sid", -1),
    Close(5, "/", ""),
    Disconnect(6, "/", "sid"),
    Reply(7, "why"),
    Hello("name", "host:1", True, 5, True, Offer(2**63, 7, b"abcd")),
    Beat("", "", False, 0, False, Offer(0, 0, b"")),
    Bye(),
    Late(0.25),
    Ask(1, 5, 0, b"\x00abcd"),
    Answer(1, [b"", b"raw"], 9, 2**63, 3, False),
    PassedOn("abcdefgh", ["abcdefgh-twelve-more"], EMIT),
    Query(8, Recipients("/", ["lobby", 7], []), FindSockets(session=True)),
    Finding(8, [msgspec.Raw(b"\x93\x01\x02\x03")], True, ""),
    SelectiveEmit(EMIT, ["muted", 7], True, [Condition("level", ">=", 3)]),
    Want(8, 2),
    PresenceChange("/", "lobby", 1, 2, [Entry("sid", "ann", b"\x80")], ["gone"]),
    PresenceCalled("/", 7, ["ann"], ["bob"]),
    PresenceMissed({"node0001": 2.5}),
    Recorded(EMIT, ["muted", 7], [Condition("level", ">=", 3)]),
    Dropped(("red", "blue")),
    Taken(9, "/", "sid"),
]
PLAIN, SIGNED = Codec("sio"), Codec("sio", SECRET)
CODECS = pytest.mark.parametrize("codec", [PLAIN, SIGNED], ids=["plain", "signed"])


def read(codec, raw):
    header = codec.header(raw)
    return header, codec.message(raw)


def reason(codec, raw):
    """Why the codec refuses these bytes."""
    with pytest.raises(EnvelopeError) as caught:
        read(codec, raw)
    return caught.value.reason


def test_every_message_is_tried():
    """The list of this test has one of each kind."""
    assert [type(message) for message in MESSAGES] == [
        kind for kind in Message.__args__ if kind is not Unknown
    ]


@CODECS
@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_round_trip(codec, message):
    """Header and message come back as they were."""
    assert read(codec, codec.pack(HEADER, message)) == (HEADER, message)


def test_layout():
    """The bytes are those of the module's text: other programs may write them."""
    raw = PLAIN.pack(Header("abcdefgh", 5, 1.0), Gone(7))
    assert raw == b"\x01\x00abcdefgh" + (5).to_bytes(8, "big") + b"\x3f\xf0" + bytes(6) + b"\x92\x03\x07"
    assert len(SIGNED.pack(Header("abcdefgh", 5, 1.0), Gone(7))) == len(raw) + MAC_BYTES


@CODECS
def test_own_echo(codec):
    """A sender knows its own envelopes by their head, and notices among them by their number."""
    for number in (0, 1, 255, 256, 2**63):
        raw = codec.pack(Header("abcdefgh", number, 1.0), Gone(7))
        assert raw.startswith(codec.heads("abcdefgh"))
        assert not raw.startswith(codec.heads("abcdefgi"))
        assert is_notice(raw) is (number == 0)


def test_version():
    """An envelope of another version is refused as such."""
    raw = PLAIN.pack(HEADER, EMIT)
    for version in (0, 2, 255):
        assert reason(PLAIN, bytes([version]) + raw[1:]) == "version"


@CODECS
def test_truncated(codec):
    """An envelope cut off at any byte is refused."""
    raw = codec.pack(HEADER, EMIT)
    for end in range(len(raw)):
        assert reason(codec, raw[:end]) in {"malformed", "signature"}
        with pytest.raises(EnvelopeError):  # the history is read without a look at the header
            codec.message(raw[:end])


def test_more_than_an_envelope():
    """Bytes after the message are refused."""
    assert reason(PLAIN, PLAIN.pack(HEADER, EMIT) + b"\x00") == "malformed"


def test_flipped_bits():
    """A signed envelope with any one bit changed is refused."""
    raw = SIGNED.pack(HEADER, EMIT)
    for at in range(len(raw)):
        for bit in range(8):
            changed = bytearray(raw)
            changed[at] ^= 1 << bit
            if at == 1 and bit:
                continue  # flags that no version has given a meaning yet are covered by the MAC, see below
            assert reason(SIGNED, bytes(changed)) in {"version", "unsigned", "signature", "malformed"}


def test_flags_are_signed():
    """Also the unused flags are covered by the signature."""
    raw = SIGNED.pack(HEADER, EMIT)
    for bit in range(1, 8):
        assert reason(SIGNED, raw[:1] + bytes([raw[1] | 1 << bit]) + raw[2:]) == "signature"


def test_unsigned_is_refused_with_a_secret():
    """A cluster with a secret refuses what is not signed."""
    assert reason(SIGNED, PLAIN.pack(HEADER, EMIT)) == "unsigned"


def test_signed_is_refused_without_a_secret():
    """A node without the secret refuses what it cannot check, instead of half understanding it."""
    assert reason(PLAIN, SIGNED.pack(HEADER, EMIT)) == "unsigned"


def test_other_clusters():
    """Another secret, or the same one under another prefix, makes another signature."""
    for foreign in (Codec("sio", SECRET + "!"), Codec("sio2", SECRET), Codec("si", "o" + SECRET)):
        assert reason(SIGNED, foreign.pack(HEADER, EMIT)) == "signature"


def test_long_secrets():
    """A secret of any length counts whole, and may be any text."""
    one, other = Codec("sio", "ž" * 500 + "a"), Codec("sio", "ž" * 500 + "b")
    assert read(one, one.pack(HEADER, EMIT)) == (HEADER, EMIT)
    assert reason(one, other.pack(HEADER, EMIT)) == "signature"


@CODECS
def test_noise(codec):
    """Bytes of chance, alone and in place of parts of an envelope, raise nothing but EnvelopeError."""
    chance = random.Random(3)
    good = codec.pack(HEADER, EMIT)
    refused = 0
    for number in range(2000):
        raw = bytearray(good) if number % 2 else bytearray(chance.randbytes(chance.randrange(120)))
        for _ in range(chance.randrange(1, 9) if number % 2 else 0):
            raw[chance.randrange(len(raw))] = chance.randrange(256)
        if number % 4 == 0:
            raw[:1] = b"\x01"
        try:
            read(codec, bytes(raw))
        except EnvelopeError:
            refused += 1
    assert refused > (1000 if codec is PLAIN else 1900)


def test_a_secret_is_changed_in_three_steps():
    """Old, old and new, new and old, new: each believes itself and its neighbours, both ways."""
    old, new = SECRET, SECRET[::-1]
    steps = [Codec("sio", secret) for secret in (old, f"{old}\n{new}", f" {new} \r\n\n{old}\n", new)]
    message = Emit("/", None, [], [b'2["x"]'], text=True)
    for at, one in enumerate(steps):
        for other in steps[max(0, at - 1) : at + 2]:
            assert other.message(one.pack(Header("a" * 8, 1, 0.0), message)) == message
    for stranger in (steps[3], Codec("sio")):
        with pytest.raises(EnvelopeError):
            stranger.message(steps[0].pack(Header("a" * 8, 1, 0.0), message))


def test_unknown_kind():
    """A message of a kind that this release does not have is ``Unknown``; bytes that are none are refused."""
    for newer in ([99, "x", {}], [100]):
        raw = PLAIN.pack(HEADER, Gone(7))[:HEADER_BYTES] + msgspec.msgpack.encode(newer)
        assert PLAIN.message(raw) == Unknown()
    for broken in ([], ["x"], [3, "no number"], 5):
        raw = PLAIN.pack(HEADER, Gone(7))[:HEADER_BYTES] + msgspec.msgpack.encode(broken)
        assert reason(PLAIN, raw) == "malformed"


def test_unknown_fields():
    """Fields that only a newer release knows are ignored and counted."""
    codec = Codec("p")
    head = codec.pack(HEADER, Gone(7))[:HEADER_BYTES]
    assert codec.message(head + msgspec.msgpack.encode([3, 7])) == Gone(7)
    assert codec.longer == 0
    assert codec.message(head + msgspec.msgpack.encode([3, 7, "newer", []])) == Gone(7)
    assert codec.message(head + msgspec.msgpack.encode([3, 7, *range(20)])) == Gone(7)
    assert codec.longer == 2
