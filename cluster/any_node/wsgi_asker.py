"""A threaded server's requests for sessions of other nodes: each is passed on while its thread waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from socketio_cluster.cluster.any_node.connections import Connections
from socketio_cluster.cluster.any_node.door import NodeDoor
from socketio_cluster.cluster.any_node.wsgi_environ import Environ, scope_of
from socketio_cluster.cluster.any_node.wsgi_socket import ClientSocket
from socketio_cluster.cluster.forward.messages import sid_in
from socketio_cluster.manager.ids import node_of
from socketio_cluster.manager.sync.sync_manager import SyncClusterManager

StartResponse = Callable[..., Any]
WsgiApp = Callable[[Environ, StartResponse], Iterable[bytes]]


class WsgiAsker:
    """A layer before a threaded server. It answers for other nodes' sessions with what those nodes answer.

    Args:
        manager: the manager of the server.
        door: has the forwarder.
        local: the server itself.
    """

    def __init__(self, manager: SyncClusterManager, door: NodeDoor, local: WsgiApp) -> None:
        self._manager = manager
        self._door = door
        self._local = local

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Serve a request here, or let the node of its session answer it."""
        node = node_of(sid_in(environ.get("QUERY_STRING", "").encode("latin-1")))
        if node is None or self._manager.leaving or node == self._manager.node_id:
            return self._local(environ, start_response)
        answer, client = Answer(scope_of(environ), self._body(environ)), ClientSocket(environ)
        if answer.scope["type"] == "websocket" and not client.shared:
            start_response("400 BAD REQUEST", [])  # The client goes on polling.
            return []
        self._manager.node_thread.run(self._pass_on(node, answer, client))
        if not answer.status:
            client.end()
        start_response(answer.status, answer.headers)
        return [answer.body]

    def _body(self, environ: Environ) -> bytes:
        """Return the body, without one that its node refuses anyway by its length."""
        length = environ.get("CONTENT_LENGTH") or "0"
        if not length.isdecimal() or int(length) > self._manager.host.engine.max_http_buffer_size:
            return b""
        return environ["wsgi.input"].read(int(length)) if int(length) else b""

    async def _pass_on(self, node: str, answer: Answer, client: ClientSocket) -> None:
        """Fill the answer, or join the client to the other node and return when that connection has ended."""
        forwarder = await self._door.forwarder(self._manager.node_thread.inner, node)
        joined = Connections(self._door.connections)
        if answer.scope["type"] == "websocket":
            await client.offer(answer.scope, joined)
        try:
            await forwarder.handle_request(answer.scope, answer.receive, answer.send)
            if not answer.status:
                await joined.gone()
        finally:
            client.take_back()


class Answer:
    """A request as a call of ASGI that is over when the answer is complete."""

    def __init__(self, scope: dict[str, Any], body: bytes) -> None:
        self.scope = scope
        self.status = ""
        self.headers: list[tuple[str, str]] = []
        self.body = b""
        self._request: bytes | None = body

    async def receive(self) -> dict[str, Any]:
        """Return the request, then wait for ever: a threaded server does not tell that a client has left."""
        if self._request is None:
            await asyncio.get_running_loop().create_future()
        body, self._request = self._request, None
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message: dict[str, Any]) -> None:
        """Take a part of the answer."""
        if message["type"] == "http.response.start":
            status = HTTPStatus(message["status"])
            self.status = f"{status.value} {status.phrase}"
            self.headers = [
                (name.decode("latin-1"), value.decode("latin-1")) for name, value in message["headers"]
            ]
        else:
            self.body += message["body"]
