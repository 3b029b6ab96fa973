"""The extension modules, made of the files named ``_*.c`` where there was a C compiler.

``CLUSTER_COMPILED=off`` in the environment leaves them out.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import Any, Final

VARIABLE: Final = "CLUSTER_COMPILED"
SHORT: Final = "cluster.lane._short"


def load(module: str = SHORT) -> Any | None:
    """Return an extension module; None where it is not compiled, so that its work is done in Python."""
    if os.environ.get(VARIABLE) == "off":
        return None
    try:
        return import_module(f"socketio_cluster.{module}")
    except ImportError:
        return None


def kind() -> str:
    """Return a word for logs and reports: ``compiled``, or ``not compiled``."""
    return "not compiled" if load() is None else "compiled"
