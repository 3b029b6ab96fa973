"""`python -m tests.loadtest.without_epoll`: the load test as on a system that has no epoll."""

from __future__ import annotations

import select
import sys

if __name__ == "__main__":
    del select.epoll
    from socketio_cluster.loadtest.__main__ import main

    sys.exit(main(sys.argv[1:]))
