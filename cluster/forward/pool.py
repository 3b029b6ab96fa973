"""The lines to one other node. Each carries one request at a time, and is used again for later ones."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import Final

from socketio_cluster.cluster.forward.greeting import Key, greet
from socketio_cluster.cluster.forward.line import NodeLine
from socketio_cluster.cluster.internal import Place, read_address
from socketio_cluster.manager.bus.roster import NodeInfo

MOST_IDLE: Final = 100
"""Lines that are kept for later; more are closed. Each costs a socket and a few KiB on either side."""
LONGEST_IDLE: Final = 30.0
"""Seconds that a line is kept. A firewall between machines may forget a connection that is silent for
longer."""

FULL_PAUSE: Final = 0.02
"""Seconds between attempts to connect to a node whose backlog of connections is full."""


class Pool:
    """The lines to one node.

    Args:
        node: the node.
        key: the key by which nodes of this cluster know each other.
    """

    def __init__(self, node: NodeInfo, key: Key) -> None:
        self._node = node
        self._key = key
        self._lines: set[NodeLine] = set()
        self._idle: deque[tuple[float, NodeLine]] = deque()

    async def acquire(self) -> NodeLine:
        """Return a line for one request; raise ``OSError`` when the node cannot be reached.

        There is no limit of time here: the caller sets one, and may cancel this.
        """
        oldest = time.monotonic() - LONGEST_IDLE
        while self._idle:
            since, line = self._idle.pop()
            if since > oldest and not line.lost.done():
                return line
            line.close()
        return await self.connect()

    def release(self, line: NodeLine) -> None:
        """Take a line back for later requests. The answer to the last one must have been read to its end."""
        if line.lost.done() or line not in self._lines:
            return
        self._idle.append((time.monotonic(), line))
        if len(self._idle) > MOST_IDLE:
            self._idle.popleft()[1].close()

    async def connect(self) -> NodeLine:
        """Return a new line to the first of the node's places that can be reached.

        Raise ``OSError`` if none can.
        """
        failure: OSError = ConnectionError(f"{self._node.name} has no address that can be reached from here")
        for place in read_address(self._node.address):
            try:
                line = await _reach(place)
            except OSError as error:
                failure = error
                continue
            return await self._greeted(line)
        raise failure

    async def _greeted(self, line: NodeLine) -> NodeLine:
        self._lines.add(line)
        line.lost.add_done_callback(lambda _: self._lines.discard(line))
        try:
            await greet(line, self._key, self._node.id)
        except BaseException:
            line.close()
            raise
        return line

    def detach(self, line: NodeLine) -> None:
        """Forget a line, which has another owner from now on."""
        self._lines.discard(line)

    def close(self) -> None:
        """Close all lines; requests on them end with ``LineLost``."""
        self._idle.clear()
        for line in list(self._lines):
            line.transport.abort()


async def _reach(place: Place) -> NodeLine:
    while True:
        try:
            return await _open(place)
        except BlockingIOError:
            # A Unix socket with a full backlog refuses, unlike TCP. The deadline of the caller ends this
            # loop.
            await asyncio.sleep(FULL_PAUSE)


async def _open(place: Place) -> NodeLine:
    loop = asyncio.get_running_loop()
    if isinstance(place, str):
        return (await loop.create_unix_connection(NodeLine, place))[1]
    try:
        return (await loop.create_connection(NodeLine, *place))[1]
    except UnicodeError as error:
        raise ConnectionError(f"{place[0]} is no name of a host") from error
