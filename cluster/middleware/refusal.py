"""The exceptions by which a middleware or a handler answers a client and ends the event."""

from __future__ import annotations

from typing import Any

from socketio.exceptions import ConnectionRefusedError as SocketIOConnectionRefusedError


class Refused(SocketIOConnectionRefusedError):  # type: ignore[misc]
    """An event, or a connection, is refused, and the other side is told why.

    The ack of an event gets ``{"error": message}``, with ``"data"`` when there is any. In a connect handler
    it is python-socketio's own refusal: the client's ``connect_error`` gets ``message`` and ``data``.
    """

    def __init__(self, message: str, *data: Any) -> None:
        super().__init__(message, *data)

    @property
    def answer(self) -> dict[str, Any]:
        """The answer that the ack gets."""
        told = dict(self.error_args)
        return {"error": told.pop("message"), **told}


class Skip(Exception):
    """The event is done: the handler and the middlewares after this one do not run.

    The ack gets ``answer``, as if the handler had returned it.
    """

    def __init__(self, answer: Any = None) -> None:
        super().__init__(answer)
        self.answer = answer
