"""A page of the documentation whose code is to be run: its steps, their code, and what that shall print."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from pathlib import Path

FENCE = re.compile(r"^```python (\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^##+ (.*)$", re.MULTILINE)


class Block:
    """A piece of code, its kind (server, client, outside), and the line of the page before it."""

    def __init__(self, page, kind, code, before):
        self.page = page
        self.kind = kind
        self.code = code
        self.before = before

    @property
    def expected(self):
        """What each line prints, by its number in the page."""
        lines = enumerate(self.code.splitlines(), self.before + 1)
        return {number: line.partition("# → ")[2] for number, line in lines if "# → " in line}

    async def run(self, names, replace=()):
        """Run the code, as in the page, with these names; ``await`` is understood."""
        code = self.code
        for old, new in replace:
            code = code.replace(old, new)
        flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        result = eval(compile("\n" * self.before + code, self.page, "exec", flags=flags), names)
        if inspect.iscoroutine(result):
            await result


def steps(path: Path):
    """Give the blocks of each step by its heading; those before a step's first are not in it."""
    text = path.read_text()
    headings = [(match.start(), match[1]) for match in HEADING.finditer(text)]
    found = {}
    for match in FENCE.finditer(text):
        heading = [title for start, title in headings if start < match.start()][-1]
        before = text.count("\n", 0, match.start(2))
        found.setdefault(heading, []).append(Block(str(path), match[1], match[2], before))
    return found


class Printed:
    """Stands in for ``print``: keeps what was printed by the line that did."""

    def __init__(self):
        self.lines = {}

    def __call__(self, *values):
        line = sys._getframe(1).f_lineno
        self.lines.setdefault(line, []).append(" ".join(map(str, values)))
