"""What becomes of the servers when the test run is killed."""

from __future__ import annotations

import asyncio
import sys

from tests.harness import eventually
from tests.services.redis import RedisServer

RUN = """
import pathlib, sys, time
from tests.services.redis import RedisServer

with RedisServer(pathlib.Path(sys.argv[1]), port=int(sys.argv[2])):
    print("ready", flush=True)
    time.sleep(60)
"""


async def test_killed(tmp_path):
    """No server outlives a run that could not stop it."""
    server = RedisServer(tmp_path)
    command = [sys.executable, "-c", RUN, str(tmp_path), str(server.port)]
    run = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert await run.stdout.readline() == b"ready\n"
    assert answers(server)
    run.kill()
    await run.wait()
    await eventually(lambda: not answers(server))


def answers(server):
    try:
        return server.ask("PING") == b"+PONG\r\n"
    except ConnectionError:
        return False
