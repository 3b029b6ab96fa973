"""The way of most batches in C, ``native/_batch.c``, for a broker of Redis.

It is compiled where a C compiler is, see ``hatch_build.py``. Without it everything works the same, slower.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from socketio_cluster.manager.bus.backlog import Entry
from socketio_cluster.manager.bus.broker import Commanded, Direct
from socketio_cluster.manager.bus.outgoing import BATCH_BYTES, BATCH_ENTRIES
from socketio_cluster.manager.native.library import BATCH, make

if TYPE_CHECKING:
    from socketio_cluster.manager.bus.batches import Batches


def short_batch(batches: Batches, broker: Direct) -> Callable[[Direct], None] | None:
    """Return what starts the next batch of this broker; None where that cannot be."""
    if not isinstance(broker, Commanded):
        return None
    others = {"most_entries": BATCH_ENTRIES, "most_bytes": BATCH_BYTES, "entry": Entry}
    return make(BATCH, "Batching", lambda: {**batches.native_parts(), **broker.native_parts(), **others})
