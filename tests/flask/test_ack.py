"""The tests of ``tests/nodes/test_ack.py`` on Flask and asyncio nodes of one cluster."""

from tests.nodes.test_ack import *  # noqa: F403 - the tests themselves
