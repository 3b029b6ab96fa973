"""The files in a page of the documentation: code under the name of its file and a colon."""

from __future__ import annotations

import re

from tests.cluster.command import ROOT

FILE = re.compile(r"`([\w./]+\.py)`:\n\n```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def files(page):
    """Give the text of each file of ``docs/<page>`` by name; what has the same name is one file."""
    found = {}
    for name, code in FILE.findall((ROOT / "docs" / page).read_text()):
        found[name] = found.get(name, "") + code
    return found
