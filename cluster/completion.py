"""The script by which a shell completes the command line."""

from __future__ import annotations

from socketio_cluster.cluster.cli.parser import command_parser
from socketio_cluster.cluster.errors import UsageError


def print_script(shell: str) -> int:
    """Print the script for a shell; return the exit code. Raises UsageError without the package shtab."""
    try:
        import shtab
    except ImportError:
        raise UsageError("completion needs shtab: pip install 'socketio-cluster[completion]'") from None
    print(shtab.complete(command_parser(), shell))
    return 0
