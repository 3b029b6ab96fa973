"""Many command lines in one process, which starts no worker: what each said, and its exit code, as JSON."""

from __future__ import annotations

import contextlib
import io
import json
import sys

from socketio_cluster.cluster.command import main


def said(arguments):
    """The exit code of a command, and its standard error."""
    sys.argv = ["socketio-cluster", *arguments]
    with contextlib.redirect_stderr(io.StringIO()) as error:
        try:
            code = main()
        except SystemExit as end:
            code = end.code
    return code, error.getvalue()


print(json.dumps([said(arguments) for arguments in json.load(sys.stdin)]))
