"""A polling client in its barest form, which sends every request to the next node."""

from __future__ import annotations

import io
import itertools
import json

import aiohttp

PATH = "/socket.io/?EIO=4&transport=polling"


class Failed(Exception):
    """A request was not answered with 200."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status} {text}")
        self.status = status
        self.text = text


class Poller:
    """One session; ``urls`` are taken in turn, from the first one on."""

    def __init__(self, http: aiohttp.ClientSession, urls: list[str], headers: dict[str, str] | None = None):
        self._http = http
        self._urls = itertools.cycle(urls)
        self._headers = headers
        self.sid = ""
        self.waiting: list[str] = []
        self.requests = 0

    async def open(self):
        """Open the session and join the main namespace."""
        text = await self.request("GET")
        self.sid = json.loads(text[1:])["sid"]
        await self.post("40")
        assert (await self.next()).startswith("40")
        return self

    def go_by(self, urls: list[str]) -> None:
        """Take these nodes in turn from now on."""
        self._urls = itertools.cycle(urls)

    async def request(self, method: str, body: str | None = None, url: str | None = None) -> str:
        """Send a request to the next node, or to this one; gives the answer's text."""
        query = f"{PATH}&sid={self.sid}" if self.sid else PATH
        self.requests += 1
        target = (url or next(self._urls)) + query
        data = None
        if body is not None:  # aiohttp warns of a str above 1 MiB, and says that a file is binary
            data = aiohttp.BytesIOPayload(io.BytesIO(body.encode()), content_type="text/plain; charset=utf-8")
        async with self._http.request(method, target, data=data, headers=self._headers) as response:
            text = await response.text()
            if response.status != 200:
                raise Failed(response.status, text)
            return text

    async def post(self, *packets: str) -> None:
        assert await self.request("POST", "\x1e".join(packets)) == "ok"

    async def emit(self, *event) -> None:
        await self.post("42" + json.dumps(event))

    async def next(self) -> str:
        """The next packet that is not a ping; those are answered."""
        while True:
            while not self.waiting:
                self.waiting = (await self.request("GET")).split("\x1e")
            packet = self.waiting.pop(0)
            if packet == "2":
                await self.post("3")
            elif packet != "6":
                return packet

    async def event(self) -> list:
        """The name and the arguments of the next event."""
        packet = await self.next()
        assert packet.startswith("42"), packet
        return json.loads(packet[2:])

    async def call(self, *event) -> list:
        """Emit, and give the arguments of the ack."""
        await self.post("427" + json.dumps(event))
        packet = await self.next()
        assert packet.startswith("437"), packet
        return json.loads(packet[3:])
