"""``python -m socketio_cluster``, the same as the console script ``socketio-cluster``."""

import sys

from socketio_cluster.cluster.command import main

if __name__ == "__main__":
    sys.exit(main())
