"""The last release is installed once for all tests."""

from __future__ import annotations

import pytest

from tests.releases.releases import LastHost, install


@pytest.fixture(scope="session")
def last_release(tmp_path_factory):
    """The folder with the last release."""
    return install(tmp_path_factory.mktemp("last-release"))


@pytest.fixture(scope="session")
def last_host(last_release):
    """A process that runs nodes of the last release."""
    host = LastHost(last_release)
    yield host
    host.close()
