"""The middlewares and exception handlers of a server or client, by namespace."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from socketio_cluster.cluster.middleware.refusal import Refused

Hook = Callable[..., Any]

ANY = "*"
"""The namespace whose hooks serve all of them and are given the name first, as python-socketio's handlers."""


class MiddlewareRegistry:
    """Finds what has to run; runs nothing itself. The namespace None is all of them."""

    def __init__(self) -> None:
        self.middlewares: list[tuple[str | None, Hook]] = []
        self._handlers: dict[tuple[str | None, type[Exception]], Hook] = {}

    def add_middleware(self, namespace: str | None, hook: Hook) -> None:
        """Put a middleware behind those that are there."""
        _check(namespace, hook)
        self.middlewares.append((namespace, hook))

    def add_handler(self, namespace: str | None, kinds: tuple[type[Exception], ...], hook: Hook) -> None:
        """Let this handler have the errors of these classes."""
        _check(namespace, hook)
        for kind in kinds:
            self._handlers[namespace, kind] = hook

    def before(self, namespace: str) -> list[Hook]:
        """Give the middlewares of a namespace, in the order they were added."""
        return [
            partial(hook, namespace) if wanted == ANY else hook
            for wanted, hook in self.middlewares
            if wanted in (None, ANY, namespace)
        ]

    def handler(self, namespace: str, error: Exception) -> Hook | None:
        """Give the exception handler of the nearest class; of the same class the namespace's own.

        A ``Refused`` is an answer already: only a handler of that class, or of one below it, is asked.
        """
        for kind in type(error).__mro__:
            for wanted in (namespace, ANY, None):
                hook = self._handlers.get((wanted, kind))
                if hook is not None:
                    return partial(hook, namespace) if wanted == ANY else hook
            if kind is Refused:
                break
        return None


def check_kinds(kinds: tuple[Any, ...]) -> None:
    """Raise ``TypeError`` for what ``exception_handler`` cannot be given."""
    if not kinds:
        raise TypeError("exception_handler needs a class: @sio.exception_handler(ValueError)")
    for kind in kinds:
        if not (isinstance(kind, type) and issubclass(kind, Exception)):
            raise TypeError(f"exception_handler takes subclasses of Exception, not {kind!r}")


def check_result(hook: Hook, result: Any) -> None:
    """Raise ``TypeError`` for a middleware that returned something."""
    if result is not None:
        raise TypeError(
            f"the middleware {hook!r} returned {result!r}, and must return nothing: "
            "change the arguments in place, or raise Skip or Refused"
        )


def _check(namespace: str | None, hook: Hook) -> None:
    if not callable(hook):
        raise TypeError(
            f"{hook!r} is no function: write @sio.middleware or @sio.middleware(namespace='/chat')"
        )
    if namespace is not None and namespace != ANY and not namespace.startswith("/"):
        raise ValueError(f"the namespace {namespace!r} must begin with '/', or be '*'")
