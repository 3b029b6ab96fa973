"""The packages that not everybody needs, and the sentence that says which one to install."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import Final

from socketio_cluster.manager.errors import SettingError

EXTRAS: Final = {"kombu": "amqp", "msgpack": "msgpack"}
"""The extra of this project that brings each package."""


def require_package(package: str, *, what: str) -> None:
    """Raise ``SettingError`` when an optional package is missing; ``what`` is the setting that needs it."""
    # kombu, once imported, puts a module without a spec into sys.modules: find_spec raises for that.
    if sys.modules.get(package) is None and find_spec(package) is None:
        extra = EXTRAS[package]
        raise SettingError(f"{what} needs {package}: pip install 'socketio-cluster[{extra}]'")
