"""A polling session behaves as one of the official server's does."""

from __future__ import annotations

import asyncio

import aiohttp
import pytest

from tests.bare_sessions import RawPolling
from tests.harness import eventually

BOTH = ["node", "official"]
TEXT = {"Content-Type": "text/plain"}


@pytest.fixture(params=BOTH)
async def server(request, node, official):
    """Ours and the official one."""
    return {"node": node, "official": official}[request.param]


@pytest.fixture
async def session(http, server):
    one = RawPolling(http, server)
    await one.open()
    return one


async def status_of(request):
    async with request as response:
        return response.status, await response.text()


async def waiting_poll(session):
    """A poll that is certain to wait: what came before it has been answered."""
    await session.post("40")
    assert (await session.get())[0].startswith("40{")
    poll = asyncio.create_task(session.get())
    await session.post('42["echo"]')
    assert await poll == ['42["echo"]']
    poll = asyncio.create_task(session.get())
    await asyncio.sleep(0)  # it takes an open connection: on a new one it would come after the post
    await session.post("3")
    return poll


async def test_a_second_poll_closes_the_session(session):
    """The poll that waits gets CLOSE, the second one 400 without a body, and then the sid is unknown."""
    poll = await waiting_poll(session)
    assert await status_of(session.http.get(session.url)) == (400, "")
    assert await poll == ["1"]
    unknown = (400, '{"code":1,"message":"Session ID unknown"}')
    assert await status_of(session.http.get(session.url)) == unknown


async def test_a_second_post_closes_the_session(session):
    """A POST while another one is on its way is answered with 400, and the session ends."""
    poll = await waiting_poll(session)
    begun, release = asyncio.Event(), asyncio.Event()

    async def slowly():
        yield b"6"
        begun.set()
        await release.wait()
        yield b"6"

    first = asyncio.create_task(status_of(session.http.post(session.url, data=slowly(), headers=TEXT)))
    await begun.wait()
    while (second := await status_of(session.http.post(session.url, data="3")))[0] == 200:
        pass  # the beginning of the first was still on its way
    assert second == (400, "")
    assert await poll == ["1"]
    release.set()
    outcome = (await asyncio.gather(first, return_exceptions=True))[0]
    assert isinstance(outcome, aiohttp.ClientError) or outcome[0] == 400


async def test_the_client_closes(session):
    """A CLOSE from the client ends its poll with a NOOP."""
    poll = await waiting_poll(session)
    assert await status_of(session.http.post(session.url, data="1")) == (200, "ok")
    assert await poll == ["6"]
    assert (await status_of(session.http.get(session.url)))[0] == 400


async def test_the_server_closes(session):
    """When the server closes, the poll that waits gets CLOSE."""
    poll = await waiting_poll(session)
    await session.post('42["leave"]')
    assert await poll == ["1"]


async def test_the_server_closes_between_polls(session):
    """When the server closes while no poll waits, the next one gets CLOSE; then the sid is unknown."""
    await session.post("40")
    await session.get()
    await session.post('42["leave"]')
    assert (await session.get())[-1] == "1"
    assert (await status_of(session.http.get(session.url)))[0] == 400


@pytest.mark.parametrize("packet", ["9", "", "x", "2", "40\x1e\x1e40", "4\x1e7"])
async def test_malformed_packets(session, packet):
    """A POST with something that is no Engine.IO packet, or a PING, is answered, and the session closed."""
    poll = await waiting_poll(session)
    assert await status_of(session.http.post(session.url, data=packet)) == (200, "ok")
    assert await poll == ["1"]
    assert (await status_of(session.http.get(session.url)))[0] == 400


@pytest.mark.parametrize("packet", ["abc", "2", "40\x1ex"])
async def test_malformed_packets_between_polls(session, packet):
    """After a POST that is no Engine.IO packet the session is over at once: the next poll gets 400."""
    assert await status_of(session.http.post(session.url, data=packet)) == (200, "ok")
    unknown = (400, '{"code":1,"message":"Session ID unknown"}')
    assert await status_of(session.http.get(session.url)) == unknown


async def test_a_packet_that_is_no_socket_io_between_polls(session):
    """After an Engine.IO message that is no Socket.IO packet the next poll gets CLOSE."""
    await session.post("40")
    await session.get()
    assert await status_of(session.http.post(session.url, data="4abc")) == (200, "ok")
    status, packets = await status_of(session.http.get(session.url))
    assert (status, packets[-1]) == (200, "1")


async def test_a_poll_that_is_cut_off_ends_the_session(node):
    """A client whose poll loses its connection is gone at once: what it would have got is lost."""
    async with aiohttp.ClientSession() as http, aiohttp.ClientSession() as other:
        session = RawPolling(http, node)
        await session.open()
        (await waiting_poll(session)).cancel()
        await eventually(lambda: node.empty)
        assert node.log[-1][::2] == ("disconnect", "transport error")
        session.http = other
        assert (await status_of(session.http.get(session.url)))[0] == 400


async def test_a_post_that_is_cut_off_ends_the_session(node, http):
    """A client that goes away in the middle of a POST is gone at once."""
    session = RawPolling(http, node)
    await session.open()
    await session.post("40")
    begun = asyncio.Event()

    async def never_ending():
        yield b"4"
        begun.set()
        await asyncio.Event().wait()

    post = asyncio.create_task(status_of(http.post(session.url, data=never_ending(), headers=TEXT)))
    await begun.wait()
    post.cancel()
    await eventually(lambda: node.empty)
    assert node.log[-1][::2] == ("disconnect", "transport error")


async def test_too_large_is_not_read(node):
    """A body that announces too much is refused before it comes, another one once too much has come."""
    host, port = node.url.removeprefix("http://").split(":")
    async with aiohttp.ClientSession() as http:
        session = RawPolling(http, node)
        await session.open()
        path = session.url.removeprefix(node.url)
        for head, body in (
            (b"Content-Length: 10001", b""),
            (b"Transfer-Encoding: chunked", b"2711\r\n" + b"6" * 10_001 + b"\r\n"),
        ):
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(b"POST %s HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n%s" % (path.encode(), head, body))
            assert (await asyncio.wait_for(reader.readline(), 5)).startswith(b"HTTP/1.1 413")
            writer.close()
        assert await session.post("3") == 200


async def test_a_burst_of_many_packets(node, http):
    """More packets than python-engineio takes in one POST are all handled, in their order."""
    session = RawPolling(http, node)
    await session.open()
    await session.post("40")
    await session.post("\x1e".join(f'42["n",{number}]' for number in range(100)))
    await eventually(lambda: len(node.log) == 101)
    assert [entry[2] for entry in node.log[1:]] == list(range(100))


async def test_times_to_the_millisecond(session):
    """OPEN says 25.5 s and 20.25 s in milliseconds."""
    async with session.http.get(session.url.partition("&sid=")[0]) as response:
        opened = await response.text()
    assert '"pingInterval":25500' in opened
    assert '"pingTimeout":20250' in opened
