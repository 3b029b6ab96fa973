"""Connections over TLS that say nothing are closed in time."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
import subprocess

import pytest

from socketio_cluster.cluster import loop
from tests.services.process import program


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    monkeypatch.setattr(loop, "TLS_SECONDS", 0.3)


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    """The TLS of a server."""
    folder = tmp_path_factory.mktemp("tls")
    files = folder / "certificate.pem", folder / "key.pem"
    make = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    out = ["-subj", "/CN=localhost", "-out", files[0], "-keyout", files[1]]
    subprocess.run([program("openssl", package="openssl"), *make, *out], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    return context


class Closing(asyncio.Protocol):
    """A server that closes each connection at once."""

    def connection_made(self, transport):
        transport.close()


def until_the_end(sock):
    """Read until the server has closed the connection. Raises ``TimeoutError`` if it does not."""
    with contextlib.suppress(ConnectionError):
        while sock.recv(65536):
            pass


def say_nothing(address):
    with socket.create_connection(address, timeout=10) as sock:
        until_the_end(sock)


def say_no_goodbye(address):
    """Finish the handshake, and answer nothing to the server's end of TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(address, timeout=10) as sock, context.wrap_socket(sock) as client:
        with socket.socket(fileno=os.dup(client.fileno())) as below:
            below.settimeout(10)
            until_the_end(below)


@pytest.mark.parametrize("client", [say_nothing, say_no_goodbye])
def test_a_client_that_does_not_speak_tls(tls, client):
    """It is disconnected before and after the handshake, without a protocol that would see to it."""

    async def serve():
        server = await asyncio.get_running_loop().create_server(Closing, "127.0.0.1", 0, ssl=tls)
        async with server:
            await asyncio.to_thread(client, server.sockets[0].getsockname())

    with asyncio.Runner(loop_factory=loop.WorkerLoop) as runner:
        runner.run(serve())


def test_a_server_without_tls():
    """It is created as by any event loop."""

    async def serve():
        server = await asyncio.get_running_loop().create_server(Closing, "127.0.0.1", 0)
        async with server:
            await asyncio.to_thread(say_nothing, server.sockets[0].getsockname())

    with asyncio.Runner(loop_factory=loop.WorkerLoop) as runner:
        runner.run(serve())
