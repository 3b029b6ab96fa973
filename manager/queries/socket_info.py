"""A client as the whole cluster sees it."""

from __future__ import annotations

from typing import Any

import msgspec

from socketio_cluster.manager.bus.channels import Room


class SocketInfo(msgspec.Struct, array_like=True, frozen=True):
    """A connected client, as its node described it: a copy that does not change any more.

    ``node`` is the id of the node that serves it. ``rooms`` are those it has entered; its own, named like its
    sid, is not among them. ``connected_at`` is in epoch seconds, by its node's clock. ``address`` is the IP
    address it came from, empty where the server does not tell it. ``transport`` is "polling" or "websocket".
    Of a client behind a bridge ``node`` is the bridge, and ``transport`` is empty.
    ``session`` is what ``save_session`` has stored, None when it was not asked for. The bus carries it as
    MessagePack: tuples and sets in it become lists, for example.
    """

    sid: str
    node: str
    namespace: str
    rooms: frozenset[Room]
    connected_at: float
    address: str
    transport: str
    session: Any = None
