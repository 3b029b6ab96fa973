"""Whether python-socketio would join a client to a namespace without a call of any other code."""

from __future__ import annotations

from socketio import AsyncServer

from socketio_cluster.manager.host.server import Host
from socketio_cluster.manager.host.shared_fixes import has_namespace


class Joinable:
    """Looks at one server.

    Args:
        host: the server.
        layers: the names of layers before ``packet`` that have nothing to do with a CONNECT packet.
    """

    def __init__(self, host: Host, layers: frozenset[str]) -> None:
        self._host = host
        self._layers = layers
        self._server = server = host.server
        self._handle_connect = server._handle_connect
        self._stock = (
            type(server)._handle_connect is AsyncServer._handle_connect
            and type(server)._send_packet is AsyncServer._send_packet
            and host.triggers_plainly
        )

    def at_once(self, namespace: str) -> bool:
        """Whether a client may join, no handler is asked, and nobody watches.

        The admin UI watches ``event``, and recovery the packets.
        """
        host, server = self._host, self._server
        return (
            self._stock
            and not server.always_connect
            and host.event_is_ours
            and host.packet.watch is None
            and self._layers.issuperset(host.packet.layers)
            and server._send_packet is host.packet.entry
            and server._handle_connect is self._handle_connect
            and has_namespace(server, namespace)
            and not host.handles("connect", namespace, ("", {}, None))
        )
