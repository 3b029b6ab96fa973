"""However a client's frames are cut and joined, the short way and the general parser read the same."""

from __future__ import annotations

from websockets.protocol import State
from websockets.server import ServerProtocol

from socketio_cluster.cluster.lane.frames import TEXT, FrameReader, lone_text, longest_frame
from tests.cluster.lane_helpers import client_frame

LIMIT = 1000
LENGTHS = range(301)
"""Around 125 the form of the length changes, and at 128 more its low bits are the same again."""
FRAMES = [client_frame(TEXT, b"x" * length) for length in LENGTHS]


def general(data):
    """The texts of some bytes, as the parser of the websockets library reads them."""
    protocol = ServerProtocol()
    protocol.state = State.OPEN
    protocol.parser = protocol.parse()
    next(protocol.parser)
    protocol.receive_data(data)
    return [bytes(event.data) for event in protocol.events_received()]


def read(reader, *pieces):
    """The texts of some pieces, each read the short way if it can be."""
    for piece in pieces:
        short = lone_text(piece, longest_frame(LIMIT)) if reader.idle else None
        if short is not None:
            yield short
        else:
            yield from (payload for _, payload in reader.feed(piece))


def test_every_join():
    """Two frames that come together are two messages, whatever their lengths."""
    texts = [b"x" * length for length in LENGTHS]
    assert [general(frame) for frame in FRAMES] == [[text] for text in texts]
    for first in LENGTHS:
        for second in LENGTHS:
            found = list(read(FrameReader(LIMIT), FRAMES[first] + FRAMES[second]))
            assert found == [texts[first], texts[second]], (first, second)


def test_every_split():
    """A frame cut in two, and one cut in two with another before it, give what the whole bytes give."""
    for length in LENGTHS:
        for before in (0, 7, 122, 125):
            wire = FRAMES[before] + FRAMES[length]
            due = [b"x" * before, b"x" * length]
            for cut in range(len(wire) + 1):
                assert list(read(FrameReader(LIMIT), wire[:cut], wire[cut:])) == due, (before, length, cut)
