"""A request that breaks a rule gets the official server's answer."""

from __future__ import annotations

import aiohttp
import pytest

from tests.harness import eventually
from tests.strict.conftest import both_ways

POLLING = "EIO=4&transport=polling"

# What is asked, with {sid} for that of a polling session; headers and body as aiohttp takes them.
CASES = {
    "no query": ("GET", "", {}),
    "no transport": ("GET", "EIO=4", {}),
    "unknown transport": ("GET", "EIO=4&transport=pigeon", {}),
    "webtransport": ("GET", "EIO=4&transport=webtransport", {}),
    "websocket without upgrade": ("GET", "EIO=4&transport=websocket", {}),
    "no version": ("GET", "transport=polling", {}),
    "version 3": ("GET", "EIO=3&transport=polling", {}),
    "version 5": ("GET", "EIO=5&transport=polling", {}),
    "handshake by POST": ("POST", POLLING, {"data": "40"}),
    "handshake by PUT": ("PUT", POLLING, {"data": "40"}),
    "handshake by DELETE": ("DELETE", POLLING, {}),
    "handshake by POST, version 3": ("POST", "EIO=3&transport=polling", {"data": "40"}),
    "unknown session, GET": ("GET", POLLING + "&sid=nobody", {}),
    "unknown session, POST": ("POST", POLLING + "&sid=nobody", {"data": "40"}),
    "unknown session, version 3": ("GET", "EIO=3&transport=polling&sid=nobody", {}),
    "unknown session, PUT": ("PUT", POLLING + "&sid=nobody", {}),
    "empty session": ("POST", POLLING + "&sid=", {"data": "40"}),
    "session, no transport": ("GET", "EIO=4&sid={sid}", {}),
    "session, version 3": ("GET", "EIO=3&transport=polling&sid={sid}", {}),
    "session, no version": ("POST", "transport=polling&sid={sid}", {"data": "40"}),
    "session, other transport": ("GET", "EIO=4&transport=websocket&sid={sid}", {}),
    "session, POST": ("POST", POLLING + "&sid={sid}", {"data": "40"}),
    "session, 50 packets": ("POST", POLLING + "&sid={sid}", {"data": "\x1e".join(["40/nope,"] * 50)}),
    "session, too large": ("POST", POLLING + "&sid={sid}", {"data": "4" * 10_001}),
    "session, as large as may be": ("POST", POLLING + "&sid={sid}", {"data": "6" * 10_000}),
    "session, close": ("POST", POLLING + "&sid={sid}", {"data": "1"}),
    "session, without effect": ("POST", POLLING + "&sid={sid}", {"data": "6\x1e5\x1e0\x1e3"}),
    "session, binary body": (
        "POST",
        POLLING + "&sid={sid}",
        {"data": b"40", "headers": {"Content-Type": "application/octet-stream"}},
    ),
}


async def open_session(http, url):
    async with http.get(f"{url}/socket.io/?{POLLING}") as response:
        return (await response.text()).partition('"sid":"')[2].partition('"')[0]


async def answer(http, url, method, query, options):
    """The parts of an answer that matter."""
    if "{sid}" in query:
        query = query.format(sid=await open_session(http, url))
    async with http.request(method, f"{url}/socket.io/?{query}", **options) as response:
        return response.status, response.headers.get("Content-Type"), await response.text()


@pytest.mark.parametrize("case", CASES)
async def test_same_answer(node, official, http, case):
    """Status, type and body are those of the official server."""
    ours = await answer(http, node.url, *CASES[case])
    assert ours == await answer(http, official.url, *CASES[case])


UPGRADES = {
    "no transport": "EIO=4",
    "unknown transport": "EIO=4&transport=pigeon",
    "unknown session": "EIO=4&transport=websocket&sid=nobody",
    "session, version 3": "EIO=3&transport=websocket&sid={sid}",
}
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@pytest.mark.parametrize("case", UPGRADES)
@both_ways
async def test_same_refusal_of_a_websocket(node, official, http, case):
    """A WebSocket is refused when the official server refuses it, here with the code too."""
    request = ("GET", UPGRADES[case], {"headers": UPGRADE})
    status, kind, body = await answer(http, node.url, *request)
    theirs, _, message = await answer(http, official.url, *request)
    assert (status, kind) == (theirs, "application/json")
    assert message in body


@pytest.mark.parametrize("query", ["EIO=3&transport=websocket", "transport=websocket"])
@both_ways
async def test_version_of_a_websocket(node, http, query):
    """A WebSocket of another version gets the error that the official server writes into it."""
    answered = await answer(http, node.url, "GET", query, {"headers": UPGRADE})
    assert answered == (400, "application/json", '{"code":5,"message":"Unsupported protocol version"}')


@both_ways
async def test_a_second_websocket(node, official, http):
    """A second WebSocket for a session that has upgraded is opened and closed, as by the official server."""
    for url in (node.url, official.url):
        sid = await open_session(http, url)
        websocket = f"{url}/socket.io/?EIO=4&transport=websocket&sid={sid}"
        async with http.ws_connect(websocket) as first:
            await first.send_str("2probe")
            assert await first.receive_str() == "3probe"
            async with http.ws_connect(websocket) as meanwhile:
                assert (await meanwhile.receive()).type is aiohttp.WSMsgType.CLOSE
            await first.send_str("5")
            await first.send_str("40")
            assert (await first.receive_str()).startswith("40")
            async with http.ws_connect(websocket) as second:
                assert (await second.receive()).type is aiohttp.WSMsgType.CLOSE
            await first.send_str('42["echo"]')
            assert await first.receive_str() == '42["echo"]'


@both_ways
async def test_subprotocols(node, official, http):
    """Of the subprotocols that a WebSocket offers the first is chosen, as by the official server."""
    for url in (node.url, official.url):
        for sid in ("", f"&sid={await open_session(http, url)}"):
            websocket = f"{url}/socket.io/?EIO=4&transport=websocket{sid}"
            async with http.ws_connect(websocket, protocols=["a", "b"]) as ws:
                assert ws.protocol == "a"
            async with http.ws_connect(websocket.partition("&sid")[0]) as ws:
                assert ws.protocol is None


async def test_method_of_a_session(node, http):
    """PUT to a session is a bad request; the official server says 500 with nothing more."""
    answered = await answer(http, node.url, "PUT", POLLING + "&sid={sid}", {"data": "40"})
    assert answered == (400, "application/json", '{"code":3,"message":"Bad request"}')


async def test_errors_cross_origins(node, http):
    """A browser may read an error of a server that lets its page in, and OPTIONS is answered as ever."""
    node.sio.eio.cors_allowed_origins = ["http://page.test"]
    headers = {"Origin": "http://page.test"}
    async with http.get(f"{node.url}/socket.io/?EIO=3&transport=polling", headers=headers) as response:
        assert response.headers["Access-Control-Allow-Origin"] == "http://page.test"
    async with http.options(f"{node.url}/socket.io/?{POLLING}&EIO=4", headers=headers) as response:
        assert response.headers["Access-Control-Allow-Methods"] == "OPTIONS, GET, POST"


async def test_other_origins_may_not_post(node, http):
    """A POST from a page of another origin is refused, whatever session it names."""
    node.sio.eio.cors_allowed_origins = ["http://page.test"]
    query = POLLING + "&sid={sid}"
    posted = {"data": "40", "headers": {"Origin": "http://evil.test"}}
    status, _, body = await answer(http, node.url, "POST", query, posted)
    assert status == 400
    assert "http://evil.test is not an accepted origin" in body


async def test_jsonp(node, http):
    """JSONP works, its POSTs with the newlines that its client has doubled the backslashes of."""
    async with http.get(f"{node.url}/socket.io/?{POLLING}&j=3") as response:
        text = await response.text()
    assert text.startswith('___eio[3]("0{')
    sid = text.partition('\\"sid\\":\\"')[2].partition("\\")[0]
    url = f"{node.url}/socket.io/?{POLLING}&j=3&sid={sid}"
    for packet in ("40", '421["text","two\\\\nlines"]'):
        async with http.post(url, data={"d": packet}) as response:
            assert (response.status, await response.text()) == (200, "ok")
    async with http.get(url) as response:
        assert (await response.text()).startswith('___eio[3]("40{')
    await eventually(lambda: ("text", "two\nlines") in [(entry[0], entry[-1]) for entry in node.log])
