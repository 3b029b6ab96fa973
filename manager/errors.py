"""Everything this package raises.

    ClusterError
    ├── BrokerError          the bus cannot be reached, or a connection to it broke
    │   ├── PublishError     it broke at what was published: perhaps the bus will never take that
    │   ├── PublishRefused   the bus did not take some of what was published; the connection goes on
    │   └── WrongServer      the server passes on nothing that is published here: it is a replica
    ├── EventTooLarge        (also ValueError) more bytes than the bus, or the buffer, can hold
    ├── NodeTimeout          (also TimeoutError) another node did not confirm in time
    ├── PartialAnswer        some nodes did not answer a question; it carries what the others said
    ├── EnvelopeError        bytes on the bus that are not an envelope of this cluster
    ├── SettingError         (also ValueError) a setting that cannot work, and what to set instead
    ├── TooManyRooms         (also ValueError) a client is in as many rooms as it may be
    └── AlreadyLeaving       another thread disconnects this client: not for applications

``ClientGone`` is python-socketio's ``TimeoutError``, so code that catches a timed-out ``call()``
also catches a client that left before it answered.
"""

from __future__ import annotations

from typing import Any, Final

from socketio.exceptions import TimeoutError as SocketIOTimeoutError

UNKNOWN_SID = "sid is not connected to requested namespace"
"""python-socketio's text for a sid it does not know."""


class ClusterError(Exception):
    """Base of all errors of this package."""


class BrokerError(ClusterError):
    """The bus cannot be reached, or the connection to it broke."""


class PublishError(BrokerError):
    """The bus ended the connection because of what was published, or while it was.

    ``limit`` is the number of bytes the bus takes, where it has told that.
    """

    def __init__(self, text: str, limit: int | None = None) -> None:
        super().__init__(text)
        self.limit = limit


class PublishRefused(BrokerError):
    """The bus has taken a batch but for these of its publications: by index, why not."""

    def __init__(self, reasons: dict[int, str]) -> None:
        super().__init__("; ".join(dict.fromkeys(reasons.values())))
        self.reasons = reasons


class WrongServer(BrokerError):
    """The server passes on to nobody what is published here: it is, or has become, a replica."""


class EventTooLarge(ClusterError, ValueError):
    """An event has more bytes than the bus takes, or than ``buffer_bytes``; it went to nobody."""


class NodeTimeout(ClusterError, TimeoutError):
    """Another node did not confirm in time; what was asked may still be done when the bus is back."""


class PartialAnswer(ClusterError):
    """Some nodes did not answer a question in time, or could not.

    ``answer`` is what the others said, as the call would have returned it. ``missing`` are the ids of the
    nodes that did not answer in time; they may still do what was asked. ``failures`` says of each node that
    could not answer why.
    """

    def __init__(
        self, answer: Any, missing: frozenset[str], failures: dict[str, str], seconds: float
    ) -> None:
        silent = [f"no answer from node {node} within {seconds:g} s" for node in sorted(missing)]
        super().__init__("; ".join(silent + [f"node {node}: {why}" for node, why in failures.items()]))
        self.answer = answer
        self.missing = missing
        self.failures = failures


class EnvelopeError(ClusterError):
    """Bytes on the bus that are not an envelope of this cluster.

    ``reason`` is one short word for counters: malformed, version, unsigned, signature, number.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason


class SettingError(ClusterError, ValueError):
    """A setting that cannot work; the text names the setting and what to do."""


class TooManyRooms(ClusterError, ValueError):
    """A client is in as many rooms as it may be (``rooms_per_client``); it was not put into another one."""


class AlreadyLeaving(ClusterError):
    """Another thread is disconnecting this client; applications never see this error."""


class ClientGone(SocketIOTimeoutError):  # type: ignore[misc]
    """The client, or the node that served it, went away before it answered a ``call()``."""


EXITS: Final = (SystemExit, KeyboardInterrupt)
"""What asyncio ends the whole node for, though it is one handler that raises it for one event."""
FAILURES: Final = (Exception, *EXITS)
"""What is an error of a handler, and nobody else's affair."""


class HandlerExit(RuntimeError):
    """The handler of an event wanted to end the process; ``__cause__`` is what it raised."""

    def __init__(self, event: str, error: BaseException) -> None:
        super().__init__(f"the handler of {event!r} raised {type(error).__name__}")
        self.__cause__ = error


def as_exception(event: str, error: BaseException) -> Exception:
    """Give an error of ``FAILURES`` as an ``Exception``."""
    return error if isinstance(error, Exception) else HandlerExit(event, error)
