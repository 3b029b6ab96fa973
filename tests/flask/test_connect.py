"""The tests of ``tests/nodes/test_connect.py`` on Flask and asyncio nodes of one cluster."""

from tests.nodes.test_connect import *  # noqa: F403 - the tests themselves
