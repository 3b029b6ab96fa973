"""The application to serve, named `module:attribute`."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from typing import Any

from socketio_cluster.cluster.errors import UsageError


def check_target(target: str) -> None:
    """Raise UsageError when `target` is badly written or its top-level module does not exist.

    Nothing of the application is imported here: the workers do that.
    """
    module, _, attribute = target.partition(":")
    names = [*module.split("."), *attribute.split(".")]
    if not all(name.isidentifier() for name in names):
        raise UsageError(f"{target!r} is not an application: write module:attribute, for example hello:app")
    see_working_directory()
    top = module.partition(".")[0]
    if importlib.util.find_spec(top) is None:
        raise UsageError(f"there is no module {top!r}: is {os.getcwd()} the right folder to start from?")


def load_target(target: str) -> Any:
    """Import and return the application; raise UsageError when it is not there or cannot be called."""
    see_working_directory()
    module, _, attribute = target.partition(":")
    found: Any = _import(module)
    for name in attribute.split("."):
        try:
            found = getattr(found, name)
        except AttributeError:
            raise UsageError(f"the module {module!r} has no attribute {attribute!r}") from None
    if not callable(found):
        kind = type(found).__name__
        raise UsageError(
            f"{target} is not callable but of type {kind}: name an ASGI app, like socketio.ASGIApp(sio)"
        )
    return found


def _import(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        # An import that fails inside the module is an error of the application, and keeps its traceback.
        if error.name and f"{module}.".startswith(f"{error.name}."):
            raise UsageError(f"there is no module {error.name!r}") from None
        raise


def see_working_directory() -> None:
    """Make modules of the current folder importable, also when this runs as a console script."""
    if "" not in sys.path and os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
