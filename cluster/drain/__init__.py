"""How clients are let go so that they come back by themselves; see ``drain``."""

from cluster.drain.aging import Aging
from cluster.drain.drain import Drain

__all__ = ["Aging", "Drain"]
