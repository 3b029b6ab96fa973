"""Optional packages, and the error that says which one to install."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from typing import Final

from socketio_cluster.manager.errors import SettingError

EXTRAS: Final = {"kombu": "amqp", "msgpack": "msgpack", "nats": "nats"}
"""The extra of this project that installs each package."""


def require_package(package: str, *, what: str) -> None:
    """Raise ``SettingError`` if an optional package is missing. ``what`` names the setting that needs it."""
    # Once kombu is imported, sys.modules holds a module without a spec, for which find_spec raises.
    if sys.modules.get(package) is None and find_spec(package) is None:
        extra = EXTRAS[package]
        raise SettingError(f"{what} needs {package}: pip install 'socketio-cluster[{extra}]'")
