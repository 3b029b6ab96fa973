from __future__ import annotations

import asyncio
import contextlib
import time

import aiohttp
import pytest
import uvloop

from tests.forward.nodes import machines, one_machine
from tests.forward.poller import Poller


def pytest_asyncio_loop_factories(config, item):
    """What works on transports is tested on the loop that nodes run on, too."""
    factories = {"asyncio": asyncio.new_event_loop}
    if item.path.stem in ("test_line", "test_relay"):
        factories["uvloop"] = uvloop.new_event_loop
    return factories


@pytest.fixture(scope="package")
def workers():
    """Three workers of one supervisor, shared by the tests that leave them as they are."""
    with one_machine() as nodes:
        yield nodes


@pytest.fixture(scope="package")
def far_nodes(redis_server):
    """Three nodes that reach each other by TCP only, shared likewise."""
    with machines(redis_server.url) as nodes:
        yield nodes


@pytest.fixture(params=["unix", "tcp"])
def nodes(request):
    """Three nodes, once with Unix sockets between them and once with TCP."""
    return request.getfixturevalue("workers" if request.param == "unix" else "far_nodes")


@pytest.fixture
async def http():
    """A client that keeps connections for every node."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        yield session


@pytest.fixture
def poller(http):
    """Makes open polling sessions; each request of one goes to the next node."""

    async def make(urls, **how):
        return await Poller(http, urls, **how).open()

    return make


@contextlib.contextmanager
def within(seconds):
    """Fail when the block takes longer."""
    began = time.perf_counter()
    yield
    took = time.perf_counter() - began
    assert took < seconds, f"took {took:.3f} s"
