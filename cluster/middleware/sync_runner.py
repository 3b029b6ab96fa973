"""Runs middlewares and exception handlers around the handlers of a client without asyncio."""

from __future__ import annotations

from inspect import iscoroutinefunction
from typing import Any

from socketio_cluster.cluster.middleware.decorators import MiddlewareDecorators
from socketio_cluster.cluster.middleware.refusal import Refused, Skip
from socketio_cluster.cluster.middleware.registry import Hook, check_result


class SyncMiddlewares(MiddlewareDecorators):
    """Goes in front of ``Client``: the same as ``AsyncMiddlewares`` without the awaiting."""

    def _accept(self, hook: Hook) -> None:
        if iscoroutinefunction(hook):
            raise TypeError(f"{hook!r} is a coroutine function: use AsyncClient, or write def")

    def _trigger_event(self, event: str, namespace: str, *args: Any) -> Any:
        """Run the middlewares and the handler; return the handler's result, or the answer for an error."""
        if event in self._notices:
            return self._notice(event, namespace, args)
        try:
            if self._middlewares.middlewares:
                args = self._before(event, namespace, args)
            return super()._trigger_event(event, namespace, *args)  # type: ignore[misc]
        except Exception as error:
            return self._answer(event, namespace, args, error)

    def _notice(self, event: str, namespace: str, args: tuple[Any, ...]) -> Any:
        """Run the handler even if a middleware refuses: an application cleans up in it."""
        try:
            args = self._before(event, namespace, args)
        except (Refused, Skip):
            pass
        except Exception as error:
            self._answer(event, namespace, args, error)
        try:
            return super()._trigger_event(event, namespace, *args)  # type: ignore[misc]
        except Exception as error:
            return self._answer(event, namespace, args, error)

    def _before(self, event: str, namespace: str, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Run the middlewares; return the arguments, which they may have changed."""
        who, rest = args[: self._who], list(args[self._who :])
        for hook in self._middlewares.before(namespace):
            check_result(hook, hook(*who, event, rest))
        return (*who, *rest)

    def _answer(self, event: str, namespace: str, args: tuple[Any, ...], error: Exception) -> Any:
        """Return the answer to the ack for an error: the exception handler's answer, or an error."""
        if isinstance(error, Skip):
            return error.answer
        hook = self._middlewares.handler(namespace, error)
        try:
            if hook is None:
                raise error
            return hook(*args[: self._who], event, error)
        except Refused as refused:
            return refused.answer
        except Exception as unhandled:
            self._log(event, namespace, args, unhandled)
            return Refused(self._failure).answer
