"""Sessions that begin the short way live and end like others; which applications let them in."""

from __future__ import annotations

import pytest
import socketio
from engineio.async_socket import AsyncSocket

from socketio_cluster.cluster.client_address import Addresses
from socketio_cluster.cluster.plain import PlainWebSockets
from socketio_cluster.manager.host.opening import WebSocketSession
from tests.cluster.lane_helpers import lane_node, raw
from tests.harness import eventually


async def test_deadline():
    """A session that joins no namespace is closed in time."""
    async with lane_node(short=True, connect_seconds=0.2) as node, raw(node, namespace=False) as one:
        assert type(node.sockets[one.eio_sid]) is WebSocketSession
        assert await one.closed() == 1000
        await eventually(lambda: node.forgotten)


async def test_pings():
    """A session is pinged again and again, and closed without a pong."""
    options = {"ping_interval": 0.2, "ping_timeout": 1}
    async with lane_node(short=True, server_options=options) as node, raw(node) as one:
        assert await one.text() == "2"
        await one.say("3")
        assert await one.text() == "2"
        await one.lost()
        await eventually(lambda: node.forgotten)
        assert node.reasons == ["ping timeout"]


async def test_variables_of_a_connection():
    """A context variable that the connect handler sets is there for the events and the disconnect handler."""
    from contextvars import ContextVar

    variable = ContextVar("variable", default=None)
    seen = []
    async with lane_node(short=True) as node:
        node.sio.on("connect", lambda sid, environ, auth: variable.set(sid) and None)
        node.sio.on("*", lambda event, sid: seen.append((variable.get(), sid)))
        node.sio.on("disconnect", lambda sid, reason: seen.append((variable.get(), sid)))
        async with raw(node) as one, raw(node) as other:
            await one.say('42["event"]')
            await other.say('42["event"]')
            await eventually(lambda: len(seen) == 2)
        await eventually(lambda: len(seen) == 4)
        assert variable.get() is None
        assert sorted(seen) == sorted(2 * [(one.sid, one.sid), (other.sid, other.sid)])


async def test_other_code():
    """With the admin UI, and with Engine.IO's log switched on, connections go the long way."""
    async with lane_node(short=True) as node:
        node.sio.eio.logger.setLevel("INFO")
        async with raw(node) as one:
            assert type(node.sockets[one.eio_sid]) is AsyncSocket
        node.sio.eio.logger.setLevel("ERROR")
        async with raw(node) as one:
            assert type(node.sockets[one.eio_sid]) is WebSocketSession
        admin = node.sio.instrument(auth=False, server_stats_interval=60)
        try:
            async with raw(node) as one:
                assert type(node.sockets[one.eio_sid]) is AsyncSocket
        finally:
            await admin.shutdown()
            admin.uninstrument()


@pytest.mark.parametrize(
    ("wrap", "goes"),
    [
        (lambda sio: PlainWebSockets(sio, socketio.ASGIApp(sio)), True),
        (lambda sio: socketio.ASGIApp(sio, other_asgi_app=socketio.ASGIApp(sio, socketio_path="more")), True),
        (lambda sio: PlainWebSockets(sio, socketio.ASGIApp(sio), path="/socket.io/plain"), False),
        (lambda sio: PlainWebSockets(sio, socketio.ASGIApp(sio), path=None), False),
        (lambda sio: _middleware(socketio.ASGIApp(sio)), False),
        (lambda sio: type("Own", (socketio.ASGIApp,), {})(sio), False),
    ],
    ids=[
        "plain clients",
        "another app",
        "plain clients at its path",
        "at every path",
        "middleware",
        "own class",
    ],
)
async def test_which_applications(wrap, goes):
    """The short way is there when python-socketio's own application has the path for itself."""
    async with lane_node(short=True, wrap=wrap) as node:
        assert hasattr(node.server.config.loaded_app, "enter") is goes


def _middleware(app):
    async def call(scope, receive, send):
        await app(scope, receive, send)

    return call


async def test_same_attributes():
    """A socket that was made without a queue has the attributes of any other."""
    async with lane_node(short=True) as node, raw(node) as one:
        made = vars(node.sockets[one.eio_sid])
        plain = vars(AsyncSocket(node.sio.eio, "sid"))
        assert set(plain) == set(made) - {"context", "send", "close"}


async def test_addresses():
    """The environ has the address of the client, also after it has gone."""
    environs = []
    async with lane_node(short=True) as node:
        Addresses().install(node.manager)
        node.sio.on("connect", lambda sid, environ, auth: environs.append(environ))
        async with raw(node) as one:
            port = str(one.sock.getsockname()[1])
        await eventually(lambda: node.forgotten)
        assert (environs[0]["REMOTE_ADDR"], environs[0]["REMOTE_PORT"]) == ("127.0.0.1", port)
