"""examples/react: a page that Vite builds, in a browser on two nodes."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from tests.cluster.command import ROOT
from tests.examples.nodes import two_nodes
from tests.services.process import program

PAGE = ROOT / "examples" / "react" / "page"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The page, built by the commands of its README in a copy, and put where the server looks for it."""
    copy = tmp_path_factory.mktemp("react") / "page"
    shutil.copytree(PAGE, copy, ignore=shutil.ignore_patterns("node_modules", "dist"))
    for command in (["install", "--no-audit", "--no-fund"], ["run", "build"]):
        done = subprocess.run(
            [program("npm", package="npm"), *command], cwd=copy, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stdout + done.stderr
    shutil.copytree(copy / "dist", PAGE / "dist", dirs_exist_ok=True)


def test_page(built, tab):
    """A reaction in one tab is counted once in the tabs of both nodes."""
    with two_nodes("examples.react.app:app") as urls:
        tabs = [tab(url) for url in urls]
        for number, one in enumerate(tabs, 1):
            one.shows("#state", f"You are on node-{number}.")
        tabs[0].show().find("#star").click()
        for one in tabs:
            one.shows("li", "★ through node-1")
            assert one.text("#star output") == "1"
            assert one.text("#heart output") == "0"
        for one, url in zip(tabs, urls, strict=True):
            one.check_page(url)
