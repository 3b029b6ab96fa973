"""Whether something leaves references or memory behind."""

from __future__ import annotations

import contextlib
import gc
import sys

FEW = 20
"""So many references to an object may come or go meanwhile, above all to None."""
FEW_BLOCKS = 150
"""So many blocks of memory may be taken meanwhile."""


def held(objects):
    """How many references there are to each of these, and how many blocks of memory are in use."""
    gc.collect()
    return [sys.getrefcount(each) for each in objects], sys.getallocatedblocks()


@contextlib.contextmanager
def nothing_left(*objects):
    """Fail if what happens inside, hundreds of times, has left references to these objects, or any memory.

    It has to have happened before, so that all caches are filled.
    """
    references, blocks = held(objects)
    yield
    after, blocks_after = held(objects)
    more = [now - before for before, now in zip(references, after, strict=True)]
    assert all(abs(each) < FEW for each in more), f"references: {more}"
    assert blocks_after - blocks < FEW_BLOCKS, f"{blocks_after - blocks} blocks"
