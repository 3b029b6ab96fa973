"""What works on transports is tested on the loop that nodes run on, too."""

from __future__ import annotations

import asyncio

import uvloop


def pytest_asyncio_loop_factories(config, item):
    """Both loops, unless the server is another process."""
    factories = {"asyncio": asyncio.new_event_loop}
    if item.path.stem == "test_protocol":
        factories["uvloop"] = uvloop.new_event_loop
    return factories
