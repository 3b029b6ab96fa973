"""A GET that the client's HTTP library sends again, because its connection broke under the answer."""

from __future__ import annotations

import contextlib
import json

import pytest

from tests.polling.wire import PLAIN, wire
from tests.recovery.door import Door
from tests.recovery.python_clients import own_client

GENERAL = ["Connection: keep-alive, te"]
"""A header with which a GET goes the general way."""


@pytest.fixture(params=["local"])
def bus_url(request):
    """One bus: polls do not depend on it."""
    return request.getfixturevalue(f"{request.param}_url")


def said(body):
    """The packets in an answer."""
    return (
        b"".join(body.split(b"\r\n")[1:-3:2]).decode().split("\x1e") if b"\r\n" in body else [body.decode()]
    )


async def join(one, query, claim=""):
    """Open a session, and return the data of the answer to CONNECT."""
    _, opened = await one.ask(query=query)
    one.sid = json.loads(said(opened)[0][1:])["sid"]
    await one.ask("POST", query=query, body=f"40{claim}".encode())
    _, connected = await one.ask(query=f"{query}&t=first")
    packets = said(connected)
    return json.loads(packets[0][2:]), packets[1:]


@pytest.mark.parametrize("headers", [[], GENERAL], ids=["short", "general"])
async def test_its_packets_are_not_lost(nodes, headers):
    """The session ends, so the client comes back to it, and gets what was in the answer that was lost."""
    query = f"{PLAIN}&recovery=1"
    async with wire(nodes[0], headers) as one:
        mine, _ = await join(one, query)
        await nodes[1].sio.emit("n", 1, to=mine["sid"])
        head, _ = await one.ask(query=f"{query}&t=lost")
        assert head[0] == b"HTTP/1.1 200 OK"
        async with wire(nodes[0], sid=one.sid) as other:
            head, _ = await other.ask(query=f"{query}&t=lost")
            assert head[0] == b"HTTP/1.1 400 Bad Request"
    async with wire(nodes[2], headers) as one:
        again, packets = await join(one, query, json.dumps({"pid": mine["pid"]}))
        assert again == mine
        packets = packets or said((await one.ask(query=f"{query}&t=second"))[1])
        assert [json.loads(packet[2:])[:2] for packet in packets] == [["n", 1]]


@pytest.mark.parametrize(("query", "time"), [("&recovery=0", "same"), ("&recovery=1", "1796000000.25")])
async def test_others_poll_on(nodes, query, time):
    """A client that could not come back is served, and so is one whose polls name a time."""
    query = PLAIN + query
    async with wire(nodes[0]) as one:
        mine, _ = await join(one, query)
        for number in range(3):
            await nodes[1].sio.emit("n", number, to=mine["sid"])
            head, body = await one.ask(query=f"{query}&t={time}")
            assert head[0] == b"HTTP/1.1 200 OK"
            assert json.loads(said(body)[0][2:])[:2] == ["n", number]


class Cutting(Door):
    """A door that breaks the connection under the next answer that holds something, once."""

    holds = b""

    async def _pass_on(self, reader, writer):
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                if writer.to_client and self.holds and self.holds in data:
                    self.holds = b""
                    writer.transport.abort()
                    return
                writer.write(data)
                await writer.drain()
        writer.transport.abort()


async def test_aiohttp_asks_again(nodes):
    """``AsyncClient``, whose library asks again, is recovered, and has the event that was under way."""
    async with Cutting(nodes[0]) as door, own_client("AsyncClient", door, transports=["polling"]) as client:
        sid = client.sid
        for number in range(3):
            await nodes[1].sio.emit("n", number)
            await client.take(("n", number))
        door.holds = b'"under way"'
        await nodes[1].sio.emit("under way")
        assert await client.came_back() is True
        assert client.sid == sid
        await client.take(("under way",))
        await client.fence(nodes[0])
