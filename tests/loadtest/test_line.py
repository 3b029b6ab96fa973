"""The connection of a polling client, which its other greenlets end while one of them reads from it."""

from __future__ import annotations

import http.client
import socket
import threading
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


def test_ended_while_it_connects(monkeypatch):
    """Who makes the connection gets an error, and it is closed before anything is asked by it."""
    connecting, go_on, connect = threading.Event(), threading.Event(), socket.create_connection

    def slowly(*how, **more):
        connecting.set()
        assert go_on.wait(10)
        return connect(*how, **more)

    monkeypatch.setattr(socket, "create_connection", slowly)
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as pool:
        server.settimeout(10)
        line = _Line(f"http://127.0.0.1:{server.getsockname()[1]}", 10)
        asked = pool.submit(line.ask, "GET", "/", None, {}, 10)
        assert connecting.wait(10)
        line.close()
        go_on.set()
        other, _ = server.accept()
        with other:
            other.settimeout(10)
            assert other.recv(1000) == b""
            with pytest.raises(ConnectionAbortedError):
                asked.result(5)
