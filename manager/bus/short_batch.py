"""The way of most batches in C, ``native/_batch.c``, for a broker of Redis.

It is compiled where a C compiler is, see ``hatch_build.py``. Without it everything works the same, slower.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from socketio_cluster.manager.bus.backlog import Entry
from socketio_cluster.manager.bus.broker import Commanded, Direct
from socketio_cluster.manager.bus.outgoing import BATCH_BYTES, BATCH_ENTRIES
from socketio_cluster.manager.native.library import BATCH, load

if TYPE_CHECKING:
    from socketio_cluster.manager.bus.batches import Batches

logger = logging.getLogger("socketio_cluster.manager")


def short_batch(batches: Batches, broker: Direct) -> Callable[[Direct], None] | None:
    """Return what starts the next batch of this broker; None where that cannot be."""
    library = load(BATCH)
    if library is None or not isinstance(broker, Commanded):
        return None
    limits = {"most_entries": BATCH_ENTRIES, "most_bytes": BATCH_BYTES}
    try:
        return library.Batching(  # type: ignore[no-any-return]
            **batches.native_parts(), **broker.native_parts(), **limits, entry=Entry
        )
    except (TypeError, ValueError, AttributeError) as error:
        logger.warning("the compiled way of batches does not fit, so they take the slower one: %s", error)
        return None
