"""How Sphinx makes a site from the pages of docs/ and of the examples: `make site`."""

from __future__ import annotations

import tomllib
from pathlib import Path

_project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]

project = _project["name"]
release = _project["version"]
html_title = f"{project} {release}"

extensions = ["myst_parser", "sphinx_copybutton"]

# The source is the whole project, so that links between docs/ and examples/ lead to pages, as they do on
# GitHub. A link to another kind of file becomes a download.
root_doc = "docs/index"
include_patterns = ["docs/*.md", "examples/*/README.md", "CHANGELOG.md"]
exclude_patterns = [".*", "build", "tests", "**/node_modules"]

# GitHub gives headings the same anchors.
myst_heading_anchors = 4

# Some snippets have "…" where a user writes something of theirs.
suppress_warnings = ["misc.highlighting_failure"]

html_theme = "furo"
html_show_copyright = False
html_show_sourcelink = False
html_copy_source = False
# The root of the site leads to docs/index.html.
html_extra_path = ["index.html"]

# The button copies commands without their prompts and without what they answer.
copybutton_prompt_text = r"\$ |>>> |\.\.\. "
copybutton_prompt_is_regexp = True
