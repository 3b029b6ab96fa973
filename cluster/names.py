"""Whether the import names `cluster` and `manager` are ours: both are short, and others use them."""

from __future__ import annotations

import importlib.util
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import packages_distributions
from pathlib import Path

from socketio_cluster.cluster.errors import UsageError

DISTRIBUTION = "socketio-cluster"
NAMES = ("cluster", "manager")


def check_names(working_directory: Path | None = None) -> None:
    """Raise UsageError when another distribution or a folder of the user's hides one of our packages.

    `working_directory` is where the workers start (default: the current one): Python looks there first.
    """
    home = Path(__file__).resolve().parent.parent
    owners = packages_distributions()
    for name in NAMES:
        for owner in sorted(set(owners.get(name, ())) - {DISTRIBUTION}):
            raise UsageError(
                f"another distribution, {owner}, installs a top-level package `{name}`: "
                f"uninstall it, or give {DISTRIBUTION} a virtual environment of its own"
            )
        _check_place(name, PathFinder.find_spec(name, [str(working_directory or Path.cwd())]), home)
        _check_place(name, importlib.util.find_spec(name), home, required=True)


def _check_place(name: str, spec: ModuleSpec | None, home: Path, *, required: bool = False) -> None:
    # A plain folder that happens to have the name (a namespace package) hides nothing.
    if spec is None or spec.origin is None:
        if required:
            raise UsageError(f"the package `{name}` is missing from {home}: install {DISTRIBUTION} again")
        return
    place = Path(spec.origin).resolve()
    if place != home / name / "__init__.py":
        raise UsageError(
            f"`import {name}` finds {place}, which hides the package of {DISTRIBUTION} in {home}: "
            f"rename it, or start from another folder"
        )
