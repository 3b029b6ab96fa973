"""The extension module ``_short``, made of ``_short.c`` where there was a C compiler.

``CLUSTER_COMPILED=off`` in the environment leaves it out.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

VARIABLE: Final = "CLUSTER_COMPILED"


def load() -> Callable[..., Any] | None:
    """Return the class ``Way`` of the extension; None where events take the way in Python."""
    if os.environ.get(VARIABLE) == "off":
        return None
    try:
        return import_module("socketio_cluster.cluster.lane._short").Way  # type: ignore[no-any-return]
    except ImportError:
        return None


def kind() -> str:
    """Return a word for logs and reports: ``compiled``, or ``not compiled``."""
    return "not compiled" if load() is None else "compiled"
