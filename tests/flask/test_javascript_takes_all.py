"""The tests of ``tests/nodes/test_javascript_takes_all.py`` on Flask and asyncio nodes of one cluster."""

from tests.nodes.test_javascript_takes_all import *  # noqa: F403 - the tests themselves
