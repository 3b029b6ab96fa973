"""Clients without a Socket.IO library: plain WebSockets on the same server, in the same rooms."""

from __future__ import annotations

from socketio_cluster.cluster.plain.codec import Codec, JsonCodec
from socketio_cluster.cluster.plain.endpoint import PlainWebSockets
from socketio_cluster.cluster.plain.message import BadMessage, Message

__all__ = ["BadMessage", "Codec", "JsonCodec", "Message", "PlainWebSockets"]
