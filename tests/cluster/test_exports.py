"""What ``cluster`` offers is there when it is asked for, and not before."""

from __future__ import annotations

import subprocess
import sys

import pytest

import socketio_cluster


def test_names():
    """Every name of ``__all__`` is there and documented; any other is an error that names it."""
    assert sorted(cluster.__all__) == list(cluster.__all__)
    assert all(getattr(cluster, name).__doc__ for name in cluster.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Server'"):
        socketio_cluster.Server  # noqa: B018


def test_cheap():
    """Importing the package, as the supervisor does, imports no Socket.IO."""
    program = "import cluster, sys; sys.exit('socketio' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], timeout=30).returncode == 0
