"""What ``AnyNode`` refuses, and requests of WSGI on their way between nodes."""

from __future__ import annotations

import pytest
import socketio

from socketio_cluster import AnyNode, ClusterManager, SettingError, SyncClusterManager
from socketio_cluster.cluster.any_node.wsgi_environ import environ_of, scope_of
from socketio_cluster.cluster.errors import UsageError
from socketio_cluster.cluster.forward.messages import ask_of, decode, encode
from socketio_cluster.cluster.internal import read_address


def asgi(**options):
    """A manager that an ASGI server has."""
    manager = ClusterManager(**options)
    socketio.AsyncServer(async_mode="asgi", client_manager=manager)
    return manager


def test_before_the_server():
    """It needs a server, and one whose requests it can read."""
    with pytest.raises(SettingError, match="comes after the server"):
        AnyNode(ClusterManager())
    with pytest.raises(SettingError, match="comes after the server"):
        AnyNode(SyncClusterManager())
    manager = ClusterManager()
    socketio.AsyncServer(async_mode="tornado", client_manager=manager)
    with pytest.raises(SettingError, match="sticky"):
        AnyNode(manager)


async def test_other_machines():
    """Other machines need a secret and an address that they can use; they are told the port that was free."""
    with pytest.raises(UsageError, match="advertise="):
        AnyNode(asgi(), host="0.0.0.0")
    manager = asgi()
    AnyNode(manager, host="127.0.0.1")
    for _ in range(2):  # every client hears of it, not the first one only
        with pytest.raises(UsageError, match="secret"):
            await manager.start()
    manager = asgi(secret="x" * 32)
    AnyNode(manager, host="127.0.0.1", advertise="this.example")
    await manager.start()
    try:
        unix, tcp = read_address(manager.nodes()[manager.node_id].address)
        assert unix.endswith("node.sock")
        assert tcp[0] == "this.example"
        assert tcp[1] > 0
    finally:
        await manager.close()


async def test_without_effect_in_our_workers():
    """Where a worker of ``serve`` has put its own forwarder, the node keeps the address that it was given."""
    manager = asgi(address="unix:somewhere")
    AnyNode(manager)
    manager.host.layers["forwarding"] = object()
    await manager.start()
    try:
        assert manager.nodes()[manager.node_id].address == "unix:somewhere"
    finally:
        await manager.close()


def test_environ_travels():
    """A request of WSGI is the same at the other node: method, path, query, headers, address and scheme."""
    environ = {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "/caf\xc3\xa9",
        "PATH_INFO": "/socket.io/",
        "QUERY_STRING": "EIO=4&sid=abc",
        "CONTENT_TYPE": "text/plain",
        "CONTENT_LENGTH": "2",
        "HTTP_X_FORWARDED_FOR": "10.1.2.3",
        "REMOTE_ADDR": "10.0.0.1",
        "REMOTE_PORT": "4711",
        "SERVER_NAME": "node",
        "SERVER_PORT": "8000",
        "wsgi.url_scheme": "https",
    }
    there = environ_of(decode(encode(ask_of(scope_of(environ)))).scope(), b"40")
    assert there["wsgi.input"].read() == b"40"
    assert {key: there.get(key) for key in environ} == environ | {
        "SCRIPT_NAME": "",
        "PATH_INFO": "/caf\xc3\xa9/socket.io/",
    }
