"""POSTs of polling clients, which are checked and then handled in parts.

python-engineio takes at most 16 packets in a POST. If there are more it takes none of them and still answers
ok, so that nobody knows. The official client sends as many packets as the size of a message allows.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterator
from functools import partial
from typing import Any, Final
from urllib.parse import parse_qs

from engineio.exceptions import ContentTooLongError

from socketio_cluster.manager.host.server import Host
from socketio_cluster.manager.host.session import hang_up
from socketio_cluster.manager.host.slot import replace

logger = logging.getLogger("socketio_cluster.manager")

AT_ONCE: Final = 16
"""The most packets that python-engineio takes in one POST, and that one turn of the event loop handles."""


def check_posts(host: Host, socket: Any, handle: Any) -> None:
    """Let ``handle(socket, environ)`` handle the POSTs of a session.

    Does nothing if a layer handles all requests of the server.
    """
    if not host.engine_request.layers:
        replace(socket, "handle_post_request", partial(handle, socket))


def length_of(socket: Any, environ: dict[str, Any]) -> int:
    """Return the length of a body.

    Raises ``ContentTooLongError``, for which python-engineio has an answer.
    """
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if length > socket.server.max_http_buffer_size:
        raise ContentTooLongError
    return length


def parts_of(packets: list[str]) -> Iterator[list[str]]:
    """Yield the packets of a POST, ``AT_ONCE`` at a time."""
    for start in range(0, len(packets), AT_ONCE):
        yield packets[start : start + AT_ONCE]


def with_body(environ: dict[str, Any], packets: list[str], file: Any) -> dict[str, Any]:
    """Return the environ of a POST that holds only these packets.

    ``file`` makes an object from the bytes of the body, from which the body is read.
    """
    body = SEPARATOR.join(packets).encode()
    return {**environ, "CONTENT_LENGTH": str(len(body)), "wsgi.input": file(body)}


async def take(socket: Any, environ: dict[str, Any], packets: list[str]) -> None:
    """Handle a part of a POST, then give other tasks a turn."""
    # This is the method of the class, in which the admin UI counts.
    await type(socket).handle_post_request(socket, with_body(environ, packets, _Body))
    await asyncio.sleep(0)


async def handle_post(socket: Any, environ: dict[str, Any]) -> None:
    """Handle a POST. A client that breaks the protocol is disconnected."""
    body = await environ["wsgi.input"].read(length_of(socket, environ))
    try:
        for part in parts_of(packets_of(body)):
            if socket.closed:
                break
            await take(socket, environ, part)
    except (ValueError, RecursionError) as error:  # The body is malformed, or its JSON is nested too deep.
        logger.warning("client %s broke the protocol: %s", socket.sid, error)
        await hang_up(socket, socket.server.reason.TRANSPORT_ERROR)


class _Body:
    """A body that has already arrived, with the method by which python-engineio's asyncio server reads it."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    async def read(self, length: int) -> bytes:
        """Return the whole body."""
        return self._body


SEPARATOR: Final = "\x1e"
CLOSE: Final = "1"
MOST_PACKETS: Final = 10_000
"""The most packets of one POST. An official client never has so many, and they take less than a second."""
_TAKEN: Final = frozenset("134b")
_WITHOUT_EFFECT: Final = frozenset("056")
"""OPEN, UPGRADE and NOOP, which engine.io ignores."""
_FORM: Final = "d="
"""The beginning of a JSONP body. No packet begins like this."""
_NEWLINES: Final = re.compile(r"(\\)?\\n")


class Malformed(ValueError):
    """A body or a message that breaks the protocol.

    It holds something that is no packet, too many packets, or a PING, which only servers send in this version
    of the protocol.
    """


def counts(packet: str) -> bool:
    """Whether a packet has an effect and must be handled.

    Raises ``Malformed`` for one that no client sends.
    """
    kind = packet[:1]
    if kind in _TAKEN:
        return True
    if kind not in _WITHOUT_EFFECT:
        raise Malformed(f"a packet of type {kind!r}")
    return False


def packets_of(body: bytes) -> list[str]:
    """Return the packets of a POST that must be handled. Packets behind a CLOSE are dropped.

    Raises ``Malformed``.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError as exc:
        raise Malformed("text that is not UTF-8") from exc
    if text.startswith(_FORM):
        text = _of_form(text)
    if text.count(SEPARATOR) >= MOST_PACKETS:
        raise Malformed(f"more than {MOST_PACKETS} packets")
    packets = [packet for packet in text.split(SEPARATOR) if counts(packet)]
    end = next((at for at, packet in enumerate(packets, 1) if packet[0] == CLOSE), None)
    return packets[:end]


def _of_form(text: str) -> str:
    """Return the packets' text from a JSONP form.

    The client of JSONP doubles the backslash of each newline (see engine.io, JSONP).
    """
    try:
        (value,) = parse_qs(text, max_num_fields=1)["d"]
    except (ValueError, KeyError) as exc:
        raise Malformed("a form without its one field") from exc
    return _NEWLINES.sub(lambda found: found[0] if found[1] else "\n", value).replace("\\\\n", "\\n")
