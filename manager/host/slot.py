"""A slot: one function of the host, and the layers that run before it."""

from __future__ import annotations

from collections.abc import Callable
from inspect import iscoroutinefunction
from typing import Any

Function = Callable[..., Any]


class HostChanged(RuntimeError):
    """The installed python-socketio or python-engineio lacks a name that the cluster needs."""


def replace(owner: Any, name: str, value: Any) -> Any:
    """Replace an attribute and return its former value.

    Raises ``HostChanged`` if the attribute does not exist. A plain assignment would silently have no effect
    in a release that has renamed the attribute.
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
    """Put a slot in place of a function and return the slot. Raises ``HostChanged``."""
    slot = Slot(replace(owner, name, None))
    setattr(owner, name, slot.entry)
    return slot


class Slot:
    """A function and its layers. A call runs the outermost layer; the innermost one is the host's function.

    From the beginning the host has ``entry`` in place of its function. So a layer can be added later, even
    after other code, such as the admin UI, has put a function of its own before this one.

    Args:
        function: the host's own function.
    """

    __slots__ = ("entry", "layers", "outermost", "own", "watch")

    def __init__(self, function: Function) -> None:
        self.own = self.outermost = function
        # python-engineio checks for some functions whether they are coroutine functions.
        self.entry: Function = self._awaited if iscoroutinefunction(function) else self
        self.watch: Callable[..., None] | None = None
        """Is called with the arguments of each call before all layers, whenever those are put."""
        self.layers: list[str] = []
        """The names of the layers; the outermost one is last."""

    def put(self, name: str, wrap: Callable[[Function], Function]) -> None:
        """Put a layer before the existing ones. Raises ``ValueError`` if the name is already in use.

        Args:
            name: the layer's name.
            wrap: takes the next function behind the layer, and returns the function of the layer.
        """
        if name in self.layers:
            raise ValueError(f"the layer {name!r} is there already")
        self.layers.append(name)
        self.outermost = wrap(self.outermost)

    async def _awaited(self, *args: Any, **kwargs: Any) -> Any:
        if self.watch is not None:
            self.watch(*args, **kwargs)
        return await self.outermost(*args, **kwargs)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the layers and then the host's function."""
        if self.watch is not None:
            self.watch(*args, **kwargs)
        return self.outermost(*args, **kwargs)
