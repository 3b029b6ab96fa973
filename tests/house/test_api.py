"""docs/api.md is what the docstrings say."""

from __future__ import annotations

import re

import socketio_cluster
from scripts import api


def test_up_to_date():
    """The page is what ``make api`` writes now."""
    assert api.PAGE.read_text() == api.page(), "a public docstring or signature has changed: run make api"


def test_complete():
    """Every public class has a section, and every public method that is ours is in one."""
    text = api.PAGE.read_text()
    sections = set(re.findall(r"^### \w+\.(\w+)$", text, re.MULTILINE))
    for name in socketio_cluster.__all__:
        kind = getattr(socketio_cluster, name)
        assert f"\n## {name}\n" in text
        for base in kind.__mro__:
            if base.__module__.startswith("socketio_cluster") and not base.__name__.startswith("_"):
                ours = [one for one, value in vars(base).items() if callable(value) and one[0] != "_"]
                assert set(ours) <= sections, base
