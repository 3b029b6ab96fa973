"""A Socket.IO application that FastAPI mounts below a path is found there, on every node."""

from __future__ import annotations

import asyncio
import contextlib

import aiohttp
import pytest
import socketio

from socketio_cluster.cluster.http.mounts import is_below
from tests.cluster.command import Command

MOUNTED = "tests.fastapi.mounted_app:app"
PATHS = {
    "a path": "/ws/socket.io",
    "a path of its own": "/plain",
    "two paths": "/v1/deep/socket.io",
}


@pytest.mark.parametrize(
    ("path", "root", "own", "ours"),
    [
        ("/ws/socket.io/", "/ws", "/socket.io/", True),
        ("/ws/socket.io", "/ws", "/socket.io/", True),
        ("/ws/socket.iox/", "/ws", "/socket.io/", False),
        ("/ws/", "/ws", "/socket.io/", False),
        ("/socket.io/", "/ws", "/socket.io/", False),
        ("/socket.io/", "", "/socket.io/", False),
        ("/ws/socket.io/", "/ws", None, False),
    ],
)
def test_is_below(path, root, own, ours):
    """Only a request whose path goes on behind the root with the application's own path is for it."""
    assert is_below(path, root, own) is ours


@contextlib.asynccontextmanager
async def clients(urls, path, transport):
    """A client of each of these servers, with what it has heard."""
    async with contextlib.AsyncExitStack() as stack:
        made = []
        for url in urls:
            one, heard = socketio.AsyncClient(), asyncio.Queue()
            one.on("said", heard.put)
            await one.connect(url, socketio_path=path, transports=[transport])
            stack.push_async_callback(one.disconnect)
            made.append((one, heard))
        yield made


@pytest.mark.parametrize("transport", ["websocket", "polling"])
@pytest.mark.parametrize("root", ["", "/api"])
async def test_mounted(root, transport):
    """Clients at each mount hear each other on two workers, behind a prefix too; routes work beside it."""
    options = [f"--root-path={root}"] if root else []
    with Command("serve", MOUNTED, "--port=0", "--workers=2", *options) as command:
        (url,) = {urls[0] for urls in command.nodes(2).values()}
        for path in PATHS.values():
            async with clients([url] * 4, path, transport) as four:
                await four[0][0].emit("say", path)
                for _, heard in four:
                    assert await asyncio.wait_for(heard.get(), 15) == path
        async with aiohttp.ClientSession() as http, http.get(f"{url}/hello") as answer:
            assert await answer.json() == "hello"
        async with aiohttp.ClientSession() as http, http.get(f"{url}/ws/other") as answer:
            assert answer.status == 404


@pytest.mark.parametrize("framework", ["starlette", "litestar"])
async def test_frameworks(framework):
    """Starlette and Litestar serve their routes behind Socket.IO on two workers."""
    with Command("serve", f"tests.fastapi.frameworks:{framework}", "--port=0", "--workers=2") as command:
        (url,) = {urls[0] for urls in command.nodes(2).values()}
        async with clients([url] * 4, "socket.io", "websocket") as four:
            await four[0][0].emit("say", framework)
            for _, heard in four:
                assert await asyncio.wait_for(heard.get(), 15) == framework
        async with aiohttp.ClientSession() as http, http.get(f"{url}/hello") as answer:
            assert await answer.text() == "hello"
