"""The decorators that servers and clients have beside python-socketio's."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar, overload

from socketio_cluster.cluster.middleware.refusal import Refused
from socketio_cluster.cluster.middleware.registry import Hook, MiddlewareRegistry, check_kinds

logger = logging.getLogger("socketio_cluster.cluster")

F = TypeVar("F", bound=Hook)


class MiddlewareDecorators:
    """Goes in front of a class of python-socketio."""

    _who: ClassVar[int]
    """How many arguments say who sent an event: the sid on a server, none on a client."""
    _notices: ClassVar[frozenset[str]]
    """Events that tell what has happened: there is nothing to refuse or skip."""
    _failure: ClassVar[str]
    """What the other side is told of an error that is none of its business."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self._middlewares = MiddlewareRegistry()
        super().__init__(*args, **options)

    @overload
    def middleware(self, hook: F, /) -> F: ...
    @overload
    def middleware(self, /, *, namespace: str | None = None) -> Callable[[F], F]: ...
    def middleware(self, hook: Any = None, /, *, namespace: str | None = None) -> Any:
        """Register a function that runs before every handler, in the order of registration.

        Called with ``(sid, event, args)`` on a server and ``(event, args)`` on a client. ``args`` is the
        list of the event's arguments, to be changed in place. Raise ``Refused`` to refuse the event,
        ``Skip`` to leave the handler out. For the events of all namespaces, or of ``namespace``;
        with ``'*'``, for all, the namespace is the first argument.

        Raises ``TypeError`` or ``ValueError`` for what cannot be registered.
        """

        def register(hook: F) -> F:
            self._accept(hook)
            self._middlewares.add_middleware(namespace, hook)
            return hook

        return register if hook is None else register(hook)

    def exception_handler(self, *kinds: type[Exception], namespace: str | None = None) -> Callable[[F], F]:
        """Register a function for errors of these classes in handlers and middlewares.

        Called with ``(sid, event, error)`` on a server and ``(event, error)`` on a client, and with the
        namespace first for ``namespace='*'``. What it returns answers the ack. The handler of the nearest
        class is asked: first of the error's own class, then of its bases in their order.

        Raises ``TypeError`` or ``ValueError`` for what cannot be registered.
        """
        check_kinds(kinds)

        def register(hook: F) -> F:
            self._accept(hook)
            self._middlewares.add_handler(namespace, kinds, hook)
            return hook

        return register

    def _accept(self, hook: Hook) -> None:
        """Raise ``TypeError`` for a function that cannot run here."""

    def _log(self, event: str, namespace: str, args: tuple[Any, ...], error: Exception) -> None:
        """Write an error that nobody handles into the log."""
        sid = args[0] if self._who else self.get_sid(namespace)  # type: ignore[attr-defined]
        logger.error("event %r of client %s in namespace %s failed", event, sid, namespace, exc_info=error)

    def _unanswerable(self, event: str, namespace: str, args: tuple[Any, ...], error: Exception) -> Any:
        """Give the answer for one that could not be encoded."""
        self._log(event, namespace, args, error)
        return Refused(self._failure).answer
