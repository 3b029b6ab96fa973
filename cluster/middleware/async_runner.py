"""Runs middlewares and exception handlers around the handlers of an asyncio server or client."""

from __future__ import annotations

from inspect import isawaitable, iscoroutine
from typing import Any, ClassVar

from socketio_cluster.cluster.middleware.decorators import MiddlewareDecorators
from socketio_cluster.cluster.middleware.refusal import Refused, Skip
from socketio_cluster.cluster.middleware.registry import check_result
from socketio_cluster.manager.errors import as_exception


class AsyncMiddlewares(MiddlewareDecorators):
    """Goes in front of ``AsyncServer`` and ``AsyncClient``; hooks may be coroutine functions or not."""

    _caught: ClassVar[tuple[type[BaseException], ...]] = (Exception,)
    """The classes that count as errors of a handler. On a client Ctrl-C is not one: it must end the
    program."""

    async def _trigger_event(self, event: str, namespace: str, *args: Any) -> Any:
        """Run the middlewares and the handler; return the handler's result, or the answer for an error."""
        if event in self._notices:
            return await self._notice(event, namespace, args)
        try:
            if self._middlewares.middlewares:
                args = await self._before(event, namespace, args)
            handler, given = self._get_event_handler(event, namespace, args)  # type: ignore[attr-defined]
            if handler is None:  # the handler may be in a class-based namespace
                return await super()._trigger_event(event, namespace, *args)  # type: ignore[misc]
            # ``super`` would do the same with one more coroutine for each event.
            result = handler(*given)
            return await result if iscoroutine(result) else result
        except self._caught as error:
            return await self._answer(event, namespace, args, error)

    async def _notice(self, event: str, namespace: str, args: tuple[Any, ...]) -> Any:
        """Run the handler even if a middleware refuses: an application cleans up in it."""
        try:
            args = await self._before(event, namespace, args)
        except (Refused, Skip):
            pass
        except self._caught as error:
            await self._answer(event, namespace, args, error)
        try:
            return await super()._trigger_event(event, namespace, *args)  # type: ignore[misc]
        except self._caught as error:
            return await self._answer(event, namespace, args, error)

    async def _before(self, event: str, namespace: str, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Run the middlewares; return the arguments, which they may have changed."""
        who, rest = args[: self._who], list(args[self._who :])
        for hook in self._middlewares.before(namespace):
            result = hook(*who, event, rest)
            check_result(hook, await result if isawaitable(result) else result)
        return (*who, *rest)

    async def _answer(self, event: str, namespace: str, args: tuple[Any, ...], error: BaseException) -> Any:
        """Return the answer to the ack for an error."""
        try:
            return await self._rescue(event, namespace, args, error)
        except Refused as refused:
            return refused.answer

    async def _rescue(self, event: str, namespace: str, args: tuple[Any, ...], error: BaseException) -> Any:
        """Return the exception handler's answer; raise ``Refused`` when it refuses, or when there is none."""
        error = as_exception(event, error)
        if isinstance(error, Skip):
            return error.answer
        hook = self._middlewares.handler(namespace, error)
        try:
            if hook is None:
                raise error
            answer = hook(*args[: self._who], event, error)
            return await answer if isawaitable(answer) else answer
        except Refused:
            raise
        except self._caught as unhandled:
            self._log(event, namespace, args, as_exception(event, unhandled))
            raise Refused(self._failure) from None
