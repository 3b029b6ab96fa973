"""All that the cluster takes from python-socketio and python-engineio beside their public names.

A release that changes one of these fails here, with the name, and not in production.
"""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import engineio
import pytest
import socketio
from engineio import async_socket
from engineio.async_drivers import asgi

ROOT = Path(__file__).parents[2]

SOCKET_IO = {
    "_handle_connect": "(self, eio_sid, namespace, data)",
    "_handle_disconnect": "(self, eio_sid, namespace, reason=None)",
    "_handle_eio_connect": "(self, eio_sid, environ)",
    "_handle_eio_disconnect": "(self, eio_sid, reason)",
    "_handle_eio_message": "(self, eio_sid, data)",
    "_handle_event": "(self, eio_sid, namespace, id, data)",
    "_handle_event_internal": "(self, server, sid, eio_sid, data, namespace, id)",
    "_handle_ack": "(self, eio_sid, namespace, id, data)",
    "_trigger_event": "(self, event, namespace, *args)",
    "_send_packet": "(self, eio_sid, pkt)",
    "_send_eio_packet": "(self, eio_sid, eio_pkt)",
    "_get_event_handler": "(self, event, namespace, args)",
    "_get_namespace_handler": "(self, namespace, args)",
    "disconnect": "(self, sid, namespace=None, ignore_queue=False)",
    "call": "(self, event, data=None, to=None, sid=None, namespace=None, timeout=60, ignore_queue=False)",
    "shutdown": "(self)",
}
ENGINE_IO = {
    "_ok": "(self, packets=None, headers=None, jsonp_index=None)",
    "_bad_request": "(self, message=None)",
    "_cors_headers": "(self, environ)",
    "_gzip": "(self, response)",
    "_deflate": "(self, response)",
    "_cors_allowed_origins": "(self, environ)",
    "_trigger_event": "(self, event, *args, **kwargs)",
    "create_queue": "(self, *args, **kwargs)",
    "generate_id": "(self)",
    "start_background_task": "(self, target, *args, **kwargs)",
}
CLIENT = {
    "_engineio_client_class": "(self)",
    "_handle_ack": "(self, namespace, id, data)",
    "_handle_connect": "(self, namespace, data)",
    "_handle_disconnect": "(self, namespace)",
    "_handle_error": "(self, namespace, data)",
    "_handle_event": "(self, namespace, id, data)",
    "_send_packet": "(self, pkt)",
    "_trigger_event": "(self, event, namespace, *args)",
}
CLIENT_ENGINE = {
    "connect": "(self, url, headers=None, transports=None, engineio_path='engine.io')",
    "_get_url_timestamp": "(self)",
    "_reset": "(self)",
    "_trigger_event": "(self, event, *args, **kwargs)",
}
METHODS = [
    *((kind, SOCKET_IO) for kind in (socketio.AsyncServer, socketio.Server)),
    *((kind, ENGINE_IO) for kind in (engineio.AsyncServer, engineio.Server)),
    *((kind, CLIENT) for kind in (socketio.AsyncClient, socketio.Client)),
    *((kind, CLIENT_ENGINE) for kind in (engineio.AsyncClient, engineio.Client)),
    (engineio.AsyncServer, {"_make_response": "(self, response_dict, environ)"}),
    (
        async_socket.AsyncSocket,
        {
            "_send_ping": "(self)",
            "_websocket_handler": "(self, ws)",
            "close": "(self, wait=True, abort=False, reason=None)",
            "schedule_ping": "(self)",
            "handle_post_request": "(self, environ)",
            "receive": "(self, pkt)",
        },
    ),
]


@pytest.mark.parametrize(
    ("kind", "name", "signature"),
    [(kind, name, signature) for kind, names in METHODS for name, signature in names.items()],
)
def test_signature(kind, name, signature):
    """The method is there, with the parameters that the cluster gives or takes."""
    assert hasattr(kind, name), f"{kind.__module__}.{kind.__name__} has no {name}: manager/host builds on it"
    found = str(inspect.signature(getattr(kind, name)))
    assert found == signature, f"{kind.__module__}.{kind.__name__}.{name} takes {found} now"


def test_attributes_of_a_server():
    """What is set on instances is there: half-read packets, the driver's table, the service task's switch."""
    server = socketio.AsyncServer(async_mode="asgi")
    assert server._binary_packet == {}
    assert {"websocket", "translate_request", "make_response"} <= server.eio._async.keys()
    assert server.eio._async["websocket"] is asgi.WebSocket
    assert server.eio.start_service_task is True
    assert server.eio.handlers.keys() >= {"connect", "message", "disconnect"}


def test_attributes_of_a_session():
    """The flags from which the state of a session is read, and its queue, are python-engineio's."""
    eio = engineio.AsyncServer(async_mode="asgi")
    socket = async_socket.AsyncSocket(eio, "sid")
    for name in ("connected", "upgrading", "upgraded", "closing", "closed"):
        assert getattr(socket, name) is False, name
    assert (socket.sid, socket.server) == ("sid", eio)
    assert hasattr(socket, "last_ping")
    assert hasattr(socket, "queue")


PRIVATE = re.compile(
    r"\b(?:sio|server|eio|_server|_eio|engine|socket)\.(_[a-z]\w*)"
    r"|\._(?:async|binary_packet|ok|bad_request|make_response|cors_\w+)\b"
)


@pytest.mark.parametrize(
    "path",
    [
        path
        for folder in ("manager", "cluster")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if ROOT / "manager" / "host" not in path.parents
    ],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_only_the_host_touches_them(path):
    """No file outside manager/host names anything private of python-socketio or python-engineio.

    The classes that an application derives from, or uses in the place of theirs, override their methods.
    """
    found = [match[0] for match in PRIVATE.finditer(path.read_text())]
    assert not found, f"{found}: give it a public name in manager/host/server.py"
