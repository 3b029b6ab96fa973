"""The connection of a polling client, which its other greenlets end while one of them reads from it."""

from __future__ import annotations

import http.client
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from socketio_cluster.loadtest.polling import _Line

HALF = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"


@pytest.mark.parametrize("said", [b"", HALF], ids=["nothing", "half an answer"])
def test_ended_while_it_is_read(said):
    """Who waits for the answer gets an error at once, and the connection is closed."""
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as pool:
        server.settimeout(10)
        line = _Line(f"http://127.0.0.1:{server.getsockname()[1]}", 10)
        asked = pool.submit(line.ask, "GET", "/", None, {}, 10)
        other, _ = server.accept()
        with other:
            other.settimeout(10)
            assert other.recv(1000).startswith(b"GET / ")
            other.sendall(said)
            line.close()
            with pytest.raises((OSError, http.client.HTTPException)):
                asked.result(5)
            assert other.recv(1000) == b""
