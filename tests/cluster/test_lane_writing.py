"""What lanes write is the same in C and in Python, whatever happens to them; and C leaves nothing behind."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socketio_cluster.cluster.lane import compiled, flusher
from socketio_cluster.cluster.lane.flusher import Flusher
from socketio_cluster.cluster.lane.writer import CLOSING, LaneWriter
from socketio_cluster.manager.clients.outgoing import Outgoing
from socketio_cluster.manager.clients.packets import Encoded
from socketio_cluster.manager.native.library import WRITE, load
from socketio_cluster.manager.stats import Stats
from tests.leaks import nothing_left

there = pytest.mark.skipif(load(WRITE) is None, reason="the way to clients is not compiled here")
LANES = 5


class Turns:
    """A loop that keeps what it is asked to call."""

    def __init__(self):
        self.due = []

    def call_soon(self, call, *arguments):
        self.due.append((call, arguments))

    def call_later(self, pause, call, *arguments):
        self.call_soon(call, *arguments)

    def run(self):
        due, self.due = self.due, []
        for call, arguments in due:
            call(*arguments)


class Line:
    """A transport that keeps what is written, or cannot write, or does something else meanwhile."""

    def __init__(self):
        self.written = []
        self.closed = False
        self.meanwhile = None

    def write(self, wire):
        assert type(wire) is bytes
        meanwhile, self.meanwhile = self.meanwhile, None
        if isinstance(meanwhile, BaseException):
            raise meanwhile
        self.written.append(wire)
        if meanwhile is not None:
            meanwhile()

    def is_closing(self):
        return self.closed

    def get_write_buffer_size(self):
        return 0


class OwnFlush(LaneWriter):
    """A lane that does something of its own when it is flushed."""

    __slots__ = ("flushed",)

    def flush(self):
        self.flushed = True
        super().flush()


class Polled:
    """Something else that is flushed."""

    def __init__(self, flushed):
        self.flush = lambda: flushed.append(self)


class Server:
    """Lanes of two servers in one loop, without a network."""

    def __init__(self, *, in_c):
        self.loop = Turns()
        self.flusher = Flusher(self.loop)
        self.behind = []
        self.polled = []
        write = compiled._sending(self.flusher) if in_c else None
        assert (write is not None) == in_c
        self.groups = [self.group(), self.group()]
        self.lines = [Line() for _ in range(LANES)]
        self.lanes = []
        for at, line in enumerate(self.lines):
            base = OwnFlush if at == LANES - 1 else LaneWriter
            methods = {"__slots__": (), **({"write": write} if in_c else {})}
            socket = SimpleNamespace(sid=str(at))
            self.lanes.append(type("L", (base,), methods)(line, socket, self.groups[at % 2]))
        self.events = [
            Outgoing(encoded)
            for encoded in (
                Encoded([b'2["a"]'], True),
                Encoded([b"x" * 124], True),
                Encoded([b"x" * 125], True),
                Encoded([b"x" * 65534], True),
                Encoded([b"x" * 65535], True),
                Encoded([b""], True),
                Encoded([b"\x93"], False),
                Encoded([b'51-["b",{}]', b"one", b"two"], True),
                Encoded([bytearray(b"text")], True),
            )
        ]

    def group(self):
        backpressure = SimpleNamespace(behind=lambda lane: self.behind.append(lane.socket.sid))
        return SimpleNamespace(flusher=self.flusher, stats=Stats(), mark=300, backpressure=backpressure)

    def do(self, what, at, number):
        lane, line, event = self.lanes[at], self.lines[at], self.events[number]
        match what:
            case "write":
                lane.write(event)
            case "frame":
                lane.write_frame(b"frame")
            case "answer":
                lane.write_answer(b"answer")
            case "pause":
                lane.pause_writing()
            case "resume":
                lane.resume_writing()
            case "closing":
                lane.enter(CLOSING)
            case "close":
                lane._send_close(1000, "")
            case "cut":
                line.closed = True
            case "poll":
                self.flusher.add(Polled(self.polled))
            case "fails":
                line.meanwhile = ValueError("fails")
            case "stops":
                line.meanwhile = KeyboardInterrupt()
            case "meanwhile":
                line.meanwhile = lambda: self.lanes[number % LANES].write(event)
            case "full":
                line.meanwhile = lane.pause_writing
            case "odd":
                lane._pending = [b"one", bytearray(b"two")] if lane._pending else None
            case "flush":
                self.loop.run()

    def try_to(self, *what):
        """Do something, and return what is to be seen then."""
        error = None
        try:
            self.do(*what)
        except (ValueError, KeyboardInterrupt) as raised:
            error = repr(raised)
        lanes = [(lane._pending, lane._paused, lane._waiting) for lane in self.lanes]
        wires = [bytes(event.wire or b"") for event in self.events]
        counts = [group.stats.sent_bytes for group in self.groups]
        written = [line.written for line in self.lines]
        own = hasattr(self.lanes[-1], "flushed")
        return error, lanes, wires, counts, written, own, self.behind, len(self.polled), len(self.loop.due)


COMMON = ["write"] * 12 + ["flush"] * 4
RARE = ["frame", "answer", "pause", "resume", "closing", "close", "cut"]
RARE += ["poll", "fails", "stops", "meanwhile", "full", "odd"]
NUMBERS = st.sampled_from([0] * 6 + [*range(9)])
STEPS = st.tuples(st.sampled_from(COMMON + RARE), st.integers(0, LANES - 1), NUMBERS)


@there
@given(st.lists(STEPS, max_size=40))
def test_same(steps):
    """Whatever happens to lanes, C and Python write, count and keep the same at each moment."""
    in_c, in_python = Server(in_c=True), Server(in_c=False)
    for step in [*steps, ("flush", 0, 0), ("flush", 0, 0)]:
        assert in_c.try_to(*step) == in_python.try_to(*step)


@pytest.mark.parametrize("in_c", [pytest.param(True, marks=there), False])
def test_who_cannot_be_written_to(caplog, in_c):
    """A line tells of a lane that cannot be written to; the next one gets its event, and it is counted."""
    server = Server(in_c=in_c)
    server.lines[0].meanwhile = ValueError("broken")
    for lane in server.lanes[:3]:
        lane.write(server.events[0])
    server.loop.run()
    assert [len(line.written) for line in server.lines[:3]] == [0, 1, 1]
    (record,) = caplog.records
    assert "could not be written" in record.message
    assert "ValueError: broken" in caplog.text
    assert [group.stats.sent_bytes for group in server.groups] == [18, 9]


@there
def test_other_arguments():
    """Python says what is wrong with arguments, and lanes of another kind write in Python."""
    server = Server(in_c=True)
    lane = server.lanes[0]
    for arguments in ((), (server.events[0], 1)):
        with pytest.raises(TypeError, match="positional argument"):
            lane.write(*arguments)
    with pytest.raises(AttributeError):
        lane.write(None)
    lane.write(outgoing=server.events[0])
    assert lane._pending == server.events[0].wire
    with pytest.raises(TypeError, match="takes a list"):
        server.flusher.flush(())


@there
def test_does_not_fit(monkeypatch, caplog):
    """When it does not fit the objects of this release, a line says so, and events go the way in Python."""
    monkeypatch.setattr(compiled, "Stats", SimpleNamespace)
    one = Flusher(Turns())
    assert compiled._sending(one) is None
    assert one.flush is flusher.flush_each
    assert "has no attribute 'sent_bytes'" in caplog.text


@there
def test_nothing_is_left(monkeypatch):
    """However events are written, they leave no reference behind."""
    monkeypatch.setattr(flusher.log, "disabled", True)  # else pytest keeps what is logged
    server = Server(in_c=True)
    objects = [*server.lanes, *server.groups, server.flusher, server.events[0], None, True]

    def many():
        for turn in range(300):
            event = Outgoing(Encoded([b"x" * turn], True))
            for lane in server.lanes:
                for each in (event, *server.events)[: turn % 4]:
                    lane.write(each)
            if turn % 50 == 0:
                server.lines[turn % LANES].meanwhile = ValueError()
            server.loop.run()
            for line in server.lines:
                line.written.clear()

    many()
    with nothing_left(*objects):
        many()
