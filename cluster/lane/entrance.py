"""The short way in: a WebSocket that begins a Socket.IO session gets its lane without an ASGI call.

The ASGI call of such a connection ends at once, and half of the cost of a connection was what it ran
through. Whatever is not the plain case goes the long way, through ASGI, python-socketio and python-engineio,
with the same bytes and the same calls of handlers.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import socketio

from socketio_cluster.cluster.http.front import FrontProtocol
from socketio_cluster.cluster.http.handshake import HandshakeRequest, Header, answer
from socketio_cluster.cluster.http.lane_protocol import log_accepted
from socketio_cluster.cluster.lane.environ import LazyEnviron
from socketio_cluster.cluster.lane.install import ServerLanes, forget_asgi, taken_over
from socketio_cluster.cluster.plain import PlainWebSockets
from socketio_cluster.cluster.polling.server_polls import ServerPolls
from socketio_cluster.cluster.stack import LAYERS
from socketio_cluster.cluster.strict.answers import send_answer
from socketio_cluster.cluster.strict.gate import Gate, gate_of
from socketio_cluster.cluster.strict.request import EngineRequest, first_values
from socketio_cluster.cluster.strict.rules import refusal
from socketio_cluster.manager.client_manager import ClusterManager
from socketio_cluster.manager.host.opening import Opening
from socketio_cluster.manager.tasks import run_now

KNOWN: Final = frozenset((*LAYERS, "fixes"))
"""The layers whose work is done here too. Those before a new connection are called."""

Scope = dict[str, Any]


class Entrance:
    """An ASGI application with a short way in, which ``enter`` is.

    Args:
        app: the application.
        lanes: the lanes of its Socket.IO server.
        gate: the gate of that server.
        path: the path of the server, with a slash at its end.
        complete: completes a scope, as the middlewares do that uvicorn itself puts before the application.
    """

    def __init__(
        self, app: Any, lanes: ServerLanes, gate: Gate, path: str, complete: Callable[[Scope], object]
    ) -> None:
        self.app = app
        self._lanes = lanes
        self._gate = gate
        self._path = path.encode()
        self._complete = complete
        self._host = lanes.host
        self._opening = Opening(lanes.host, KNOWN)
        self.polls = ServerPolls(lanes, gate, path, complete)
        """The short way for the requests of polling clients."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve a request the long way."""
        await self.app(scope, receive, send)

    def enter(self, front: FrontProtocol, request: HandshakeRequest) -> Any:
        """Open a session, and return None; or return the ASGI application that answers instead.

        Args:
            front: the connection.
            request: its request.
        """
        query = request.query.decode()
        if not self._is_plain(request.path, query) or not self._opening.possible:
            return self
        make_scope = front.scope_of(request)
        said = dict(request.headers)
        environ = LazyEnviron(_early(query, request.headers, said), partial(self._environ, make_scope))
        if not self._from_here(said, environ):
            return self
        refused = self._gate.turn_away()
        if refused is not None:
            return partial(send_answer, self._host, refused)
        self._open(front, request, environ, make_scope)
        return None

    def _is_plain(self, path: bytes, query: str) -> bool:
        """Whether this is a valid request for a new session, that python-engineio reads like the gate."""
        if not (path + b"/").startswith(self._path):
            return False
        values = first_values(query)
        asked = EngineRequest("GET", True, values.get("transport"), values.get("sid"), values.get("EIO"))
        fits = asked.sid is None and "j" not in values and query.count("EIO=") == 1
        return fits and refusal(asked, self._host.engine) is None

    def _from_here(self, said: dict[bytes, bytes], environ: dict[str, Any]) -> bool:
        """Whether the page that asks may do so. Only a request that names its page needs the environ."""
        if b"origin" not in said:
            return True
        # A function of the application decides on the long way, where it may also fail.
        return not callable(self._host.engine.cors_allowed_origins) and self._host.same_origin(environ)

    def _open(
        self,
        front: FrontProtocol,
        request: HandshakeRequest,
        environ: dict[str, Any],
        make_scope: Callable[[], Scope],
    ) -> None:
        opening, transport = self._opening, front.transport
        socket = opening.new_socket()
        log_accepted(make_scope)
        # As the gate does, see ``choose_subprotocol``.
        subprotocol = next(filter(None, request.subprotocols), None)
        first = answer(request.key, front.headers, subprotocol)
        packet = opening.packet(socket.sid)
        transport.set_protocol(self._lanes.begin(socket, packet, transport, front.state.connections, first))
        opening.begin(socket, environ)

    def _environ(self, make_scope: Callable[[], Scope]) -> dict[str, Any]:
        scope = make_scope()
        self._complete(scope)
        environ = run_now(self._host.environ_of(scope, taken_over, _connected))
        forget_asgi(environ)
        return environ


def _early(query: str, headers: list[Header], said: dict[bytes, bytes]) -> dict[str, Any]:
    """Return what is in an environ before it is made: enough to tell whether a client knows recovery."""
    agent = said.get(b"user-agent")
    if agent is None or not agent.isascii() or sum(name == b"user-agent" for name, _ in headers) > 1:
        return {"QUERY_STRING": query}
    return {"QUERY_STRING": query, "HTTP_USER_AGENT": sys.intern(agent.decode())}  # many have the same


def entrance(app: Any, served: Any, complete: Callable[[Scope], object]) -> Any:
    """Return an application with a short way in, or ``app`` when there can be none.

    Args:
        app: the application, with uvicorn's own middlewares before it.
        served: the same application without them.
        complete: see ``Entrance``.
    """
    paths: list[str | None] = []
    while type(served) is PlainWebSockets:
        paths.append(served.path)
        served = served.other
    if type(served) is not socketio.ASGIApp or served.engineio_path is None:
        return app
    if any(path is None or f"{path}/".startswith(served.engineio_path) for path in paths):
        return app  # plain clients connect at a path of Socket.IO
    manager = getattr(served.engineio_server, "manager", None)
    if not isinstance(manager, ClusterManager):
        return app
    lanes: ServerLanes | None = manager.host.layers.get("lane")
    gate = gate_of(manager.host)
    if lanes is None or gate is None or lanes.calls_stay:
        return app
    return Entrance(app, lanes, gate, served.engineio_path, complete)


async def _connected() -> dict[str, Any]:
    """Return what ASGI's ``receive`` returns first."""
    return {"type": "websocket.connect"}
