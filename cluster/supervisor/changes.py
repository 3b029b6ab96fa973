"""Changed files of the application, while somebody develops it: `--reload`."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from socketio_cluster.cluster.cli.options import ServeOptions
from socketio_cluster.cluster.errors import UsageError
from socketio_cluster.cluster.target import shown

if TYPE_CHECKING:
    from watchfiles import Change

log = logging.getLogger("socketio_cluster.cluster")

INCLUDED: Final = ("*.py",)
EXCLUDED: Final = (".*", ".py[cod]", ".sw.*", "~*")
"""uvicorn has the same patterns. An editor's own files are among them."""


class Watched:
    """Says which files count, for watchfiles: those that an include names and no exclude does.

    A default of one list is lifted by naming it in the other list, as in uvicorn.
    """

    def __init__(self, includes: Iterable[str], excludes: Iterable[str]) -> None:
        includes, excludes = tuple(includes), tuple(excludes)
        folders = [text for text in excludes if os.path.isdir(text)]
        self._folders = [Path(text).resolve() for text in folders]
        self._includes = {*INCLUDED, *includes} - {*excludes}
        self._excludes = {*EXCLUDED, *excludes} - {*includes, *folders}

    def __call__(self, change: Change, path: str) -> bool:
        """Return whether a change of this file is one of the application."""
        file = Path(path)
        return (
            any(map(file.match, self._includes))
            and not any(map(file.match, self._excludes))
            and not any(folder in file.parents for folder in self._folders)
        )


def watched_folders(options: ServeOptions) -> list[Path]:
    """Return the folders to watch; raise UsageError for one that does not exist."""
    folders = [Path(text).resolve() for text in options.reload_dir] or [options.app_dir.resolve()]
    for folder in folders:
        if not folder.is_dir():
            raise UsageError(f"--reload-dir {folder} is no folder")
    return folders


def check_reloading(options: ServeOptions) -> None:
    """Raise UsageError for what cannot be watched."""
    named = options.reload_dir or options.reload_include or options.reload_exclude
    if named and not options.reload:
        raise UsageError("--reload-dir, --reload-include and --reload-exclude are nothing without --reload")
    if options.reload:
        watched_folders(options)


async def watch(options: ServeOptions, changed: Callable[[], None]) -> None:
    """Call a function after each change of the application's files, until cancelled or not possible."""
    folders = watched_folders(options)
    log.info("watching %s for changes", ", ".join(map(str, folders)))
    logging.getLogger("watchfiles").setLevel(logging.WARNING)  # it counts the changes, which are named here
    watched = Watched(options.reload_include, options.reload_exclude)
    try:
        async for changes in _changes(folders, watched):
            log.info("%s changed", ", ".join(sorted({shown(Path(path)) for _, path in changes})))
            changed()
    except (OSError, RuntimeError) as error:  # the latter is what watchfiles makes of the system's limits
        log.error("changes are not seen: %s; SIGHUP replaces the workers", error)


def _changes(folders: list[Path], watched: Watched) -> AsyncIterator[set[tuple[Change, str]]]:
    from watchfiles import awatch  # only who develops waits for its import

    # A folder in it that may not be read does not end the watch.
    return awatch(*folders, watch_filter=watched, ignore_permission_denied=True)
