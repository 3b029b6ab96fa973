"""``on`` and ``event``: python-socketio's decorators, with types, and with an error for a missing name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, overload

from socketio_cluster.manager.checks import check_namespace

Handler = Callable[..., Any]
F = TypeVar("F", bound=Handler)


class HandlerDecorators:
    """Goes in front of a server or a client of python-socketio."""

    @overload
    def on(self, event: str, handler: None = None, namespace: str | None = None) -> Callable[[F], F]: ...
    @overload
    def on(self, event: str, handler: Handler, namespace: str | None = None) -> None: ...
    def on(self, event: Any, handler: Handler | None = None, namespace: str | None = None) -> Any:
        """Register the handler of an event: ``@sio.on("say")``, or ``sio.on("say", function)``.

        The handler of ``*`` gets the events that have no other, with their name first. The namespace ``*``
        stands for all that have no handler of their own for the event; their name comes first too.

        Raises ``TypeError`` for a missing name, and ``ValueError`` for a namespace that no client can join.
        """
        if callable(event):
            raise TypeError(f"@sio.on needs the name of an event: @sio.on({event.__name__!r}), or @sio.event")
        if namespace != "*":
            check_namespace(namespace)
        return super().on(event, handler, namespace)  # type: ignore[misc]

    @overload
    def event(self, handler: F, /) -> F: ...
    @overload
    def event(self, /, *, namespace: str | None = None) -> Callable[[F], F]: ...
    def event(self, *handler: Any, **options: Any) -> Any:
        """Register the handler of the event that has the function's name: ``@sio.event``."""
        return super().event(*handler, **options)  # type: ignore[misc]
