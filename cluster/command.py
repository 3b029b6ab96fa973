"""The commands of `python -m socketio_cluster` and of the console script `socketio-cluster`."""

from __future__ import annotations

import sys

from socketio_cluster.cluster.cli.options import (
    BridgeOptions,
    CompletionOptions,
    HubOptions,
    Options,
    WorkerCommand,
)
from socketio_cluster.cluster.cli.parser import read_options
from socketio_cluster.cluster.errors import UsageError


def main() -> int:
    """Run a command and return its exit code; a mistake of the user ends with one sentence and code 2."""
    try:
        return _run(read_options())
    except UsageError as error:
        print(f"socketio-cluster: {error}", file=sys.stderr)
        return 2


def _run(options: Options) -> int:
    # Each command imports what it needs when it runs: `hub` and `--help` need no Socket.IO.
    if isinstance(options, WorkerCommand):
        from socketio_cluster.cluster.worker import run_worker

        return run_worker(options.lifeline)
    if isinstance(options, CompletionOptions):
        from socketio_cluster.cluster.completion import print_script

        return print_script(options.shell)
    if isinstance(options, BridgeOptions):
        from socketio_cluster.cluster.bridge import run_bridge

        return run_bridge(options)
    if isinstance(options, HubOptions):
        from socketio_cluster.cluster.hub import run_hub

        return run_hub(options)
    from socketio_cluster.cluster.supervisor.supervisor import run_supervisor

    return run_supervisor(options)
