"""The files of docs/fastapi.md do what the page says."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys

import aiohttp
import jwt
import pytest
import socketio

from tests.cluster.command import ROOT, Command, clean_environment
from tests.flask.page import files

SECRET = "another secret, and also more than 32 bytes"


@pytest.fixture
def folder(tmp_path):
    found = files("fastapi.md")
    assert sorted(found) == ["app.py", "test_app.py"]
    for name, text in found.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def path(folder):
    return {"PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}


@contextlib.asynccontextmanager
async def user(url, name):
    """A client that says by a token who it is; gives it and what it hears."""
    one, heard = socketio.AsyncClient(), asyncio.Queue()
    for event in ("news", "said"):
        one.on(event, heard.put)
    await one.connect(url, auth={"token": jwt.encode({"sub": name}, SECRET)}, transports=["websocket"])
    yield one, heard
    await one.disconnect()


async def test_the_application(folder):
    """On two workers news reach their user alone, wherever it is, and everybody hears what is said."""
    env = {"APP_SECRET": SECRET} | path(folder)
    with Command("serve", "app:app", "--port=0", "--workers=2", env=env, cwd=folder) as command:
        (url,) = {urls[0] for urls in command.nodes(2).values()}
        async with contextlib.AsyncExitStack() as stack:
            adas = [await stack.enter_async_context(user(url, "ada")) for _ in range(3)]
            _, bob = await stack.enter_async_context(user(url, "bob"))
            async with aiohttp.ClientSession() as http:
                async with http.post(f"{url}/news/ada", json={"title": "Hello"}) as answer:
                    assert answer.status == 204
                async with http.post(f"{url}/news/ada", json={}) as answer:
                    assert answer.status == 422
            for _, heard in adas:
                assert await asyncio.wait_for(heard.get(), 15) == "Hello"
            await adas[0][0].emit("say", "hi")
            assert await asyncio.wait_for(bob.get(), 15) == {"user": "ada", "text": "hi"}
            with pytest.raises(socketio.exceptions.ConnectionError):
                await socketio.AsyncClient().connect(url, auth={"token": "x"})


def test_the_test(folder):
    """The page's tests pass."""
    (folder / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "pytest_asyncio.plugin"]
    env = clean_environment() | path(folder) | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(
        [*command, "test_app.py"], cwd=folder, env=env, timeout=100, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout
