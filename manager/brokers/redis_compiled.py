"""What brokers of Redis have in C: ``_read.c`` reads a connection, ``_sort.c`` sorts what a subscriber gets.

They are compiled where a C compiler is, see ``hatch_build.py``. Without them all works the same, slower.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from hiredis import ProtocolError, PushNotification, Reader

from socketio_cluster.manager.brokers.inbox import AT_ONCE, Inbox
from socketio_cluster.manager.bus.broker import Delivery
from socketio_cluster.manager.native.library import READ, SORT, make

if TYPE_CHECKING:
    from socketio_cluster.manager.brokers.redis_replies import Replies, Takers


def reading(
    reader: Reader, takers: Takers, failed: Callable[[ProtocolError], None], general: Callable[[bytes], None]
) -> Callable[[bytes], None]:
    """Return what does as ``general``, which is ``RedisReplies.data_received``: itself, if it has to be.

    What is no reply goes to ``failed``.
    """
    parts = {"failed": failed, "takers": takers, "error": ProtocolError, "push": PushNotification}
    methods = {"general": general, "feed": reader.feed, "gets": reader.gets}
    return make(READ, "Reading", lambda: {**parts, **methods}) or general


def sorting(
    inbox: Inbox, taken: dict[bytes, str], message: bytes, general: Callable[[Replies], None]
) -> Callable[[Replies], None]:
    """Return what does as ``general``, which is ``RedisBroker._arrived``: itself, if it has to be.

    ``taken`` has the names of channels by their bytes, ``message`` is the first word of a message.
    """
    parts = {"general": general, "inbox": inbox, "taken": taken, "message": message, "delivery": Delivery}
    return make(SORT, "Sorting", lambda: {**parts, "most": AT_ONCE}) or general
