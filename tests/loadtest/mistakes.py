"""Runs the command line with each of several lists of arguments; prints codes and words as JSON."""

from __future__ import annotations

import contextlib
import io
import json
import sys

from socketio_cluster.loadtest.__main__ import main


def outcome(arguments: list[str]) -> tuple[int, str]:
    """The exit code, and what went to stderr."""
    words = io.StringIO()
    with contextlib.redirect_stderr(words):
        try:
            code = main(arguments)
        except SystemExit as end:
            code = end.code
    return code, words.getvalue()


print(json.dumps([outcome(arguments) for arguments in json.loads(sys.argv[1])]))
