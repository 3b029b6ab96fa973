"""The browser, and tabs in it."""

from __future__ import annotations

import pytest

from tests.cluster.browser import chromium
from tests.examples.nodes import tab

__all__ = ["tab"]


@pytest.fixture(scope="session")
def driver(tmp_path_factory):
    with chromium(tmp_path_factory.mktemp("chromium")) as driver:
        yield driver
