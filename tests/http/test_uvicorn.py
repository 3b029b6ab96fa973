"""All that the cluster takes from uvicorn beside what its documentation promises.

A release that changes one of these fails here, with the name, and not in production.
"""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest
import uvicorn
from uvicorn.protocols import utils
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState

ROOT = Path(__file__).parents[2]

METHODS = [
    (HttpToolsProtocol, "connection_made", "(self, transport)"),
    (HttpToolsProtocol, "connection_lost", "(self, exc)"),
    (HttpToolsProtocol, "data_received", "(self, data)"),
    (HttpToolsProtocol, "on_message_begin", "(self)"),
    (HttpToolsProtocol, "on_headers_complete", "(self)"),
    (HttpToolsProtocol, "on_message_complete", "(self)"),
    (HttpToolsProtocol, "send_400_response", "(self, msg)"),
    (HttpToolsProtocol, "handle_websocket_upgrade", "(self)"),
    (HttpToolsProtocol, "_start_asgi_task", "(self, cycle, app)"),
    (HttpToolsProtocol, "shutdown", "(self)"),
    (WebSocketsSansIOProtocol, "connection_made", "(self, transport)"),
    (WebSocketsSansIOProtocol, "data_received", "(self, data)"),
    (WebSocketsSansIOProtocol, "handle_parser_exception", "(self)"),
    (WebSocketsSansIOProtocol, "handle_connect", "(self, event)"),
    (WebSocketsSansIOProtocol, "handle_events", "(self)"),
    (WebSocketsSansIOProtocol, "shutdown", "(self)"),
    (WebSocketsSansIOProtocol, "run_asgi", "(self)"),
    (WebSocketsSansIOProtocol, "send", "(self, message)"),
    (WebSocketsSansIOProtocol, "receive", "(self)"),
    (WebSocketsSansIOProtocol, "start_keepalive", "(self)"),
    (uvicorn.Server, "startup", "(self, sockets=None)"),
    (uvicorn.Server, "shutdown", "(self, sockets=None)"),
    (uvicorn.Server, "handle_exit", "(self, sig, frame)"),
    (utils, "get_client_addr", "(scope)"),
    (utils, "get_local_addr", "(transport)"),
    (utils, "get_path_with_query_string", "(scope)"),
    (utils, "get_remote_addr", "(transport)"),
    (utils, "is_ssl", "(transport)"),
]
HTTP = "app client cycle flow headers loop pipeline server transport"
WEBSOCKET = (
    "app client close_sent conn connections disconnected handshake_complete handshake_initiated "
    "initial_response loop queue read_paused scheme transport writable"
)


@pytest.mark.parametrize(
    ("owner", "name", "parameters"), METHODS, ids=lambda value: getattr(value, "__name__", value)
)
def test_signature(owner, name, parameters):
    """The function is there, with the parameters that the cluster gives or takes."""
    assert hasattr(owner, name), f"{owner.__name__} has no {name}: cluster/http builds on it"
    found = inspect.signature(getattr(owner, name))
    bare = [one.replace(annotation=inspect.Parameter.empty) for one in found.parameters.values()]
    found = found.replace(parameters=bare, return_annotation=inspect.Signature.empty)
    assert str(found) == parameters


@pytest.mark.parametrize(
    ("kind", "names"),
    [(HttpToolsProtocol, HTTP), (WebSocketsSansIOProtocol, WEBSOCKET)],
    ids=["http", "websocket"],
)
async def test_attributes_of_a_protocol(kind, names):
    """A connection has the attributes that cluster/http reads and sets."""
    config = uvicorn.Config(lambda *_: None, lifespan="off", log_config=None)
    config.load()
    protocol = kind(config=config, server_state=ServerState(), app_state={})
    missing = [name for name in names.split() if not hasattr(protocol, name)]
    assert not missing
    assert hasattr(config, "loaded_app")


def test_attributes_of_a_server():
    """A server has its state, and the state has open connections, running calls and default headers."""
    state = uvicorn.Server(uvicorn.Config(lambda *_: None)).server_state
    assert (state.connections, state.tasks, state.default_headers) == (set(), set(), [])


def test_attributes_of_a_request():
    """A request tells how far its answer is, and takes more headers for it."""
    source = inspect.getsource(RequestResponseCycle)
    for name in ("response_started", "response_complete", "keep_alive", "default_headers"):
        assert f"self.{name}" in source, name


INTERNAL = re.compile(
    r"uvicorn\.protocols|\.loaded_app\b|\.ws_protocol_class\b|\.default_headers\b|\.cycle\b|\.conn\b|\.pipeline\b"
)


@pytest.mark.parametrize(
    "path",
    [
        path
        for path in sorted((ROOT / "cluster").rglob("*.py"))
        if ROOT / "cluster" / "http" not in path.parents
    ],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_only_one_folder_touches_them(path):
    """No file outside cluster/http names what is internal to uvicorn's protocols."""
    found = INTERNAL.findall(path.read_text())
    assert not found, f"{found}: give it a name in cluster/http"
