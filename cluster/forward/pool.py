"""The lines to one other node: each carries one request at a time, and is used again."""

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
"""Lines kept for later; more are closed. A line that waits costs a socket and a few KiB on either side."""
LONGEST_IDLE: Final = 30.0
"""Seconds; a firewall between machines may forget a connection that is silent for longer."""

FULL_PAUSE: Final = 0.02
"""Seconds until a node that has too many callers at once is called again."""


class Pool:
    """Lines to a node.

    Args:
        node: the node.
        key: what the nodes of this cluster share.
    """

    def __init__(self, node: NodeInfo, key: Key) -> None:
        self._node = node
        self._key = key
        self._lines: set[NodeLine] = set()
        self._idle: deque[tuple[float, NodeLine]] = deque()

    async def take(self) -> NodeLine:
        """Get a line for one request; raises ``OSError`` when the node cannot be reached."""
        oldest = time.monotonic() - LONGEST_IDLE
        while self._idle:
            since, line = self._idle.pop()
            if since > oldest and not line.lost.done():
                return line
            line.close()
        return await self.connect()

    def give(self, line: NodeLine) -> None:
        """Bring a line back after a request whose answer was read to its end."""
        if line.lost.done() or line not in self._lines:
            return
        self._idle.append((time.monotonic(), line))
        if len(self._idle) > MOST_IDLE:
            self._idle.popleft()[1].close()

    async def connect(self) -> NodeLine:
        """Make a new line, at the first of the node's places that can be reached; raises ``OSError``."""
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

    def part_with(self, line: NodeLine) -> None:
        """Let somebody else have a line for good."""
        self._lines.discard(line)

    def close(self) -> None:
        """Close all lines: what waits on them ends."""
        self._idle.clear()
        for line in list(self._lines):
            line.transport.abort()


async def _reach(place: Place) -> NodeLine:
    while True:
        try:
            return await _open(place)
        except BlockingIOError:
            # A Unix socket with a full backlog, unlike TCP, refuses; the caller's deadline bounds the wait.
            await asyncio.sleep(FULL_PAUSE)


async def _open(place: Place) -> NodeLine:
    loop = asyncio.get_running_loop()
    if isinstance(place, str):
        return (await loop.create_unix_connection(NodeLine, place))[1]
    return (await loop.create_connection(NodeLine, *place))[1]
