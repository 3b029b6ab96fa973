"""Connections that go the short way are the same as those that go through ASGI and python-engineio."""

from __future__ import annotations

import asyncio
import json

import pytest
from engineio.async_socket import AsyncSocket

from socketio_cluster.cluster.cli.options import Limits
from socketio_cluster.cluster.limits.limits import Limiter
from socketio_cluster.cluster.strict.answers import DRAINING
from socketio_cluster.manager.host.opening import WebSocketSession
from tests.cluster.lane_helpers import RawSocket, lane_node, raw
from tests.harness import eventually

PLAIN = "EIO=4&transport=websocket"
REQUESTS = {
    "plain": (PLAIN, []),
    "another order": ("transport=websocket&EIO=4&t=1234.5", []),
    "a query of the page's": (PLAIN + "&token=a%20b&x=1&x=2&empty=", ["Cookie: a=b", "Cookie: c=d"]),
    "subprotocols": (PLAIN, ["Sec-WebSocket-Protocol: , one, two", "Sec-WebSocket-Protocol: three"]),
    "a page that may": (PLAIN, ["Origin: https://good.test"]),
    "a proxy": (PLAIN, ["X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: https"]),
    "a page that may not": (PLAIN, ["Origin: https://bad.test"]),
    "no version": ("transport=websocket", []),
    "an old version": ("EIO=3&transport=websocket", []),
    "two versions": (PLAIN + "&EIO=4", []),
    "polling": ("EIO=4&transport=polling", []),
    "a sid": (PLAIN + "&sid=abcdefghijklmnopqrst", []),
    "an empty sid": (PLAIN + "&sid=", []),
    "JSONP": (PLAIN + "&j=1", []),
    "bad JSONP": (PLAIN + "&j=x", []),
    "nothing": ("", []),
}
SHORT = (
    "plain",
    "another order",
    "a query of the page's",
    "subprotocols",
    "a page that may",
    "a proxy",
    "an empty sid",
)
OF_THE_REQUEST = ("asgi.receive", "asgi.send", "REMOTE_PORT", "HTTP_HOST", "RAW_URI", "wsgi.errors")


async def answer(node, query, headers, path="/socket.io/"):
    """Ask for a WebSocket; return the connection and the head of the answer."""
    one = RawSocket(node)
    one.sock = None
    host, port = node.url.removeprefix("http://").split(":")
    one.reader, one.writer = await asyncio.open_connection(host, int(port))
    lines = [f"GET {path}?{query} HTTP/1.1", f"Host: {host}", "Upgrade: websocket", "Connection: Upgrade"]
    lines += ["Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", *headers, "", ""]
    one.writer.write("\r\n".join(lines).encode())
    return one, await asyncio.wait_for(one.reader.readuntil(b"\r\n\r\n"), 15)


class Seen:
    """What the client and the handlers of one connection see, with its sids by other names."""

    def __init__(self, node):
        self.node = node
        self.environs = []
        node.sio.on("connect", self._connect)

    def _connect(self, sid, environ, auth):
        self.node.log.append(("connect", sid, auth))
        self.environs.append(environ)

    async def session(self, query, headers, path):
        """Connect, say something, and close."""
        one, head = await answer(self.node, query, headers, path)
        said = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"date:")]
        if b" 101 " not in head:
            said.append(await asyncio.wait_for(one.reader.read(), 15))
            one.writer.close()
            return said, [], None
        one._receive = lambda size: asyncio.wait_for(one.reader.read(size), 15)
        opening = await one.text()
        kinds = {type(socket) for socket in self.node.sockets.values()}
        one.send = lambda *wires: _written(one.writer, wires)
        await one.say('40{"a":1}', '42["hello",1]', '427["asks"]')
        texts = [opening, *[await one.text() for _ in range(2)]]
        await one.say("41")
        one.writer.close()
        await eventually(lambda: self.node.forgotten)
        names = {json.loads(opening[1:])["sid"]: "EIO", texts[1].split('"')[3]: "SID"}
        texts = [_renamed(text, names) for text in texts]
        return said, [*texts, _renamed(repr(self.node.log), names)], kinds


async def _written(writer, wires):
    writer.write(b"".join(wires))


def _renamed(text, names):
    for sid, name in names.items():
        text = text.replace(sid, name)
    return text


def _comparable(environ):
    plain = {name: value for name, value in environ.items() if name not in OF_THE_REQUEST}
    scope = dict(plain.pop("asgi.scope"))
    scope["client"], scope["server"] = scope["client"][0], scope["server"][0]
    scope["headers"] = [pair for pair in scope["headers"] if pair[0] != b"host"]
    return plain, scope


@pytest.mark.parametrize(
    ("name", "path"),
    [(name, "/socket.io/") for name in REQUESTS]
    + [("plain", path) for path in ("/socket.io", "/socket.io/more", "/%73ocket.io/", "/elsewhere/")],
)
async def test_same(name, path):
    """The answer, the packets, the calls of handlers and the environ are the same on both ways."""
    query, headers = REQUESTS[name]
    found = []
    for short in (True, False):
        options = {"cors_allowed_origins": "https://good.test"}
        async with lane_node(short=short, server_options=options) as node:
            seen = Seen(node)
            said, packets, kinds = await seen.session(query, headers, path)
            environs = [_comparable(environ) for environ in seen.environs]
            found.append((said, packets, environs, dict(node.manager.stats.accepted)))
            goes = short and name in SHORT and path not in ("/%73ocket.io/", "/elsewhere/")
            assert kinds in (None, {WebSocketSession if goes else AsyncSocket})
            assert not goes or kinds
    assert found[0] == found[1]


async def test_a_function_decides_about_pages():
    """A function given as ``cors_allowed_origins`` is asked as often on both ways, and may fail."""
    found = []
    for short in (True, False):
        asked = []

        def allowed(origin, environ, asked=asked):
            asked.append(environ["HTTP_ORIGIN"])
            if origin == "https://fails.test":
                raise ValueError("as asked")
            return origin == "https://good.test"

        async with lane_node(short=short, server_options={"cors_allowed_origins": allowed}) as node:
            heads = []
            for page in ("good", "bad", "fails"):
                one, head = await answer(node, PLAIN, [f"Origin: https://{page}.test"])
                heads.append(head.split(b"\r\n")[0])
                one.writer.close()
            await eventually(lambda: node.forgotten)  # noqa: B023 - it is called in this turn of the loop
        found.append((heads, asked))
    assert found[0] == found[1]
    assert [head.split(b" ")[1] for head in heads] == [b"101", b"403", b"500"]


@pytest.mark.parametrize("short", [True, False])
async def test_turned_away(short):
    """A node that drains, or is full, answers 503 and counts the refusal once."""
    async with lane_node(short=short) as node:
        gate = node.manager.host.layers["strict"]
        gate.closed = DRAINING
        refused, head = await answer(node, PLAIN, [])
        refused.writer.close()
        assert b" 503 " in head
        assert node.manager.stats.turned_away["draining"] == 1
        gate.closed = None
        node.manager.host.layers["limits"] = Limiter(
            Limits(max_connections=1), lambda: [node.manager]
        ).install(node.manager)
        async with raw(node) as one:
            refused, head = await answer(node, PLAIN, [])
            refused.writer.close()
            assert b" 503 " in head
            assert node.manager.stats.turned_away["full"] == 1
            await node.sio.emit("n", to=one.sid)
            assert await one.text() == '42["n"]'


@pytest.mark.parametrize(
    "auth", ["", "{}", '{"a":[1]}', '{"a":NaN}', "{", '{"a":1}x', "[1]", '"text"', "/chat,", "7{}"]
)
async def test_auth(auth):
    """The connect handler gets the same ``auth`` on a lane as without, and the same packets are refused."""
    found = []
    for lane in (True, False):
        async with lane_node(lane) as node:
            seen = []
            node.sio.on("connect", lambda sid, environ, auth, seen=seen: seen.append(auth))
            async with raw(node, namespace=False) as one:
                await one.say("40" + auth)
                opcode, payload = await one.frame()
                answer = payload.decode().partition('"sid"')[0] if opcode == 1 else payload[:2]
            found.append((seen, opcode, answer))
    assert repr(found[0]) == repr(found[1])
