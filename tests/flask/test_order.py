"""The tests of ``tests/nodes/test_order.py`` on Flask and asyncio nodes of one cluster."""

from tests.nodes.test_order import *  # noqa: F403 - the tests themselves
