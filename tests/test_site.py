"""The documentation as a site, which `make site` builds."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from tests.cluster.browser import chromium

ROOT = Path(__file__).parents[1]
FOREIGN = re.compile(r"<(?:script|img|iframe)[^>]*src=\"https?:|<link[^>]*href=\"https?:[^>]*stylesheet")
"""What a page would load from a server of somebody else."""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site. Sphinx ends with an error when a link leads nowhere, or no list of contents names a page."""
    folder = tmp_path_factory.mktemp("site")
    options = ["-b", "html", "-W", "--keep-going", "-n", "-q", "-c", "docs/site", "-d", folder / "trees"]
    command = [sys.executable, "-m", "sphinx", *options, ".", folder / "pages"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return folder / "pages"


def test_every_page_is_in_it(site):
    """Each page of docs/ and each example is a page of the site."""
    pages = [*ROOT.glob("docs/*.md"), *ROOT.glob("examples/*/README.md")]
    pages = [page.relative_to(ROOT).with_suffix(".html") for page in pages]
    assert [str(page) for page in pages if not (site / page).exists()] == []


def test_nothing_from_elsewhere(site):
    """No page loads a script, a style sheet or a picture from another server."""
    assert [page.name for page in site.rglob("*.html") if FOREIGN.search(page.read_text())] == []


def test_search(site, tmp_path):
    """The root of the site leads to the first page, and its search finds a page by a word of its text."""
    with chromium(tmp_path) as driver:

        def wait(condition):
            WebDriverWait(driver, 60, 0.05).until(lambda _: condition())

        driver.get(f"file://{site}/index.html")
        wait(lambda: driver.find_elements(By.CSS_SELECTOR, "input.sidebar-search"))
        box = driver.find_element(By.CSS_SELECTOR, "input.sidebar-search")
        box.send_keys("uvicorn lifespan")
        box.submit()
        wait(lambda: "FastAPI" in [each.text for each in driver.find_elements(By.CSS_SELECTOR, ".search a")])
