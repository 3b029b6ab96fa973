"""The documents say what is so."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from socketio_cluster import Options, Stats
from socketio_cluster.cluster.cli import parser

ROOT = Path(__file__).parents[1]
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
PAGES = [*DOCUMENTS, *ROOT.glob("examples/**/*.md"), *ROOT.glob("k8s/**/*.*"), ROOT / "Dockerfile"]
FORMER = re.compile(
    r"-m (manager|cluster|loadtest)\b|`cluster (serve|hub|demo)|^ *(from|import) (manager|cluster|loadtest)\b"
    r"|\b(manager|cluster)\.[A-Z]\w+|logger `(manager|cluster)`|\bfrom socketio_cluster\.(manager|cluster)\b",
    re.MULTILINE,
)
"""How the command, modules and loggers were called before there was one package."""
LINK = re.compile(r"\]\(([^)#:]*)(?:#([^)]*))?\)")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document):
    """Every link within the project leads to a file, and to a heading that is there."""
    for name, heading in LINK.findall(document.read_text()):
        target = document.parent / name if name else document
        assert target.exists(), f"{document.name} links to {name}"
        if heading:
            titles = re.findall(r"^#+ (.*)$", target.read_text(), re.MULTILINE)
            assert heading in {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_one_import_name(page):
    """Documents name the command by its name, and import public names from the top of the package."""
    assert FORMER.findall(page.read_text()) == []


def test_folders_are_all_described():
    """CONTRIBUTING.md names each folder with a part of the program or of the tests."""
    text = (ROOT / "CONTRIBUTING.md").read_text()
    folders = [path.parent.relative_to(ROOT) for path in ROOT.glob("[!.]*/*/__init__.py")]
    folders = [path for path in folders if path.parts[0] in ("cluster", "manager", "tests")]
    assert [str(path) for path in folders if f"`{path}/`" not in text and f"`{path.name}/`" not in text] == []


def test_files_of_the_page_exist():
    """Each file that docs/architecture.md names is there: who looks for it finds it."""
    named = re.findall(r"`([\w/]+\.py)`", (ROOT / "docs" / "architecture.md").read_text())
    there = [f"/{path.relative_to(ROOT)}" for path in ROOT.glob("[!.]*/**/*.py")]
    assert len(named) > 200
    assert [name for name in named if not any(path.endswith(f"/{name}") for path in there)] == []


def test_settings_are_all_described():
    """docs/settings.md names every option of the manager and the commands, and every counter."""
    text = (ROOT / "docs" / "settings.md").read_text()
    fields = [field.name for kind in (Options, Stats) for field in dataclasses.fields(kind)]
    flags = [flag for command in ("serve", "hub", "bridge") for flag in options_of(command)]
    assert [name for name in fields + flags if f"`{name}`" not in text] == []


def options_of(command):
    """The long options of a command."""
    subcommands = next(action for action in parser.command_parser()._actions if action.choices)
    options = subcommands.choices[command]._option_string_actions
    return [flag for flag in options if flag.startswith("--") and not flag.startswith(("--help", "--no-"))]
