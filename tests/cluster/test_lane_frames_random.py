"""Of random frames and bytes the lane reads what the websockets library reads, or raises ``FrameError``."""

from __future__ import annotations

import random

import pytest
from websockets.frames import Opcode

from socketio_cluster.cluster.lane.frames import (
    BINARY,
    PING,
    PONG,
    TEXT,
)
from tests.cluster.frame_reading import (
    LIMIT,
    broken,
    messages,
    websockets_server,
)
from tests.cluster.lane_helpers import client_frame


def random_session(rng):
    """Valid frames: data whole and in fragments, control frames anywhere."""
    wire = []
    for _ in range(rng.randrange(1, 12)):
        data = rng.randbytes(rng.choice([0, 1, rng.randrange(126), rng.randrange(126, 400), 65536]))
        cuts = sorted(rng.randrange(len(data) + 1) for _ in range(rng.choice([0, 0, 1, 3])))
        pieces = [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]
        for number, piece in enumerate(pieces):
            opcode = 0 if number else rng.choice([TEXT, BINARY])
            wire.append(client_frame(opcode, piece, fin=number == len(pieces) - 1, mask=rng.randbytes(4)))
            if rng.random() < 0.3:
                wire.append(client_frame(rng.choice([PING, PONG]), rng.randbytes(rng.randrange(126))))
    return b"".join(wire)


def cut(rng, wire):
    while wire:
        size = rng.choice([1, 2, 7, 1000, 100_000])
        yield wire[:size]
        wire = wire[size:]


def whole(frames):
    """Put the fragments that the websockets library gives together."""
    parts, start = [], None
    for each in frames:
        if each.opcode in (Opcode.PING, Opcode.PONG):
            yield int(each.opcode), bytes(each.data)
            continue
        start = start or each.opcode
        parts.append(bytes(each.data))
        if each.fin:
            yield int(start), b"".join(parts)
            parts, start = [], None


@pytest.mark.parametrize("seed", range(60))
def test_same_messages_as_websockets(seed):
    """Of random valid frames, cut anywhere, the websockets library reads the same messages."""
    rng = random.Random(seed)
    wire = random_session(rng)
    judge = websockets_server()
    judge.receive_data(wire)
    assert judge.parser_exc is None
    assert messages(*cut(rng, wire)) == list(whole(judge.events_received()))


@pytest.mark.parametrize("seed", range(20))
def test_random_bytes(seed):
    """Random bytes, and frames with a few bytes changed, give messages or a ``FrameError``, nothing else."""
    rng = random.Random(1000 + seed)
    for _ in range(100):
        wire = bytearray(rng.randbytes(200) if rng.random() < 0.3 else random_session(rng)[:2000])
        for _ in range(rng.randrange(4)):
            wire[rng.randrange(len(wire))] = rng.randrange(256)
        read, code = broken(*cut(rng, bytes(wire)))
        assert code in (None, 1002, 1007, 1009)
        assert all(len(payload) <= LIMIT for _, payload in read)
