"""The supervisor's private folder: sockets that only processes of this user may use."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

VARIABLE: Final = "CLUSTER_RUN_DIR"
"""Tells the workers where it is."""


@contextmanager
def run_directory() -> Iterator[Path]:
    """Make the folder, for as long as this context."""
    # mkdtemp makes it for this user alone, which is all the access control that a socket in it needs.
    folder = Path(tempfile.mkdtemp(prefix="cluster-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep() -> None:
    """In a worker: remove the folder that a killed supervisor could not remove; the first orphan wins."""
    if folder := os.environ.get(VARIABLE):
        shutil.rmtree(folder, ignore_errors=True)
