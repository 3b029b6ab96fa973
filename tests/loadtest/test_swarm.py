"""The swarm's frames, its reader and its session, without a network."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.streams import StreamReader

from socketio_cluster.loadtest.errors import Disconnected, NotSocketIO, Refused
from socketio_cluster.loadtest.receiver import Receiver
from socketio_cluster.loadtest.swarm import frames
from socketio_cluster.loadtest.swarm.handshake import NoWebSocket, check
from socketio_cluster.loadtest.swarm.meter import Meter
from socketio_cluster.loadtest.swarm.said import CHUNKS, Reader, Said
from socketio_cluster.loadtest.swarm.session import Door, Session

SIZES = st.sampled_from([0, 1, 125, 126, 127, 65535, 65536, 70000])


def frame(text, opcode=Opcode.TEXT, *, fin=True):
    """A frame as servers send it, by another library."""
    return Frame(opcode, text.encode() if isinstance(text, str) else text, fin).serialize(mask=False)


def said(seq, src="one", t=1.5, node="blue-1", namespace=""):
    data = {"t": t, "seq": seq, "src": src, "node": node, "pad": "xxx"}
    return f"42{namespace}" + json.dumps(["said", data], separators=(",", ":"))


def read_masked(data):
    """What a server reads, by another library; and nothing is left."""
    reader = StreamReader()
    reader.feed_data(data)
    parsing = Frame.parse(reader.read_exact, mask=True)
    try:
        while True:
            next(parsing)
    except StopIteration as end:
        assert reader.buffer == b""
        return end.value


@given(SIZES, st.sampled_from([frames.TEXT, frames.BINARY, frames.PONG]))
def test_a_server_reads_what_we_write(size, opcode):
    """Frames of every size are masked and read back the same by the websockets library."""
    payload = bytes(i * 7 % 256 for i in range(size if opcode != frames.PONG else min(size, 125)))
    found = read_masked(frames.encode(payload, opcode))
    assert (found.opcode, found.data, found.fin) == (opcode, payload, True)


@given(st.lists(SIZES, max_size=4), st.lists(st.integers(1, 200_000), max_size=6))
def test_frames_are_found_however_the_bytes_are_cut(sizes, cuts):
    """A stream cut anywhere gives the same frames as the whole."""
    whole = b"".join(frame(b"x" * size, Opcode.BINARY) for size in sizes)
    found, rest, at = [], b"", 0
    for cut in [*sorted(cuts), len(whole)]:
        more, rest = frames.split(rest + whole[at : max(at, cut)])
        found += more
        at = max(at, cut)
    assert rest == b""
    assert found == [(True, frames.BINARY, b"x" * size) for size in sizes]


@pytest.mark.parametrize(
    "first", [bytes([0xC1, 0x01, 0x61]), frames.encode(b"a")], ids=["compressed", "masked"]
)
def test_frames_no_server_may_send_are_refused(first):
    """A compressed frame that was not agreed on, and a masked one, are errors."""
    with pytest.raises(frames.FrameError, match="masked, or of an extension"):
        frames.split(first)


def test_a_chunk_is_read_once():
    """A chunk of deliveries is remembered, and the next receiver's costs one look."""
    reader = Reader()
    chunk = frame(said(1)) + frame(said(2, src="two", t=2, node="blue-2"))
    found = (Said("one", 1, 1.5, "blue-1"), Said("two", 2, 2.0, "blue-2"))
    assert reader.learn(chunk) == found
    assert reader.known == {chunk: found}


def test_servers_may_write_json_as_they_like():
    """Spaces and another order of the keys make no difference."""
    reader = Reader("/chat")
    spaced = '42/chat,["said", {"src": "one", "pad": "x", "node": "blue-1", "t": 1.5, "seq": 3}]'
    assert reader.read(spaced.replace('["said", ', '["said",').encode()) == Said("one", 3, 1.5, "blue-1")
    assert reader.read(said(3, namespace="/chat,").encode()) == Said("one", 3, 1.5, "blue-1")
    assert reader.read(said(3).encode()) is None


@pytest.mark.parametrize(
    "other", [frame("2"), frame(said(1))[:-1], frame('42["said",{"t":1}]'), frame("431[true]")]
)
def test_a_chunk_with_anything_else_is_not_remembered(other):
    """Pings, acks, half frames and strange data are left to the session."""
    reader = Reader()
    assert reader.learn(frame(said(1)) + other) is None
    assert reader.known == {}


def test_what_is_remembered_is_bounded():
    """After so many different chunks all are forgotten."""
    reader = Reader()
    for number in range(CHUNKS + 1):
        reader.learn(frame(said(number)))
    assert len(reader.known) == 1


class Client:
    """A session without a network: what it wrote, and what it told."""

    def __init__(self, namespace="/", auth=None):
        self.receiver = Receiver()
        self.samples, self.written, self.told = [], [], []
        self.meter = Meter(lambda *sample: self.samples.append(sample), every=2)
        door = Door(urlsplit("http://10.0.0.5:8000"), "socket.io", namespace, auth)
        self.session = Session(door, Reader(namespace), self.receiver, self.meter, self, self.written.append)
        self.session.start()

    def opened(self, sid):
        self.told.append(("opened", sid))

    def event(self, name, args):
        self.told.append((name, *args))

    def closed(self, reason):
        self.told.append(("closed", reason))

    def shake(self):
        """Answer the handshake, and the first packet of Engine.IO in the same bytes."""
        key = self.written.pop(0).decode().partition("Sec-WebSocket-Key: ")[2].split("\r\n")[0]
        from websockets.utils import accept_key

        answer = f"HTTP/1.1 101 Switching Protocols\r\nsec-websocket-accept: {accept_key(key)}\r\n\r\n"
        self.session.feed(answer.encode()[:40])
        self.session.feed(
            answer.encode()[40:] + frame('0{"sid":"e","pingInterval":25000,"pingTimeout":20000}')
        )

    def text(self):
        """Take the text of the next frame it wrote."""
        return read_masked(self.written.pop(0)).data.decode()


@pytest.fixture
def client():
    """A client that has been welcomed on blue-1."""
    one = Client()
    one.shake()
    assert one.text() == "40"
    one.session.feed(
        frame('40{"sid":"s1"}') + frame('42["welcome",{"sid":"s1","node":"blue-1","server":"ours"}]')
    )
    assert [word for word, *_ in one.told] == ["opened", "welcome"]
    one.told.clear()
    return one


def test_a_namespace_and_auth_go_into_each_packet():
    """The connect carries the namespace and the auth, and an event the namespace."""
    one = Client("/chat", {"token": "t"})
    assert b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 10.0.0.5:8000\r\n" in one.written[0]
    one.shake()
    assert one.text() == '40/chat,{"token": "t"}'
    one.session.feed(frame('40/chat,{"sid":"s1"}'))
    one.session.emit("say", 1, answered=one.told.append)
    assert one.text() == '42/chat,1["say",1]'
    one.session.feed(frame('43/chat,1[true,"é"]'))
    assert one.told[-1] == [True, "é"]


def test_losses_repeats_and_late_messages_are_counted(client):
    """Whichever way the bytes come, the ledger's track knows what came twice, late or never."""
    for number in (1, 2, 2, 5, 4):
        client.session.feed(frame(said(number)))
    client.session.feed(frame(said(6)) + frame(said(7))[:9])
    client.session.feed(frame(said(7))[9:])
    track = client.receiver.tracks["one"]
    assert (track.duplicates, track.reordered, track.total, track.count(1, 7)) == (1, 1, 6, 6)
    assert client.meter.deliveries == 7


def test_one_in_so_many_chunks_is_sampled(client):
    """Of every second chunk one delivery is sampled, with the receiver's node and the time."""
    for number in range(1, 9, 2):
        client.session.feed(frame(said(number)) + frame(said(number + 1)))
    assert [(node, one.seq) for node, one, _ in client.samples] == [("blue-1", 4), ("blue-1", 7)]
    assert client.samples[0][2] == pytest.approx(client.session.heard, abs=1)


def test_pings_are_answered(client):
    """Engine.IO's ping and WebSocket's are answered, the latter with its data."""
    client.session.feed(frame("2") + frame("hi", Opcode.PING))
    assert client.text() == "3"
    pong = read_masked(client.written.pop(0))
    assert (pong.opcode, pong.data) == (Opcode.PONG, b"hi")


def test_a_message_may_come_in_pieces(client):
    """Continuation frames make one message."""
    text = said(1)
    client.session.feed(frame(text[:20], fin=False) + frame(text[20:30], Opcode.CONT, fin=False))
    client.session.feed(frame(text[30:], Opcode.CONT))
    assert client.receiver.tracks["one"].total == 1


@pytest.mark.parametrize(
    ("last", "kind", "words"),
    [
        (frame("41"), Disconnected, "disconnected the client from /"),
        (frame("1"), Disconnected, "closed the session"),
        (frame(b"\x03\xf4", Opcode.CLOSE), Disconnected, "closed with 1012"),
        (frame('44{"message":"wrong token"}'), Refused, "wrong token"),
        (frame("42{"), NotSocketIO, "what is not Socket.IO"),
        (bytes([0xC1, 0x01, 0x61]), NotSocketIO, "of an extension"),
    ],
)
def test_every_end_has_its_reason(client, last, kind, words):
    """However the server ends it, the owner is told once and why, and who waits for an ack is, too."""
    waiting = []
    client.session.emit("echo", 1, answered=waiting.append)
    client.session.feed(last)
    client.session.feed(frame(said(1)))
    ((word, reason),) = client.told
    assert word == "closed"
    assert isinstance(reason, kind)
    assert words in str(reason)
    assert isinstance(waiting[0], Disconnected)
    assert client.receiver.tracks == {}
    with pytest.raises(Disconnected):
        client.session.emit("echo", 1)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n\r\n", "HTTP 503 Service Unavailable"),
        (
            b"HTTP/1.1 101 Switching\r\nSec-WebSocket-Accept: x\r\n\r\n",
            "wrong Sec-WebSocket-Accept",
        ),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "not HTTP"),
        (b"x" * 70_000, "not HTTP"),
    ],
)
def test_what_is_no_handshake_is_named(answer, words):
    """Anything but the right answer to the handshake is refused with what it was."""
    with pytest.raises(NoWebSocket, match=words):
        check(answer, b"key")
