"""The tests of ``tests/nodes/test_emit.py`` on Flask and asyncio nodes of one cluster."""

from tests.nodes.test_emit import *  # noqa: F403 - the tests themselves
