"""Folders need each other in one direction only."""

from __future__ import annotations

import ast
from collections import defaultdict
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = "socketio_cluster"


def unit(module):
    """The folder of a module of ours, as a path; a file directly in a package stands for itself."""
    path = ROOT.joinpath(*module.split(".")[1:])
    while not (path.is_dir() or path.with_suffix(".py").is_file()):
        path = path.parent  # it was a name in a module
    inside = path.relative_to(ROOT)
    if path.is_dir():
        return inside if len(inside.parts) > 1 else inside / "__init__"
    return inside.parent if len(inside.parts) > 2 else inside


def imports(tree):
    """The modules and names that a file imports when it runs: not those that only its annotations need."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import: modules are named in full"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        else:
            yield from imports(node)


def needs(package):
    """What each folder of a package imports of the package's others."""
    graph = defaultdict(set)
    for path in (ROOT / package).rglob("*.py"):
        here = unit(".".join((PACKAGE, *path.relative_to(ROOT).with_suffix("").parts)))
        for module in imports(ast.parse(path.read_text(encoding="utf-8"))):
            if module.startswith(f"{PACKAGE}.{package}."):
                graph[here].add(unit(module))
        graph[here].discard(here)
    return graph


@pytest.mark.parametrize("package", ["manager", "cluster", "loadtest"])
def test_no_circles(package):
    """No folder imports, by way of others, itself: each can be read with only those below it."""
    TopologicalSorter(needs(package)).prepare()
