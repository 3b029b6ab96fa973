"""Packets of nodes, read back: what a serializer has written, also what it would not take from a client."""

from __future__ import annotations

import json
from functools import cache

import engineio.json
from socketio import packet as sio


@cache
def reads_all(plain: type[sio.Packet]) -> type[sio.Packet]:
    """Give a class that reads all that this one writes, where a limit of it is known.

    msgpack writes maps with any keys and reads those with texts; engineio's ``json`` reads whole numbers of
    up to 100 digits.
    """
    # Its module says that it is msgpack's: where msgpack is not installed, that cannot be imported.
    if plain.decode.__module__ == "socketio.msgpack_packet":
        from socketio_cluster.manager.clients.own_msgpack import AnyKeys

        return type(plain.__name__, (AnyKeys, plain), {})
    if plain.json is engineio.json:
        return type(plain.__name__, (plain,), {"json": json})
    return plain
