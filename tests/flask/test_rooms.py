"""The tests of ``tests/nodes/test_rooms.py`` on Flask and asyncio nodes of one cluster."""

from tests.nodes.test_rooms import *  # noqa: F403 - the tests themselves
