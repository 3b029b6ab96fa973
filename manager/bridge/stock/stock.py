"""``Stock``: the messages of python-socketio's own Redis and AMQP managers.

They are dicts (``messages.py``), as JSON from version 5.14 on, before that as pickles (``pickles.py``). Each
has a ``method``, and a ``host_id`` that names the process it is from.

What the bridge publishes has a ``host_id`` that begins with ``bridge-`` and ends with the id of its node. A
method of its own, which python-socketio ignores, tells other bridges that it is there.
"""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Sequence
from typing import Any, Final

from socketio_cluster.manager.bridge.commands import Command
from socketio_cluster.manager.bridge.dialect import BridgeError, Post
from socketio_cluster.manager.bridge.stock.messages import (
    SIGN,
    read_answer,
    read_command,
    read_sign,
    write_command,
)
from socketio_cluster.manager.bridge.stock.pickles import read_pickle

HOST: Final = "bridge-"
PICKLE: Final = b"\x80"
"""The first byte of a pickle of protocol 2 or newer. No JSON begins with it."""


class Stock:
    """A ``Dialect`` for clusters of python-socketio's own servers and write-only emitters.

    Args:
        node: the id of the bridge's node.
        is_peer: whether a node is another bridge between the same two clusters.
        channel: ``channel`` of their managers.
        old: whether they have python-socketio 5.13 or older: then this writes pickles, with ``data`` as these
            versions put it. What they write is read in any case.
    """

    def __init__(
        self, node: str, is_peer: Callable[[str], bool], channel: str = "socketio", *, old: bool = False
    ) -> None:
        self._host = HOST + node
        self._is_peer = is_peer
        self._old = old
        self.channels: Sequence[str] = (channel,)

    def census(self, namespace: str) -> str | None:
        """Return None: python-socketio's servers answer no questions about their clients."""
        return None

    def read(self, channel: str, payload: bytes) -> Sequence[Command | Post]:
        """Return what a message says. See ``Dialect.read``."""
        message, old = parse(payload)
        method, host = message.get("method"), str(message.get("host_id"))
        ours = host == self._host or (host.startswith(HOST) and self._is_peer(host.removeprefix(HOST)))
        try:
            if method == SIGN:
                node = host.removeprefix(HOST)
                return [] if host == self._host else [read_sign(node, message)]
            if method == "callback":
                return [read_answer(message)] if ours else []
            return [] if ours else read_command(method, message, old=old)
        except (KeyError, TypeError, ValueError, RecursionError) as exc:
            raise BridgeError("malformed", f"{method!r:.40} of {host:.60}: {exc!r:.200}") from None

    def write(self, command: Command) -> Sequence[Post]:
        """Return the message that says the same. See ``Dialect.write``."""
        message = {"host_id": self._host} | write_command(command, old=self._old)
        try:
            payload = pickle.dumps(message) if self._old else json.dumps(message).encode()
        except (TypeError, ValueError, RecursionError) as exc:
            raise BridgeError("json", f"JSON does not hold the data: {exc}") from None
        return [Post(self.channels[0], payload)]


def parse(payload: bytes) -> tuple[dict[str, Any], bool]:
    """Return a message, and whether it was a pickle. Raises ``BridgeError``."""
    old = payload[:1] == PICKLE
    try:
        message = read_pickle(payload) if old else json.loads(payload)
    except (ValueError, RecursionError) as exc:
        raise BridgeError("pickle" if old else "malformed", str(exc)) from None
    if not isinstance(message, dict):
        raise BridgeError("malformed", f"a {type(message).__name__} and no dict")
    return message, old
