"""A relay for servers that give WebSockets as messages of ASGI, and not as bytes.

To the other node this node is a client, which sends each message on in a frame of its own.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final, cast

from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from socketio_cluster.cluster.forward.line import NodeLine, framed
from socketio_cluster.cluster.forward.messages import Headers, ask_of, encode

READ: Final = 65536
"""Bytes that are read from the other node at a time."""
_DATA: Final = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)


class MessageRelay:
    """One WebSocket of a client, and a line to the node of its session.

    Args:
        line: a line on which nothing was asked. It is this relay's own.
        scope: the request of the client, with its ``receive`` and ``send``.
    """

    def __init__(self, line: NodeLine, scope: Any, receive: Any, send: Any) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        offered = [Subprotocol(name) for name in scope.get("subprotocols", ())] or None
        # The other node may send messages of any size.
        self._frames = ClientProtocol(parse_uri("ws://node/"), subprotocols=offered, max_size=None)
        self._early: list[Frame] = []
        self._parts: list[Frame] = []
        self._ended = False
        self._reader, self._writer = _streams(line)

    async def open(self) -> bool:
        """Ask the node to serve the client; return whether it does."""
        handshake = self._frames.connect()
        self._frames.send_request(handshake)
        self._frames.data_to_send()  # The node gets what is in it with the ask.
        own = [(name.lower().encode(), value.encode()) for name, value in handshake.headers.raw_items()]
        scope = {**self._scope, "headers": _replaced(self._scope["headers"], own)}
        self._writer.write(framed(encode(ask_of(scope))))
        while self._frames.state is State.CONNECTING and self._frames.handshake_exc is None:
            self._early += await self._read()
        return self._frames.state is State.OPEN

    async def run(self) -> None:
        """Copy messages until one of the two sides ends."""
        await self._receive()  # websocket.connect
        await self._send({"type": "websocket.accept", "subprotocol": self._frames.subprotocol})
        both = asyncio.create_task(self._copy_up()), asyncio.create_task(self._copy_down())
        try:
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in both:
                task.cancel()
            await asyncio.gather(*both, return_exceptions=True)
            self.close()

    def close(self) -> None:
        """Close the line."""
        self._writer.close()

    async def _copy_up(self) -> None:
        while (message := await self._receive())["type"] == "websocket.receive":
            if message.get("bytes") is not None:
                self._frames.send_binary(message["bytes"])
            else:
                self._frames.send_text(message["text"].encode())
            await self._flush()

    async def _copy_down(self) -> None:
        frames = self._early
        while True:
            for frame in frames:
                await self._pass_down(frame)
            if self._ended or self._frames.state is not State.OPEN:
                break
            frames = await self._read()
        await self._send({"type": "websocket.close"})

    async def _pass_down(self, frame: Frame) -> None:
        """Send a message to the client when its last frame has come."""
        if frame.opcode not in _DATA:
            return
        self._parts.append(frame)
        if not frame.fin:
            return
        data = b"".join(bytes(part.data) for part in self._parts)
        text = self._parts[0].opcode is Opcode.TEXT
        self._parts.clear()
        content = {"text": data.decode()} if text else {"bytes": data}
        await self._send({"type": "websocket.send", **content})

    async def _read(self) -> list[Frame]:
        data = await self._reader.read(READ)
        self._ended = not data
        if data:
            self._frames.receive_data(data)
        else:
            self._frames.receive_eof()
        events = self._frames.events_received()
        await self._flush()  # such as the answer to a ping
        return [event for event in events if isinstance(event, Frame)]

    async def _flush(self) -> None:
        self._writer.write(b"".join(self._frames.data_to_send()))
        await self._writer.drain()


def _replaced(headers: Headers, own: Headers) -> Headers:
    """Return the client's headers with another handshake, as this node understands no extensions."""
    kept = [
        (name, value)
        for name, value in headers
        if name not in (b"connection", b"upgrade") and not name.startswith(b"sec-websocket-")
    ]
    return kept + [pair for pair in own if pair[0] != b"host"]


def _streams(line: NodeLine) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Read and write the bytes of a line, no longer its frames."""
    loop, reader = asyncio.get_running_loop(), asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    line.transport.set_protocol(cast("asyncio.BaseProtocol", protocol))
    protocol.connection_made(line.transport)
    return reader, asyncio.StreamWriter(line.transport, protocol, reader, loop)
