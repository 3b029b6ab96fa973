"""A client's connection joined to another one: everything passes, nothing piles up, ends are passed on."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct

import pytest

from socketio_cluster.cluster.forward import relay
from socketio_cluster.cluster.forward.line import NodeLine
from socketio_cluster.cluster.forward.messages import ask_of, decode
from socketio_cluster.cluster.forward.relay import join
from tests.harness import eventually

SCOPE = {"type": "websocket", "path": "/socket.io/", "query_string": b"sid=x", "headers": []}


class Ends:
    """Both far ends of a relay; the asking frame has been read from the node's."""

    def __init__(self, client, node, connections) -> None:
        self.client_reader, self.client_writer = client
        self.node_reader, self.node_writer = node
        self.connections = connections


async def connection(stack):
    """A TCP connection: this side's transport, and the reader and writer of the other side."""
    accepted = asyncio.get_running_loop().create_future()

    async def accept(reader, writer):
        accepted.set_result((reader, writer))

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    stack.callback(server.close)
    address = server.sockets[0].getsockname()
    transport, _ = await asyncio.get_running_loop().create_connection(NodeLine, *address)
    reader, writer = await accepted
    stack.callback(writer.close)
    return transport, (reader, writer)


@pytest.fixture
def upgraded(monkeypatch):
    """Relays have no time for an upgrade: it is done."""
    monkeypatch.setattr(relay, "UPGRADE_SECONDS", 0)


@pytest.fixture
async def ends():
    async with contextlib.AsyncExitStack() as stack:
        client, client_end = await connection(stack)
        node, node_end = await connection(stack)
        connections = set()
        join(client, node, ask_of(SCOPE), connections)
        size = int.from_bytes(await node_end[0].readexactly(4), "big")
        assert decode(await node_end[0].readexactly(size)).websocket
        yield Ends(client_end, node_end, connections)


async def test_five_megabytes_pass_in_order_both_ways(ends):
    """5 MB go each way at the same time and arrive as they were sent."""
    there, back = os.urandom(5_000_000), os.urandom(5_000_000)

    async def send(writer, data):
        for at in range(0, len(data), 70_001):
            writer.write(data[at : at + 70_001])
            await writer.drain()

    got_there, got_back, *_ = await asyncio.gather(
        ends.node_reader.readexactly(len(there)),
        ends.client_reader.readexactly(len(back)),
        send(ends.client_writer, there),
        send(ends.node_writer, back),
    )
    assert (got_there, got_back) == (there, back)


@pytest.mark.parametrize("slow", ["client", "node"])
async def test_slow_side_holds_up_the_other(ends, slow):
    """What a side does not read stops the other side's sending; when it reads on, all of it comes."""
    source = ends.node_writer if slow == "client" else ends.client_writer
    sink = ends.client_reader if slow == "client" else ends.node_reader
    total = 64 * 1024 * 1024

    async def send():
        for _ in range(total // 65536):
            source.write(b"x" * 65536)
            await source.drain()

    sending = asyncio.create_task(send())
    with pytest.raises(TimeoutError):
        # The kernel's buffers take some megabytes on loopback, the relay 64 KiB.
        await asyncio.wait_for(asyncio.shield(sending), 1)
    got = 0
    while got < total:
        got += len(await asyncio.wait_for(sink.read(1 << 20), 5))
    await sending


@pytest.mark.parametrize("first", ["client", "node"])
async def test_half_close_is_passed_on(ends, first):
    """After one side's end the other can still send; when it ends too, nothing is left."""
    one = (ends.client_reader, ends.client_writer)
    two = (ends.node_reader, ends.node_writer)
    (reader, writer), (other_reader, other_writer) = (one, two) if first == "client" else (two, one)
    writer.write(b"last words")
    writer.write_eof()
    assert await asyncio.wait_for(other_reader.read(), 5) == b"last words"
    other_writer.write(b"answer")
    other_writer.write_eof()
    assert await asyncio.wait_for(reader.read(), 5) == b"answer"
    await eventually(lambda: not ends.connections)


@pytest.mark.parametrize("first", ["client", "node"])
async def test_reset_is_passed_on(ends, first):
    """When one side resets the connection, the other one's breaks too."""
    ways = {"client": (ends.client_writer, ends.node_reader), "node": (ends.node_writer, ends.client_reader)}
    writer, reader = ways[first]
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
    with contextlib.suppress(ConnectionResetError):
        assert await asyncio.wait_for(reader.read(), 5) == b""
    await eventually(lambda: not ends.connections)


async def test_shutdown_waits_for_the_upgrade(ends):
    """What a client sends within the seconds of its upgrade passes, although uvicorn has shut down before."""
    for half in list(ends.connections):
        half.shutdown()
    ends.client_writer.write(b"upgrade")
    assert await asyncio.wait_for(ends.node_reader.read(), 5) == b"upgrade"
    ends.node_writer.close()
    await eventually(lambda: not ends.connections)


@pytest.mark.usefixtures("upgraded")
async def test_shutdown_lets_the_node_say_goodbye(ends):
    """The shutdown of uvicorn ends both connections, after what the other node still has for the client."""
    for half in list(ends.connections):
        half.shutdown()
    ends.client_writer.write(b"too late")
    assert await asyncio.wait_for(ends.node_reader.read(), 5) == b""
    ends.node_writer.write(b"goodbye")
    ends.node_writer.close()
    assert await asyncio.wait_for(ends.client_reader.read(), 5) == b"goodbye"
    await eventually(lambda: not ends.connections)


@pytest.mark.usefixtures("upgraded")
async def test_shutdown_does_not_wait_for_a_node_that_hangs(ends):
    """A node that does not end its side within 3 seconds is left."""
    for half in list(ends.connections):
        half.shutdown()
    assert await asyncio.wait_for(ends.client_reader.read(), 5) == b""
    await eventually(lambda: not ends.connections)
