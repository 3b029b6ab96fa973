"""Envelopes that are refused: counted, and logged at the 1st, 10th, 100th and so on."""

from __future__ import annotations

import logging

from socketio_cluster.manager.errors import EnvelopeError
from socketio_cluster.manager.stats import Stats

logger = logging.getLogger("socketio_cluster.manager")


def refuse(error: EnvelopeError, stats: Stats) -> None:
    """Count one by its reason."""
    stats.refused[error.reason] += 1
    if stats.refused[error.reason] in (1, 10, 100, 1000, 10000):
        logger.warning("refused an envelope (%d so far): %s", stats.refused[error.reason], error)
