"""Clients without a Socket.IO library: plain WebSockets on the same server, in the same rooms."""

from __future__ import annotations

from cluster.plain.codec import Codec
from cluster.plain.endpoint import PlainWebSockets
from cluster.plain.json_codec import JsonCodec
from cluster.plain.message import BadMessage, Message

__all__ = ["BadMessage", "Codec", "JsonCodec", "Message", "PlainWebSockets"]
