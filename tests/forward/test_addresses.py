"""The client's address, as connect handlers and events see it."""

from __future__ import annotations

import pytest

from tests.forward.nodes import one_machine

FORWARDED = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"}


async def test_peer_reaches_environ(workers, poller):
    """Without a proxy REMOTE_ADDR and REMOTE_PORT are those of the peer."""
    client = await poller(workers.urls)
    [seen] = await client.call("seen")
    assert (seen["REMOTE_ADDR"], seen["wsgi.url_scheme"]) == ("127.0.0.1", "http")
    assert int(seen["REMOTE_PORT"]) == seen["client"][1] > 0


async def test_trusted_proxy_reaches_environ(workers, poller):
    """What a proxy on loopback, trusted unless told otherwise, says of the client is believed."""
    client = await poller(workers.urls, headers=FORWARDED)
    [seen] = await client.call("seen")
    assert (seen["REMOTE_ADDR"], seen["wsgi.url_scheme"]) == ("203.0.113.7", "https")
    assert seen["client"][0] == "203.0.113.7"
    assert seen["HTTP_X_FORWARDED_FOR"] == "203.0.113.7"


async def test_stranger_is_not_believed(poller):
    """With other proxies trusted, a peer that is none of them cannot choose its address."""
    with one_machine("--forwarded-allow-ips=192.0.2.0/24", workers=1) as nodes:
        client = await poller(nodes.urls, headers=FORWARDED)
        [seen] = await client.call("seen")
    assert (seen["REMOTE_ADDR"], seen["wsgi.url_scheme"]) == ("127.0.0.1", "http")


@pytest.mark.parametrize("lane", ["on", "off"])
async def test_websocket_tells_too(http, lane):
    """A WebSocket's environ has the address its proxy names, with lanes and without."""
    with one_machine(f"--lane={lane}", workers=1) as nodes:
        url = nodes.urls[0].replace("http", "ws") + "/socket.io/?EIO=4&transport=websocket"
        async with http.ws_connect(url, headers=FORWARDED) as ws:
            await ws.receive_str()
            await ws.send_str("40")
            await ws.receive_str()
            await ws.send_str('427["seen"]')
            answer = await ws.receive_str()
    assert '"REMOTE_ADDR":"203.0.113.7"' in answer
    assert '"wsgi.url_scheme":"https"' in answer
