"""`python -m socketio_cluster.loadtest`: run a scenario, or compare servers."""

from __future__ import annotations

import sys


def main(arguments: list[str]) -> int:
    """Give the exit code: 0 when all thresholds hold, 1 when not, 2 for a mistake in what was asked."""
    if arguments[:1] == ["compare"]:
        from socketio_cluster.loadtest.compare import main as compare

        return compare(arguments[1:])
    from socketio_cluster.loadtest.command import run

    return run(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
