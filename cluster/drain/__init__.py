"""Ends the sessions of clients in such a way that they come back by themselves; see ``drain``."""

from socketio_cluster.cluster.drain.aging import Aging
from socketio_cluster.cluster.drain.drain import Drain

__all__ = ["Aging", "Drain"]
