"""Very many light clients that know recovery, in the loop of the nodes."""

from __future__ import annotations

import asyncio
import contextlib
from urllib.parse import urlsplit

from socketio_cluster.loadtest.receiver import Receiver
from socketio_cluster.loadtest.recovery import Recovery
from socketio_cluster.loadtest.swarm.engine import Engine
from socketio_cluster.loadtest.swarm.session import Door

SOURCE = "test"


def said(number):
    """The data of the event ``said`` that the clients count."""
    return {"t": 0.0, "seq": number, "src": SOURCE, "node": "n"}


class LightClient:
    """One client over all its connections."""

    def __init__(self, engine):
        self._engine = engine
        self._recovery = Recovery()
        self.receiver = Receiver()
        self.sid = None

    def connect(self, node):
        """Begin to connect, or to come back."""
        self.sid = None
        door = Door(urlsplit(node.url), query="EIO=4&transport=websocket&recovery=1")
        self._session, self._link = self._engine.connect(door, self.receiver, self, self._recovery)

    def cut(self):
        """Break the connection without a word."""
        self._engine.drop(self._link)

    @property
    def recovered(self):
        return self.sid is not None and self._recovery.recovered

    def has(self, last):
        """Whether it got all events up to this one, each once and in order."""
        track = self.receiver.tracks.get(SOURCE)
        return track is not None and track.dump() == [[[1, last]], 0, 0]

    def opened(self, sid):
        self.sid = sid

    def event(self, name, args):
        raise AssertionError(f"{name} was not emitted")

    def closed(self, reason):
        raise AssertionError(f"a client was disconnected: {reason}")


@contextlib.contextmanager
def swarm(count):
    """So many clients, which are not yet connected."""
    engine, loop = Engine(lambda *_: None), asyncio.get_running_loop()
    loop.add_reader(engine.fileno(), engine.turn)
    try:
        yield [LightClient(engine) for _ in range(count)]
    finally:
        loop.remove_reader(engine.fileno())
        engine.close()
