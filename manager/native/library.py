"""The extension modules, made of the files named ``_*.c`` where there was a C compiler.

``CLUSTER_COMPILED=off`` in the environment leaves them out.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

logger = logging.getLogger("socketio_cluster.manager")

VARIABLE: Final = "CLUSTER_COMPILED"

SHORT: Final = "cluster.lane._short"
WRITE: Final = "cluster.lane._write"
EMIT: Final = "manager.native._emit"
HEAR: Final = "manager.native._hear"
BATCH: Final = "manager.native._batch"
READ: Final = "manager.brokers._read"
SORT: Final = "manager.brokers._sort"
MODULES: Final = (SHORT, WRITE, EMIT, HEAR, BATCH, READ, SORT)


def load(module: str) -> Any | None:
    """Return an extension module; None where it is not compiled, so that its work is done in Python.

    It is None too, and a line says why, for a file that cannot be loaded, or is missing beside others.
    """
    if os.environ.get(VARIABLE) == "off":
        return None
    try:
        return import_module(f"socketio_cluster.{module}")
    except ImportError as error:
        # Where there are none at all, there was no compiler, which is nothing to tell of.
        if any(find_spec(f"socketio_cluster.{each}") for each in MODULES):
            _warn(module, "cannot be loaded", str(error))
        return None


def make(module: str, name: str, parts: Callable[[], dict[str, Any]]) -> Any | None:
    """Return an object of the type ``name`` of an extension module; None where it is not compiled.

    ``parts`` returns what it works with, by the names that it has for that. Where something of that is not as
    the module knows it, the answer is None too, and a line says why.
    """
    library = load(module)
    if library is None:
        return None
    try:
        return getattr(library, name)(**parts())
    except (TypeError, ValueError, AttributeError) as error:
        _warn(module, "does not fit", str(error))
        return None


@cache  # so it says that once, however many servers there are
def _warn(module: str, failing: str, reason: str) -> None:
    logger.warning("%s %s, so Python does its work, slower: %s", module, failing, reason)


def kind() -> str:
    """Return a word for reports: ``compiled`` if all is, else ``not compiled``, with names if some is."""
    names = [module.rpartition(".")[2] for module in MODULES if load(module) is None]
    if not names:
        return "compiled"
    return "not compiled" if len(names) == len(MODULES) else f"not compiled: {', '.join(names)}"
