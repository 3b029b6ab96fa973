"""The errors of this package.

    ClusterError
    ├── BrokerError          the bus cannot be reached, or a connection to it broke
    │   ├── PublishError     it broke because of a publication, which the bus may never take
    │   ├── PublishRefused   the bus refused some publications of a batch; the connection goes on
    │   └── WrongServer      the server is a replica and passes on nothing that is published to it
    ├── EventTooLarge        (also ValueError) an event is larger than the bus or the buffer can hold
    ├── NodeTimeout          (also TimeoutError) another node did not confirm in time
    ├── PartialAnswer        some nodes did not answer a query; it has the answers of the others
    ├── EnvelopeError        bytes on the bus are not an envelope of this cluster
    ├── SettingError         (also ValueError) a setting cannot work; the text says what to set instead
    ├── TooManyRooms         (also ValueError) a client is at its limit of rooms
    └── AlreadyLeaving       another thread disconnects this client; applications never see this error

``ClientGone`` is in a file of its own, because it needs python-socketio, whose import takes a second. The
supervisor needs only the errors here.
"""

from __future__ import annotations

from typing import Any, Final

UNKNOWN_SID = "sid is not connected to requested namespace"
"""The text that python-socketio has for an unknown sid."""

ROOM_LIMIT: Final = "the limit (rooms_per_client)"
"""What the text of ``TooManyRooms`` has. An error of another node comes as its text alone."""

NO_EVENT: Final = "an event needs a name: its name is an empty text"


class ClusterError(Exception):
    """Base of all errors of this package."""


class BrokerError(ClusterError):
    """The bus cannot be reached, or the connection to it broke."""


class PublishError(BrokerError):
    """The bus ended the connection while a batch was published, perhaps because of that batch.

    ``limit`` is the largest number of bytes that the bus takes in one payload, or None if it has not told.
    """

    def __init__(self, text: str, limit: int | None = None) -> None:
        super().__init__(text)
        self.limit = limit


class PublishRefused(BrokerError):
    """The bus has refused some publications of a batch and taken all others.

    ``reasons`` has the reason for each refused publication, by its index in the batch.
    """

    def __init__(self, reasons: dict[int, str]) -> None:
        super().__init__("; ".join(dict.fromkeys(reasons.values())))
        self.reasons = reasons


class WrongServer(BrokerError):
    """The server is a replica, or has become one, and does not pass on publications to other nodes."""


class EventTooLarge(ClusterError, ValueError):
    """An event has more bytes than the bus takes, or than ``buffer_bytes``. It was not sent to anybody."""


class NodeTimeout(ClusterError, TimeoutError):
    """Another node did not confirm in time. It may still carry out the request when the bus is back."""


class PartialAnswer(ClusterError):
    """Some nodes did not answer a question in time, or could not.

    ``answer`` is what the others said, as the call would have returned it. ``missing`` are the ids of the
    nodes that did not answer in time; they may still do what was asked. ``failures`` says of each node that
    could not answer why. While the bus is ``away``, no other node was asked, and there may be nodes of which
    this one does not know.
    """

    def __init__(
        self,
        answer: Any,
        missing: frozenset[str],
        failures: dict[str, str],
        seconds: float,
        *,
        away: bool = False,
    ) -> None:
        silent = [f"no answer from node {node} within {seconds:g} s" for node in sorted(missing)]
        if away:
            silent = [f"the bus was not reached within {seconds:g} s: no other node was asked"]
        super().__init__("; ".join(silent + [f"node {node}: {why}" for node, why in failures.items()]))
        self.answer = answer
        self.missing = missing
        self.failures = failures
        self.away = away


class EnvelopeError(ClusterError):
    """Bytes on the bus that are not an envelope of this cluster.

    ``reason`` is one short word for counters: malformed, version, unsigned, signature, number.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason


class SettingError(ClusterError, ValueError):
    """A setting that cannot work. The text names the setting and says what to do."""


class TooManyRooms(ClusterError, ValueError):
    """A client is at its limit of rooms (``rooms_per_client``) and was not put into another one."""


def refusal(text: str) -> ValueError:
    """Return the error for which the text of another node stands, as the same call raises it there."""
    return TooManyRooms(text) if ROOM_LIMIT in text else ValueError(text)


class AlreadyLeaving(ClusterError):
    """Another thread is disconnecting this client. Applications never see this error."""


EXITS: Final = (SystemExit, KeyboardInterrupt)
"""Exceptions for which asyncio would end the whole node, even if one handler raises them for one event."""
FAILURES: Final = (Exception, *EXITS)
"""Exceptions that count as an error of the handler that raises them, and must not end anything else."""


class ConnectionGone(ClusterError):
    """A connection ended while its client joined a namespace, so that no handler needs to run."""


class HandlerExit(RuntimeError):
    """The handler of an event tried to end the process. ``__cause__`` is the exception that it raised."""

    def __init__(self, event: str, error: BaseException) -> None:
        super().__init__(f"the handler of {event!r} raised {type(error).__name__}")
        self.__cause__ = error


def as_exception(event: str, error: BaseException) -> Exception:
    """Return an error of ``FAILURES`` as an ``Exception``: itself, or a ``HandlerExit``."""
    return error if isinstance(error, Exception) else HandlerExit(event, error)
