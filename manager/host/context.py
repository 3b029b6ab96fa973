"""Each connection keeps the context variables with which it came.

Middlewares set them: an id of the request, a tenant, what Sentry and OpenTelemetry know. What a node does by
itself, for another node or for a timer, must not run with those of whoever happened to connect first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextvars import Context, copy_context
from typing import Any, TypeVar

Result = TypeVar("Result")


def keep_context(socket: Any) -> Context:
    """Let a connection have the current context from now on.

    Args:
        socket: python-engineio's socket.
    """
    context = copy_context()
    socket.context = context
    return context


async def in_context_of(socket: Any, work: Coroutine[Any, Any, Result]) -> Result:
    """Do something in the context of a connection; in the current one if that has none."""
    context = getattr(socket, "context", None)
    if context is None:
        return await work
    return await asyncio.get_running_loop().create_task(work, context=context)
