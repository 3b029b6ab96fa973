"""The layers that a worker puts before the functions of each Socket.IO server, and their order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, Protocol

from socketio_cluster.manager.client_manager import ClusterManager

LAYERS: Final = ("addresses", "forwarding", "limits", "watch", "lane", "strict", "aging")
"""The layers, from the innermost to the outermost.

* ``limits`` comes before ``lane``: a lane reads the limits when it is made.
* ``watch`` comes before ``lane``: a lane times handlers by the watch, without the watch's coroutine.
* ``strict`` comes after ``lane``: it checks what a lane does not take over.
"""


class Layer(Protocol):
    """A part that a worker adds to each of its servers."""

    @property
    def name(self) -> str:
        """One of ``LAYERS``."""

    def install(self, manager: ClusterManager) -> Any:
        """Add it to the server of a manager; return the object that is kept as ``host.layers[name]``."""


def served(managers: Iterable[ClusterManager]) -> list[ClusterManager]:
    """Return the managers whose servers get their requests from this process, through ASGI."""
    return [manager for manager in managers if manager.server is not None and manager.host.asgi]


class Stack:
    """Installs layers, each once for each server.

    Args:
        layers: the layers to install, in any order.
    """

    def __init__(self, layers: Sequence[Layer]) -> None:
        self._layers = sorted(layers, key=lambda layer: LAYERS.index(layer.name))

    def install(self, managers: Iterable[ClusterManager]) -> None:
        """Install the layers that are not there yet, on the servers that this process serves."""
        for manager in served(managers):
            for layer in self._layers:
                if layer.name not in manager.host.layers:
                    manager.host.layers[layer.name] = layer.install(manager)
