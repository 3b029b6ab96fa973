"""The application of the tests, on a machine whose clock is wrong by ``TEST_CLOCK`` seconds."""

from __future__ import annotations

import os
import time

true_time, wrong_by = time.time, float(os.environ["TEST_CLOCK"])
time.time = lambda: true_time() + wrong_by

from tests.forward.app import app, sio  # noqa: E402 - whatever it imports sees the wrong clock

__all__ = ["app"]


@sio.event
async def clock(sid):
    """What this machine takes for the time, in epoch seconds."""
    return time.time()
