"""One function of the host, and the layers that stand before it."""

from __future__ import annotations

from collections.abc import Callable
from inspect import iscoroutinefunction
from typing import Any

Function = Callable[..., Any]


class HostChanged(RuntimeError):
    """The installed python-socketio or python-engineio lacks something that the cluster builds on."""


def replace(owner: Any, name: str, value: Any) -> Any:
    """Replace an attribute and return what it was.

    Raises ``HostChanged`` when the attribute is not there: an assignment alone would do nothing, silently,
    in a release that has renamed it.
    """
    try:
        former = getattr(owner, name)
    except AttributeError:
        kind = f"{type(owner).__module__}.{type(owner).__name__}"
        raise HostChanged(
            f"{kind} has no {name!r}: this release of python-socketio or python-engineio is not supported"
        ) from None
    setattr(owner, name, value)
    return former


def open_slot(owner: Any, name: str) -> Slot:
    """Put a slot in the place of a function, and return it; raises ``HostChanged``."""
    slot = Slot(replace(owner, name, None))
    setattr(owner, name, slot.entry)
    return slot


class Slot:
    """Calls the outermost layer; the innermost is the host's own function.

    The host has ``entry`` in the place of its function from the beginning. So a layer may come later, also
    after somebody else, such as the admin UI, has put a function of their own before this one.

    Args:
        function: what the host does by itself.
    """

    __slots__ = ("entry", "layers", "outermost", "own")

    def __init__(self, function: Function) -> None:
        self.own = self.outermost = function
        # python-engineio looks whether some of what it calls is a coroutine function.
        self.entry: Function = self._awaited if iscoroutinefunction(function) else self
        self.layers: list[str] = []
        """The names of the layers, from the innermost to the outermost."""

    def put(self, name: str, wrap: Callable[[Function], Function]) -> None:
        """Put a layer before those that are there.

        Args:
            name: of the layer; it is put here once. Raises ``ValueError`` for the second time.
            wrap: takes the function behind the layer, and returns the layer's own.
        """
        if name in self.layers:
            raise ValueError(f"the layer {name!r} is there already")
        self.layers.append(name)
        self.outermost = wrap(self.outermost)

    async def _awaited(self, *args: Any, **kwargs: Any) -> Any:
        return await self.outermost(*args, **kwargs)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Do what the host's function does, with all layers before it."""
        return self.outermost(*args, **kwargs)
