"""The files of docs/flask.md do what the page says."""

from __future__ import annotations

import os
import subprocess
import sys

import aiohttp
import pytest

from tests.cluster.command import ROOT, clean_environment
from tests.flask.gunicorn import Gunicorn
from tests.flask.page import files
from tests.harness import Node, client, eventually


@pytest.fixture
def folder(tmp_path):
    found = files("flask.md")
    assert sorted(found) == ["app.py", "gunicorn.conf.py", "test_app.py"]
    for name, text in found.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def path(folder):
    return {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}


async def test_the_application(folder, redis_url, prefix):
    """The page's application on two workers tells a client of an asyncio node, which tells one of its."""
    beside = Node(redis_url, prefix)
    await beside.start()
    try:
        env = {"CLUSTER_BUS": redis_url, "CLUSTER_PREFIX": prefix} | path(folder)
        with Gunicorn(
            "app:app", "-c", str(folder / "gunicorn.conf.py"), "--no-control-socket", env=env
        ) as server:
            await eventually(lambda: len(beside.manager.nodes()) == 3, 30)
            async with client(server) as here, client(beside) as there, aiohttp.ClientSession() as http:
                await beside.sio.enter_room(there.sid, "tea")
                await here.emit("join", "tea")
                for one in (here, there):
                    assert await one.next("joined") == [{"sid": here.sid}]
                async with http.post(f"{server.url}/news", data={"title": "Hello"}) as response:
                    assert response.status == 204
                for one in (here, there):
                    assert await one.next("news") == ["Hello"]
                await beside.sio.emit("back", to=here.sid)
                assert await here.next("back") == []
    finally:
        await beside.stop()


def test_the_test(folder):
    """The page's test passes."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_app.py"]
    env = clean_environment() | path(folder) | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    assert subprocess.run(command, cwd=folder, env=env, timeout=60).returncode == 0
