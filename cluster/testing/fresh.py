"""A fresh copy of an application, as a process of its own would have it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from socketio_cluster.cluster.target import load_target


def fresh_target(target: str) -> Any:
    """Import ``module:attribute`` once more, with all modules of the same package, and return the attribute.

    Modules of other packages are shared with everybody. Raises ``UsageError`` as ``load_target``.
    """
    with _forgotten(target.partition(":")[0].partition(".")[0]):
        return load_target(target)


@contextmanager
def _forgotten(package: str) -> Iterator[None]:
    """Hide the modules of a package, and put them back afterwards in the place of new ones."""
    former = _take_out(package)
    try:
        yield
    finally:
        _take_out(package)
        sys.modules.update(former)


def _take_out(package: str) -> dict[str, ModuleType]:
    names = [name for name in sys.modules if name == package or name.startswith(f"{package}.")]
    return {name: sys.modules.pop(name) for name in names}
