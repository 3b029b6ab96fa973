"""The examples do what they say."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from pathlib import Path

import pytest
import socketio

from tests.cluster.command import Command, clean_environment

ROOT = Path(__file__).parents[1]


@contextlib.asynccontextmanager
async def listener(url):
    """A client that puts what is said into a queue."""
    client, said = socketio.AsyncClient(), asyncio.Queue()
    client.on("said", said.put)
    await client.connect(url, transports=["websocket"])
    try:
        yield client, said
    finally:
        await client.disconnect()


async def run(*arguments, env):
    """Run a Python program to its end, which must be a good one."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, cwd=ROOT, env=clean_environment() | {"PYTHONPATH": str(ROOT)} | env
    )
    async with asyncio.timeout(30):
        assert await process.wait() == 0


@pytest.fixture
async def hello(redis_url, prefix):
    """The URLs of the two nodes that serve the smallest application, and the environment that finds them."""
    env = {"CLUSTER_BUS": redis_url, "CLUSTER_PREFIX": prefix}
    command = Command(
        *("serve", "examples.hello.app:app", "--workers", "2", "--port", "0", "--direct-port", "0"), env=env
    )
    try:
        nodes = await asyncio.to_thread(command.nodes, 2)
        yield [urls[1] for urls in nodes.values()], env
    finally:
        await asyncio.to_thread(command.__exit__)


async def test_hello_tells_everybody_on_every_node(hello):
    """What one client says reaches clients of both nodes."""
    (url, other), _ = hello
    async with listener(url) as (speaker, said), listener(other) as (_, also_said):
        await speaker.emit("say", "hello")
        async with asyncio.timeout(10):
            assert [await said.get(), await also_said.get()] == ["hello", "hello"]


async def test_a_program_outside_emits(hello):
    """What a program without clients emits reaches clients of both nodes."""
    (url, other), env = hello
    async with listener(url) as (_, said), listener(other) as (_, also_said):
        await run("examples/emit_from_outside.py", "dinner", env=env)
        async with asyncio.timeout(10):
            assert [await said.get(), await also_said.get()] == ["dinner", "dinner"]
