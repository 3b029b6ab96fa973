"""How Sphinx makes a site from these pages: `make site`."""

from __future__ import annotations

import tomllib
from pathlib import Path

_project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]

project = _project["name"]
release = _project["version"]
html_title = f"{project} {release}"

extensions = ["myst_parser", "sphinx_copybutton"]
exclude_patterns = ["README.md"]

# GitHub shows the same pages; both give a heading the same anchor.
myst_heading_anchors = 4

html_theme = "furo"
html_show_copyright = False
html_show_sourcelink = False
html_static_path: list[str] = []

# A prompt is no part of a command, nor is what the command answers.
copybutton_prompt_text = r"\$ |>>> |\.\.\. "
copybutton_prompt_is_regexp = True
