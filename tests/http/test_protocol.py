"""No HTTP connection holds more than a few requests, or waits for its client for ever."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from functools import partial

import pytest
import uvicorn

from socketio_cluster.cluster.http import protocol as http_protocol
from socketio_cluster.cluster.http.front import FrontProtocol
from socketio_cluster.cluster.http.lane_protocol import LaneProtocol
from socketio_cluster.cluster.http.newcomers import Newcomers
from socketio_cluster.cluster.http.protocol import BODY, HEAD, PIPELINED, HttpProtocol, HttpStats
from socketio_cluster.cluster.http.websocket import RelayProtocol
from tests.harness import Server, eventually

GET = b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n"
SOON = 0.2


class App:
    """Answers requests with their path and body, once it may; opens WebSockets."""

    def __init__(self):
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.asked = []
        self.gone = 0

    async def __call__(self, scope, receive, send):
        await self.may_answer.wait()
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            self.asked.append(dict(scope["headers"]))
            await receive()
            return
        body = b""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.gone += 1
                return
            body += message["body"]
            if not message["more_body"]:
                break
        self.asked.append(scope["path"])
        answer = scope["path"].encode() + b" " + str(len(body)).encode()
        headers = [(b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})


class Served:
    """A uvicorn server with our protocols."""

    def __init__(self, ws):
        self.app = App()
        self.stats = HttpStats()
        self.sock = socket.create_server(("127.0.0.1", 0))
        config = uvicorn.Config(
            self.app,
            http=partial(FrontProtocol, Newcomers(self.stats))
            if ws is LaneProtocol
            else partial(HttpProtocol, self.stats),
            ws=ws,
            lifespan="off",
            log_level="critical",
        )
        self.server = Server(config)

    @contextlib.asynccontextmanager
    async def connection(self):
        reader, writer = await asyncio.open_connection(*self.sock.getsockname())
        try:
            yield reader, writer
        finally:
            writer.close()

    @property
    def connections(self):
        return self.server.server_state.connections


@contextlib.asynccontextmanager
async def serve(ws=LaneProtocol):
    """It ends within seconds, whatever its connections are in the middle of."""
    served = Served(ws)
    serving = asyncio.create_task(served.server.serve(sockets=[served.sock]))
    try:
        await eventually(lambda: served.server.started)
        yield served
    finally:
        served.app.may_answer.set()
        served.server.should_exit = True
        await asyncio.wait_for(serving, 10)


@pytest.fixture
def soon(monkeypatch):
    """Deadlines of a fifth of a second."""
    monkeypatch.setattr(http_protocol, "HEAD_SECONDS", SOON)
    monkeypatch.setattr(http_protocol, "BODY_SECONDS", SOON)


async def status(reader):
    return int((await asyncio.wait_for(reader.readline(), 5)).split()[1])


async def test_pipelined_requests_are_answered_in_order():
    """Requests that come together, as many as may wait, are all answered on a connection that stays open."""
    async with serve() as served, served.connection() as (reader, writer):
        for _ in range(2):
            served.app.asked.clear()
            writer.write(b"".join(GET % number for number in range(PIPELINED + 1)))
            for number in range(PIPELINED + 1):
                assert await status(reader) == 200
                await reader.readuntil(b"\r\n\r\n")
                assert await reader.readexactly(len(b"/%d 0" % number)) == b"/%d 0" % number
            assert served.app.asked == [f"/{number}" for number in range(PIPELINED + 1)]
        assert served.stats.cut_off == 0


async def test_too_many_pipelined_requests():
    """Of more requests than may wait the first are answered, and with the rest the connection ends."""
    async with serve() as served, served.connection() as (reader, writer):
        served.app.may_answer.clear()
        writer.write(b"".join(GET % number for number in range(100_000)))
        await eventually(lambda: served.stats.cut_off == 1)
        (connection,) = served.connections
        assert len(connection.pipeline) == PIPELINED
        served.app.may_answer.set()
        with contextlib.suppress(ConnectionResetError):
            answers = await asyncio.wait_for(reader.read(), 5)
            assert answers.count(b"HTTP/1.1 200 OK") == PIPELINED + 1
        await eventually(lambda: not served.connections)
        assert len(served.app.asked) == PIPELINED + 1


async def test_a_handshake_behind_an_unanswered_request():
    """A WebSocket that is asked for before an answer has come is not opened: the connection ends."""
    upgrade = b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    async with serve() as served, served.connection() as (reader, writer):
        served.app.may_answer.clear()
        writer.write(GET % 1 + upgrade * 1000)
        await eventually(lambda: served.stats.cut_off == 1)
        served.app.may_answer.set()
        with contextlib.suppress(ConnectionResetError):
            assert (await asyncio.wait_for(reader.read(), 5)).count(b"HTTP/1.1") == 1
        assert served.app.asked == ["/1"]


@pytest.mark.parametrize("beginning", [b"", b"GET / HTTP/1.1\r\n", GET % 1 + b"GET"])
async def test_deadline_of_a_head(soon, beginning):
    """A connection without a whole request ends in time, with 408 if there was a beginning; it is counted."""
    async with serve() as served, served.connection() as (reader, writer):
        writer.write(beginning)
        said = await asyncio.wait_for(reader.read(), 5)
        assert said.endswith(
            b"HTTP/1.1 408 Request Timeout" if beginning else b"", 0, said.rfind(b"\r\ncontent-l")
        )
        assert served.stats.timeouts == {HEAD: 1}


async def test_silent_connections_end_in_their_order(soon):
    """Connections that say nothing each have their own time; one that ended before is not counted."""
    async with serve() as served, served.connection() as (first, _):
        await eventually(lambda: served.server.server_state.connections)
        async with served.connection() as (_, gone):
            await eventually(lambda: len(served.server.server_state.connections) == 2)
            gone.close()
            await eventually(lambda: len(served.server.server_state.connections) == 1)
        await asyncio.sleep(SOON / 2)
        async with served.connection() as (second, writer):
            assert await asyncio.wait_for(first.read(), 5) == b""
            assert not second.at_eof()
            writer.write(GET % 1)
            assert await status(second) == 200
        assert served.stats.timeouts == {HEAD: 1}
        async with served.connection() as (third, _):
            assert await asyncio.wait_for(third.read(), 5) == b""
        assert served.stats.timeouts == {HEAD: 2}


async def test_drops_do_not_prolong_a_head(soon):
    """A head that comes letter by letter has no more time than another."""
    async with serve() as served, served.connection() as (_, writer):
        with contextlib.suppress(ConnectionError):
            for letter in b"GET / HTTP/1.1\r\nX: " + b"x" * 1000:
                writer.write(bytes([letter]))
                await asyncio.sleep(0.01)
                if served.stats.timeouts:
                    break
        assert served.stats.timeouts == {HEAD: 1}


async def test_deadline_of_a_body(soon):
    """A body that stops coming ends the connection, and the application hears that its client has gone."""
    async with serve() as served, served.connection() as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n123")
        assert await status(reader) == 408
        await eventually(lambda: served.app.gone == 1)
        assert served.stats.timeouts == {BODY: 1}


async def test_what_comes_has_its_time(soon):
    """A body that comes fast enough is read to its end, and between requests the keep-alive time counts."""
    async with serve() as served, served.connection() as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(10):
            writer.write(b"x" * 100)
            await asyncio.sleep(SOON / 5)
        assert await status(reader) == 200
        await asyncio.sleep(2 * SOON)
        writer.write(GET % 2)
        await reader.readuntil(b"/ 1000")
        assert await status(reader) == 200
        assert not served.stats.timeouts


async def test_an_application_may_take_its_time(soon):
    """A body that the application does not read yet is not the client's fault."""
    async with serve() as served, served.connection() as (reader, writer):
        served.app.may_answer.clear()
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8000000\r\n\r\n" + b"x" * 8_000_000)
        await asyncio.sleep(3 * SOON)
        served.app.may_answer.set()
        assert await status(reader) == 200


async def test_a_head_without_an_end():
    """A head that grows beyond 64 KiB is answered with 431."""
    async with serve() as served, served.connection() as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\n")
        answer = asyncio.create_task(status(reader))
        for _ in range(10):  # what comes together with the beginning is not counted
            writer.write((b"X: " + b"x" * 1000 + b"\r\n") * 10)
            await asyncio.wait({answer}, timeout=0.05)
            if answer.done():
                break
        assert await answer == 431
        await eventually(lambda: not served.connections)


UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n"
)


@pytest.mark.parametrize("more", [b"X: x\r\n" * 130, b"X: " + b"x" * 70_000 + b"\r\n"], ids=["many", "long"])
@pytest.mark.parametrize("ws", [LaneProtocol, RelayProtocol])
async def test_a_handshake_with_too_much_in_it(ws, more):
    """A WebSocket with too many headers, or too long a one, gets 431, and the server stops as ever."""
    async with serve(ws) as served, served.connection() as (reader, writer):
        writer.write(UPGRADE % more)
        assert await status(reader) == 431
        await asyncio.wait_for(reader.read(), 5)
        await eventually(lambda: not served.connections)


@pytest.mark.parametrize("ws", [LaneProtocol, RelayProtocol])
@pytest.mark.parametrize("behind", [b"\x00\x00", b"\xff" * 100, b"\x81\x80mask" * 10])
async def test_bytes_before_the_answer(ws, behind):
    """Whatever a client says before its handshake is answered, the server stops as ever."""
    async with serve(ws) as served, served.connection() as (_, writer):
        served.app.may_answer.clear()
        writer.write(UPGRADE % b"")
        await eventually(lambda: served.server.server_state.tasks)
        writer.write(behind)
        await asyncio.sleep(0.05)
        assert len(served.connections) <= 1
