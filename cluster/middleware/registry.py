"""The middlewares and exception handlers of a server or client, by namespace."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from socketio_cluster.cluster.middleware.refusal import Refused

Hook = Callable[..., Any]

ANY = "*"
"""The namespace of functions that serve all namespaces, and get the name as their first argument."""


class MiddlewareRegistry:
    """Finds the functions that have to run, and runs none itself. The namespace None stands for all."""

    def __init__(self) -> None:
        self.middlewares: list[tuple[str | None, Hook]] = []
        self._handlers: dict[tuple[str | None, type[Exception]], Hook] = {}

    def add_middleware(self, namespace: str | None, hook: Hook) -> None:
        """Add a middleware behind the others."""
        _check(namespace, hook)
        self.middlewares.append((namespace, hook))

    def add_handler(self, namespace: str | None, kinds: tuple[type[Exception], ...], hook: Hook) -> None:
        """Set the exception handler for these classes."""
        _check(namespace, hook)
        for kind in kinds:
            self._handlers[namespace, kind] = hook

    def before(self, namespace: str) -> list[Hook]:
        """Return the middlewares of a namespace, in the order in which they were added."""
        return [
            partial(hook, namespace) if wanted == ANY else hook
            for wanted, hook in self.middlewares
            if wanted in (None, ANY, namespace)
        ]

    def handler(self, namespace: str, error: Exception) -> Hook | None:
        """Return the exception handler for the nearest class; the namespace's own comes before one for all.

        ``Refused`` is an answer already, so only handlers for that class or its subclasses are found for it.
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
    """Raise ``TypeError`` unless these are classes that ``exception_handler`` takes."""
    if not kinds:
        raise TypeError("exception_handler needs a class: @sio.exception_handler(ValueError)")
    for kind in kinds:
        if not (isinstance(kind, type) and issubclass(kind, Exception)):
            raise TypeError(f"exception_handler takes subclasses of Exception, not {kind!r}")


def check_result(hook: Hook, result: Any) -> None:
    """Raise ``TypeError`` when a middleware has returned something."""
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
