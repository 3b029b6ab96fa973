"""Tell something to all clients of a running cluster, from a process that serves none.

CLUSTER_BUS=redis://localhost:6379/0 python examples/emit_from_outside.py "Dinner is ready"
"""

import sys

from socketio_cluster import Emitter

with Emitter() as emitter:
    emitter.emit("said", sys.argv[1])
