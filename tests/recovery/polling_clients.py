"""Bare polling clients, which are cut off without anybody noticing: they just stop asking."""

from __future__ import annotations

import asyncio
import contextlib
import json

from tests.bare_sessions import RawPolling
from tests.harness import SECONDS


class PollingClient:
    """A client that remembers its pid, and comes to a node when a test says so.

    ``got`` are the first arguments of the events ``n`` that have come, ``answers`` the sids that it has been
    given, one for each return that was not cut off too early.
    """

    def __init__(self, http):
        self.http = http
        self.pid = self.offset = None
        self.got = []
        self.answers = []
        self._polling = None

    async def come(self, node):
        """Begin to come to a node, and stop asking at the last one."""
        self.cut()
        self.connected = asyncio.Event()
        self._polling = asyncio.create_task(self._poll(node, self.connected))

    async def back(self, node):
        """Come to a node. Returns whether the client has its session back."""
        await self.come(node)
        await asyncio.wait_for(self.connected.wait(), SECONDS)
        return self.answers[-1] == self.answers[0]

    def cut(self):
        """Stop asking."""
        if self._polling is not None:
            self._polling.cancel()

    async def _poll(self, node, connected):
        session = RawPolling(self.http, node)
        session.url += "&recovery=1"
        await session.open()
        claim = {"pid": self.pid, "offset": self.offset} if self.pid else {}
        posting = asyncio.create_task(session.post("40" + json.dumps(claim)))
        try:
            while not (packets := await session.get())[0].startswith("{"):
                for packet in packets:
                    await self._take(session, packet, connected)
        finally:
            posting.cancel()
            await asyncio.gather(posting, return_exceptions=True)

    async def _take(self, session, packet, connected):
        if packet == "2":
            await session.post("3")
        elif packet.startswith("40"):
            answer = json.loads(packet[2:])
            self.pid = answer["pid"]
            self.answers.append(answer["sid"])
            connected.set()
        elif packet.startswith("42"):
            event, number, *_, self.offset = json.loads(packet[2:])
            if event == "n":
                self.got.append(number)


@contextlib.asynccontextmanager
async def polling_client(http, node):
    """A connected client that stops asking in the end."""
    client = PollingClient(http)
    try:
        assert await client.back(node)
        yield client
    finally:
        client.cut()
