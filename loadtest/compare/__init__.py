"""``python -m socketio_cluster.loadtest compare``: the same load on each server, one table."""

from __future__ import annotations

from socketio_cluster.loadtest.compare.command import main

__all__ = ["main"]
