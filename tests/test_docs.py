"""The documents say what is so."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from socketio_cluster import Options, Stats
from socketio_cluster.cluster import parser

ROOT = Path(__file__).parents[1]
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
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


def test_settings_are_all_described():
    """docs/settings.md names every option of the manager and the commands, and every counter."""
    text = (ROOT / "docs" / "settings.md").read_text()
    fields = [field.name for kind in (Options, Stats) for field in dataclasses.fields(kind)]
    flags = [flag for command in ("serve", "hub") for flag in options_of(command)]
    assert [name for name in fields + flags if f"`{name}`" not in text] == []


def options_of(command):
    """The long options of a command."""
    subcommands = next(action for action in parser._parser()._actions if action.dest == "command")
    options = subcommands.choices[command]._option_string_actions
    return [flag for flag in options if flag.startswith("--") and flag != "--help"]
