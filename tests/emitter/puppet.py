"""An ``Emitter`` in a process of its own, that does what it is told: one call a line, one answer a line."""

from __future__ import annotations

import ast
import sys


def main(url, options):
    from socketio_cluster import Emitter

    with Emitter(url, **ast.literal_eval(options)) as emitter:
        for line in sys.stdin:
            method, args, kwargs = ast.literal_eval(line)
            try:
                answer = ("", getattr(emitter, method)(*args, **kwargs))
            except Exception as error:
                answer = (type(error).__name__, str(error))
            print(repr(answer), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
