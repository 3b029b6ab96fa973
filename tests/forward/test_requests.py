"""Requests that reach the wrong node, over Unix sockets and over TCP."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import pytest

from tests.cluster.command import wait_until
from tests.forward.poller import Failed, Poller

BIG = "x" * 900_000


async def test_every_request_may_go_to_another_node(nodes, poller):
    """A session stays at its node while its requests go around the nodes."""
    client = await poller(nodes.urls)
    answers = [(await client.call("where"))[0][1] for _ in range(4)]
    assert set(answers) == {client.sid[:8]}
    assert client.requests >= 10


async def test_large_bodies_pass_both_ways(nodes, poller):
    """900 KB go to the session and come back from it by way of another node."""
    client = await poller(nodes.urls)
    stranger = nodes.others(client.sid)[0].url
    await client.request("POST", "42" + json.dumps(["back", BIG]), stranger)
    packet = await client.request("GET", None, stranger)
    assert packet == "42" + json.dumps(["back", BIG], separators=(",", ":"))


async def test_binary_passes(nodes, poller):
    """An event with an attachment, in base64 as polling has it, comes back whole."""
    client = await poller(nodes.urls)
    await client.post('451-["back",{"_placeholder":true,"num":0}]', "bAAEC/w==")
    assert [await client.next(), await client.next()] == [
        '451-["back",{"_placeholder":true,"num":0}]',
        "bAAEC/w==",
    ]


async def test_events_keep_their_order(nodes, poller):
    """What a session is sent arrives in order, whichever nodes its polls go by."""
    client = await poller(nodes.urls)
    for number in range(30):
        await client.emit("back", number)
    assert [(await client.event())[1] for _ in range(30)] == list(range(30))


async def test_waiting_poll_is_answered_when_something_comes(nodes, poller):
    """A poll by way of another node waits, longer than a node may be silent, until there is something."""
    client = await poller(nodes.urls)
    stranger = nodes.others(client.sid)[0].url
    poll = asyncio.create_task(client.request("GET", None, stranger))
    # Longer than the 2.5 s within which a node has to show that it is there.
    answered, _ = await asyncio.wait([poll], timeout=3)
    assert not answered
    await client.emit("back", "now")
    assert await poll == '42["back","now"]'


async def test_upgrade_at_the_wrong_node(nodes, poller, http):
    """A polling session upgrades through a node that does not have it, and goes on over that WebSocket."""
    client = await poller(nodes.urls)
    url = nodes.others(client.sid)[0].url.replace("http", "ws")
    async with http.ws_connect(f"{url}/socket.io/?EIO=4&transport=websocket&sid={client.sid}") as ws:
        await ws.send_str("2probe")
        assert await ws.receive_str() == "3probe"
        await ws.send_str("5")
        await ws.send_str('427["where"]')
        assert json.loads((await ws.receive_str())[3:])[0][1] == client.sid[:8]
        await ws.send_str("42" + json.dumps(["back", BIG]))
        assert len(await ws.receive_str()) > len(BIG)


async def test_client_that_leaves_ends_its_session(nodes, poller):
    """When the connection of a passed-on poll breaks, the node with the session learns it."""
    client = await poller(nodes.urls)
    owner = nodes.owner(client.sid)
    before = owner.sessions
    poll = asyncio.create_task(client.request("GET", None, nodes.others(client.sid)[0].url))
    await owner.is_polled(client.sid)
    poll.cancel()
    await asyncio.gather(poll, return_exceptions=True)
    await asyncio.to_thread(wait_until, lambda: owner.sessions < before, seconds=5)


async def test_unknown_session_of_a_live_node(nodes, http):
    """A sid that names a live node, where it is not known, gets that node's 400."""
    client = Poller(http, nodes.urls)
    client.sid = nodes.workers[0].id + "x" * 12
    with pytest.raises(Failed) as failed:
        await client.request("GET", None, nodes.workers[1].url)
    assert failed.value.status == 400


async def test_node_nobody_knows(nodes, http):
    """A sid of no node gets Engine.IO's answer, with the cross-origin headers, on both transports."""
    sid = "A" * 20
    query = f"/socket.io/?EIO=4&transport=polling&sid={sid}"
    async with http.get(nodes.urls[0] + query, headers={"Origin": "http://a.example"}) as response:
        assert response.status == 400
        assert await response.json() == {"code": 1, "message": "Session ID unknown"}
        assert response.headers["Access-Control-Allow-Origin"] == "http://a.example"
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await http.ws_connect(nodes.urls[0].replace("http", "ws") + query.replace("polling", "websocket"))
    assert refused.value.status == 400


async def test_too_large_a_body_is_refused_by_its_node(nodes, poller):
    """A body above the limit is refused while the wrong node still reads it, and the next request works."""
    client = await poller(nodes.urls)
    other = await poller(nodes.urls)
    stranger = nodes.others(client.sid)[0].url
    with pytest.raises((Failed, aiohttp.ClientError)) as failed:
        await client.request("POST", "42" + json.dumps(["back", "x" * 5_000_000]), stranger)
    if isinstance(failed.value, Failed):
        assert failed.value.status in (400, 413)
    assert (await other.call("echo", 1)) == [1]
