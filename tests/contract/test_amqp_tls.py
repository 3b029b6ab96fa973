"""An AMQP broker over TLS, which checks the certificate of the server."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import subprocess

import pytest

from socketio_cluster.manager.bus.registry import open_broker
from socketio_cluster.manager.errors import BrokerError
from tests.contract.payloads import payloads, publish
from tests.services.process import program


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for localhost that vouches for itself, with its key."""
    folder = tmp_path_factory.mktemp("tls")
    files = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        [program("openssl", package="openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
        + ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
        + ["-out", files[0], "-keyout", files[1]],
        check=True,
        capture_output=True,
    )
    return files


@pytest.fixture
async def tls_port(rabbitmq_server, certificate):
    """A port that speaks TLS and passes everything on to RabbitMQ."""

    async def copy(reader, writer):
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()

    async def serve(reader, writer):
        upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", rabbitmq_server.port)
        await asyncio.gather(copy(reader, upstream_writer), copy(upstream_reader, writer))

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1]


async def test_amqps(tls_port, certificate, channels):
    """Over TLS, with a private authority's certificate, messages of all sizes arrive in order."""
    broker = await open_broker(f"amqps://guest:guest@localhost:{tls_port}//?ssl_ca_certs={certificate[0]}")
    sent = [b"x" * (number * 997) for number in range(300)]
    try:
        await broker.subscribe([channels.everyone])
        receiving = asyncio.ensure_future(payloads(broker, 300))
        await publish(broker, *[(channels.everyone, payload) for payload in sent])
        assert await receiving == sent
    finally:
        await broker.close()


async def test_amqps_checks_the_certificate(tls_port, certificate):
    """An unknown authority is refused, and so is a certificate for another name."""
    with pytest.raises(BrokerError, match="certificate verify failed"):
        await open_broker(f"amqps://guest:guest@localhost:{tls_port}//")
    with pytest.raises(BrokerError, match="certificate verify failed"):
        await open_broker(f"amqps://guest:guest@127.0.0.1:{tls_port}//?ssl_ca_certs={certificate[0]}")
