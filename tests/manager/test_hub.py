"""The hub: who gets in, who is cut off, and what becomes of its socket."""

from __future__ import annotations

import asyncio
import stat
import struct
import tempfile
from pathlib import Path

import msgspec
import pytest

from socketio_cluster.manager.brokers import hub as hub_module
from socketio_cluster.manager.brokers.hub import Hub
from socketio_cluster.manager.brokers.hub_frames import Subscribe, encode
from socketio_cluster.manager.bus.broker import Publication
from socketio_cluster.manager.bus.registry import open_broker
from socketio_cluster.manager.errors import BrokerError, SettingError
from tests.services.hub import HubServer


@pytest.fixture
def path():
    with tempfile.TemporaryDirectory(prefix="hub-") as folder:
        yield Path(folder) / "own" / "bus.sock"


@pytest.fixture
async def hub(path):
    async with Hub(path) as hub:
        yield hub


@pytest.fixture
async def node(hub):
    """A broker that is connected to the hub and reads channel ``c``."""
    broker = await open_broker(f"local://{hub.path}")
    await broker.subscribe(["c"])
    yield broker
    await broker.close()


async def test_the_socket_is_the_owners_alone(hub):
    """The socket and the folder made for it are closed to others."""
    assert stat.S_IMODE(hub.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(hub.path.parent.stat().st_mode) == 0o700


async def test_close_removes_the_socket(path):
    """After close() the path is free, and a second close() is nothing."""
    hub = Hub(path)
    await hub.start()
    await hub.close()
    await hub.close()
    assert not path.exists()


async def test_close_ends_the_brokers(path):
    """close() ends every broker that is connected."""
    async with Hub(path):
        broker = await open_broker(f"local://{path}")
        await broker.subscribe(["c"])
        receiving = asyncio.ensure_future(broker.receive())
    with pytest.raises(BrokerError, match=str(path)):
        await asyncio.wait_for(receiving, 5)


async def test_a_live_socket_is_refused(hub, node):
    """A second hub on the path of a live one is refused, and the first goes on."""
    with pytest.raises(SettingError, match="another hub serves"):
        await Hub(hub.path).start()
    await node.publish([Publication(("c",), b"x")])
    assert (await node.receive())[0].payload == b"x"


async def test_a_dead_hubs_socket_is_replaced(tmp_path):
    """The socket that a killed hub left behind is replaced."""
    with HubServer(tmp_path) as server:
        server.stop()
        assert server.path.exists()
        async with Hub(server.path):
            broker = await open_broker(server.url)
            await broker.subscribe(["c"])
            await broker.close()


async def test_a_file_that_is_no_socket_stays(path):
    """A path with an ordinary file is a SettingError, and the file stays."""
    path.parent.mkdir()
    path.write_text("precious")
    with pytest.raises(SettingError, match=str(path)):
        await Hub(path).start()
    assert path.read_text() == "precious"


async def test_a_path_that_is_too_long(path):
    """A path longer than a socket's may be is a SettingError."""
    with pytest.raises(SettingError, match="too long"):
        await Hub(path.parent / ("x" * 120)).start()


@pytest.mark.parametrize(
    "bad",
    [
        b"\x00\x00\x00\x05hello",
        b"GET / HTTP/1.1\r\n\r\n",
        struct.pack(">I", 256 * 1024 * 1024),
        b"\xff\xff\xff\xff",
        b"\x00\x00\x00\x00",
        encode(Subscribe(1, ["c"]))[:4] + msgspec.msgpack.encode(["s", 1, [b"\xff"]]).ljust(5, b"\0"),
        b"\x00\x00\x00\x07" + b"\x93\xa1s\x01\x91\xa1\xff",
    ],
)
async def test_a_malformed_frame_closes_that_connection_only(hub, node, bad):
    """Whoever does not speak the hub's language is cut off; the nodes notice nothing."""
    reader, writer = await asyncio.open_unix_connection(hub.path)
    writer.write(bad)
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await asyncio.wait_for(reader.readexactly(1), 5)
    writer.close()
    await node.publish([Publication(("c",), b"x")])
    assert (await asyncio.wait_for(node.receive(), 5))[0].payload == b"x"


async def test_a_frame_may_come_in_pieces(hub):
    """A frame that arrives byte by byte, with the next one right behind it, is understood."""
    reader, writer = await asyncio.open_unix_connection(hub.path)
    frames = encode(Subscribe(1, ["c"])) + encode(Subscribe(2, ["d"]))
    for byte in frames[:20]:
        writer.write(bytes([byte]))
        await asyncio.sleep(0)
    writer.write(frames[20:])
    for number in (1, 2):
        head = await asyncio.wait_for(reader.readexactly(4), 5)
        body = await reader.readexactly(int.from_bytes(head, "big"))
        assert msgspec.msgpack.decode(body) == ["d", number]
    writer.close()


async def test_a_slow_subscriber_is_cut_off(hub, node, monkeypatch):
    """A subscriber that stops reading is cut off at the limit; the others get everything."""
    monkeypatch.setattr(hub_module, "WRITE_LIMIT", 2 * 1024 * 1024)
    reader, writer = await asyncio.open_unix_connection(hub.path, limit=1024)
    writer.write(encode(Subscribe(1, ["c"])))
    await reader.readexactly(4)
    got = 0
    for _ in range(40):
        await node.publish([Publication(("c",), bytes(256 * 1024))])
        got += len(await node.receive())
    assert got == 40
    with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
        await asyncio.wait_for(reader.readexactly(40 * 256 * 1024), 5)
    writer.close()


async def test_a_lost_node_leaves_no_channels(hub, node):
    """When a node goes the hub forgets its channels."""
    assert set(hub.channels._members) == {"c"}
    await node.close()
    async with asyncio.timeout(5):
        while hub.channels._members or hub._connected:  # noqa: ASYNC110 - the hub has no event for it
            await asyncio.sleep(0.01)
