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
    """The number of arguments that name the sender of an event: 1 on a server, the sid, and 0 on a client."""
    _notices: ClassVar[frozenset[str]]
    """Events that only report something, so that they can be neither refused nor skipped."""
    _failure: ClassVar[str]
    """The text that the other side gets for an error whose details are private."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self._middlewares = MiddlewareRegistry()
        super().__init__(*args, **options)

    @overload
    def middleware(self, hook: F, /) -> F: ...
    @overload
    def middleware(self, /, *, namespace: str | None = None) -> Callable[[F], F]: ...
    def middleware(self, hook: Any = None, /, *, namespace: str | None = None) -> Any:
        """Register a function that runs before every handler, in the order of registration.

        It is called with ``(sid, event, args)`` on a server and ``(event, args)`` on a client. ``args`` is
        the list of the event's arguments, which it may change in place. It raises ``Refused`` to refuse the
        event, or ``Skip`` to leave the handler out. It gets the events of ``namespace``, or of all namespaces
        without one; with ``'*'`` it gets those of all, and the namespace as its first argument.

        Raises ``TypeError`` or ``ValueError`` for a function or a namespace that cannot be registered.
        """

        def register(hook: F) -> F:
            self._accept(hook)
            self._middlewares.add_middleware(namespace, hook)
            return hook

        return register if hook is None else register(hook)

    def exception_handler(self, *kinds: type[Exception], namespace: str | None = None) -> Callable[[F], F]:
        """Register a function for errors of these classes in handlers and middlewares.

        It is called with ``(sid, event, error)`` on a server and ``(event, error)`` on a client, and for
        ``namespace='*'`` with the namespace as its first argument. Its result answers the ack. Of several
        functions the one for the nearest class is called: first for the error's own class, then for its bases
        in their order.

        Raises ``TypeError`` or ``ValueError`` for a function, class or namespace that cannot be registered.
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
        """Log an error for which there is no exception handler."""
        sid = args[0] if self._who else self.get_sid(namespace)  # type: ignore[attr-defined]
        logger.error("event %r of client %s in namespace %s failed", event, sid, namespace, exc_info=error)

    def _unanswerable(self, event: str, namespace: str, args: tuple[Any, ...], error: Exception) -> Any:
        """Return the answer in the place of one that could not be encoded."""
        self._log(event, namespace, args, error)
        return Refused(self._failure).answer
