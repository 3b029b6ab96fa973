"""What `serve` takes from a WebSocket, and that nobody keeps it from its end."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import pytest

from tests.cluster.command import Command
from tests.harness import eventually
from tests.http.app import LARGE
from tests.http.test_protocol import UPGRADE, status


@pytest.fixture(params=["on", "off"], ids=["lane", "no-lane"])
def served(request, tmp_path):
    """A worker with the lane or without."""
    diary = tmp_path / "diary"
    options = ("--port=0", "--workers=1", f"--lane={request.param}")
    with Command("serve", "tests.http.app:app", *options, env={"TEST_DIARY": str(diary)}) as command:
        command.url = command.nodes(1)["node-1"][0]
        command.diary = diary
        yield command


@pytest.fixture
async def http():
    async with aiohttp.ClientSession() as session:
        yield session


async def test_a_long_cookie(served, http):
    """A cookie of 12 KB reaches the application with a WebSocket handshake."""
    url = f"{served.url}/socket.io/?EIO=4&transport=websocket"
    async with http.ws_connect(url, headers={"Cookie": "a=" + 12_000 * "x"}) as ws:
        await ws.receive_str()
        await ws.send_str("40")
        await ws.receive_str()
        await ws.send_str('421["cookie"]')
        assert await ws.receive_str() == "431[12002]"


async def test_messages_above_16_mebibytes(served, http):
    """max_http_buffer_size above 16 MiB holds for Socket.IO and for plain clients."""
    text = "x" * (LARGE - 100)
    async with http.ws_connect(f"{served.url}/socket.io/?EIO=4&transport=websocket") as ws:
        await ws.receive_str()
        await ws.send_str("40")
        await ws.receive_str()
        await ws.send_str(f'421["size","{text}"]')
        assert await ws.receive_str() == f"431[{len(text)}]"
    async with http.ws_connect(f"{served.url}/ws") as ws:
        await ws.send_json({"event": "size", "data": text, "ack": 1})
        async for message in ws:
            if "ack" in json.loads(message.data):
                break
        assert json.loads(message.data)["data"] == len(text)


async def test_strangers_do_not_spoil_the_stop(served):
    """The lifespan's shutdown runs though WebSockets with too much in their heads are still there."""
    host, port = served.url.removeprefix("http://").split(":")
    strangers = []
    for more in (b"X: x\r\n" * 130, b"X: " + b"x" * 70_000 + b"\r\n"):
        reader, writer = await asyncio.open_connection(host, int(port))
        strangers.append(writer)
        writer.write(UPGRADE % more)
        assert await status(reader) == 431
    served.process.terminate()
    await eventually(lambda: served.process.poll() is not None, 20)
    assert (served.process.returncode, served.diary.read_text()) == (0, "shutdown")
    assert not [line for line in served.lines if "Traceback" in line]
    for writer in strangers:
        writer.close()
