"""What brokers of Redis have in C: ``_read.c`` reads a connection, ``_sort.c`` sorts what a subscriber gets.

They are compiled where a C compiler is, see ``hatch_build.py``. Without them all works the same, slower.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from hiredis import ProtocolError, PushNotification, Reader

from socketio_cluster.manager.brokers.inbox import AT_ONCE, Inbox
from socketio_cluster.manager.bus.broker import Delivery
from socketio_cluster.manager.native.library import READ, SORT, load

if TYPE_CHECKING:
    from socketio_cluster.manager.brokers.redis_replies import Replies, Takers

Way = TypeVar("Way", bound=Callable[..., None])

logger = logging.getLogger("socketio_cluster.manager")


def reading(
    reader: Reader, takers: Takers, failed: Callable[[ProtocolError], None], general: Callable[[bytes], None]
) -> Callable[[bytes], None]:
    """Return what does as ``general``, which is ``RedisReplies.data_received``: itself, if it has to be.

    What is no reply goes to ``failed``.
    """
    library = load(READ)
    if library is None:
        return general
    parts = {"failed": failed, "takers": takers, "error": ProtocolError, "push": PushNotification}
    return _fitting(library.Reading, general, **parts, feed=reader.feed, gets=reader.gets)


def sorting(
    inbox: Inbox, taken: dict[bytes, str], message: bytes, general: Callable[[Replies], None]
) -> Callable[[Replies], None]:
    """Return what does as ``general``, which is ``RedisBroker._arrived``: itself, if it has to be.

    ``taken`` has the names of channels by their bytes, ``message`` is the first word of a message.
    """
    library = load(SORT)
    if library is None:
        return general
    parts = {"inbox": inbox, "taken": taken, "message": message, "delivery": Delivery}
    return _fitting(library.Sorting, general, **parts, most=AT_ONCE)


def _fitting(kind: Callable[..., Way], general: Way, **parts: Any) -> Way:
    """Return an object that does as ``general`` in C, or that itself where the parts are not as there."""
    try:
        return kind(general=general, **parts)
    except (TypeError, ValueError, AttributeError) as error:
        logger.warning("what reads Redis in C does not fit, so it is the slower way: %s", error)
        return general
