"""The application to serve, named `module:attribute`."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from pathlib import Path
from typing import Any, Final

from socketio_cluster.cluster.errors import UsageError

HERE: Final = Path(".")
OURS: Final = Path(__file__).parents[1]
"""The folder of this package."""


def check_target(target: str, folder: Path) -> None:
    """Raise UsageError when `target` is badly written or its top-level module is not found from `folder`.

    Nothing of the application is imported here: the workers do that.
    """
    module, _, attribute = target.partition(":")
    names = [*module.split("."), *attribute.split(".")]
    if not all(name.isidentifier() for name in names):
        raise UsageError(f"{target!r} is not an application: write module:attribute, for example hello:app")
    _see(folder)
    top = module.partition(".")[0]
    if importlib.util.find_spec(top) is None:
        where = f"is --app-dir {folder} the right folder?"
        if folder == HERE:
            where = f"is {os.getcwd()} the right folder to start from, or does it need --app-dir?"
        raise UsageError(f"there is no module {top!r}: {where}")


def load_target(target: str, folder: Path = HERE, *, factory: bool = False) -> Any:
    """Import and return the application, or what the `factory` of that name returns.

    Raises UsageError when it is not there or cannot be called.
    """
    _see(folder)
    found = _find(target)
    if factory:
        found = found()
        if not callable(found):
            raise UsageError(
                f"{target}() returned no application but something of type {type(found).__name__}"
            )
    return found


def _find(target: str) -> Any:
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


def begin_in_application(error: BaseException) -> None:
    """Let the traceback of an import begin with the application's lines, without ours and importlib's."""
    trace = error.__traceback__
    while trace is not None and _imports(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    error.__traceback__ = trace


def _imports(filename: str) -> bool:
    return OURS in Path(filename).parents or filename.startswith("<frozen") or filename == importlib.__file__


def shown(path: Path) -> str:
    """Return a path as people want to read it: from the current folder, when it is below that."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _import(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        # An import that fails inside the module is an error of the application, and keeps its traceback.
        if error.name and f"{module}.".startswith(f"{error.name}."):
            raise UsageError(f"there is no module {error.name!r}") from None
        raise


def _see(folder: Path) -> None:
    """Make the modules of a folder importable, also when this runs as a console script."""
    path = str(folder.resolve())
    if path not in sys.path and not (folder == HERE and "" in sys.path):
        sys.path.insert(0, path)
