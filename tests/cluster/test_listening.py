"""`serve` without a port of its own, and with TLS: all workers, the lane and polls as on a plain port."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
import ssl
import stat
import subprocess
import sys
from contextlib import contextmanager

import aiohttp
import pytest
from websockets.asyncio.client import unix_connect

from socketio_cluster.cluster.lane.frames import TEXT
from tests.cluster.command import Command, run
from tests.cluster.lane_helpers import client_frame
from tests.services.process import program

SERVE = ("serve", "tests.cluster.tried:app", "--workers=2")
HANDED_OVER = """
import os, socket, sys
sock = socket.create_server(("127.0.0.1", 0))
os.dup2(sock.fileno(), 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Starts a program whose standard input is a listening socket, as supervisord does."""
PASSWORD = "a password of the key"
POLL = "http://localhost/socket.io/?EIO=4&transport=polling"


@pytest.fixture(scope="module")
def plain():
    """Two workers that listen on a socket which they were handed over."""
    with Command(*SERVE, "--fd=0", inside=[sys.executable, "-c", HANDED_OVER]) as command:
        yield command.nodes(2)["node-1"][0]


class Secure(Command):
    """Two workers with TLS, and clients that show the same certificate as they do."""

    def __init__(self, folder):
        self.files = certificate, key = folder / "certificate.pem", folder / "key.pem"
        self.renew()
        tls = (f"--ssl-certfile={certificate}", f"--ssl-keyfile={key}", f"--ssl-ca-certs={certificate}")
        more = ("--ssl-cert-reqs=2", "--ssl-ciphers=ECDHE+AESGCM", "--port=0")
        super().__init__(*SERVE, *tls, *more, env={"CLUSTER_SSL_KEYFILE_PASSWORD": PASSWORD})

    def renew(self):
        """Make a new certificate and a new key, which is encrypted."""
        make = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-days", "2"]
        names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
        out = ["-passout", f"pass:{PASSWORD}", "-out", self.files[0], "-keyout", self.files[1]]
        openssl = program("openssl", package="openssl")
        subprocess.run([openssl, *make, *names, *out], check=True, capture_output=True)

    def client(self, *, known=True):
        """The TLS of a client, with a certificate or without."""
        context = ssl.create_default_context(cafile=self.files[0])
        if known:
            context.load_cert_chain(*self.files, PASSWORD)
        return context


@pytest.fixture(scope="module")
def secure(tmp_path_factory):
    """Two workers with TLS."""
    with Secure(tmp_path_factory.mktemp("tls")) as command:
        command.url = command.nodes(2)["node-1"][0]
        yield command


async def conversation(url, tls=None):
    """What a WebSocket client gets, with names in the place of what is random: bytes of every kind."""
    host, port = url.split("//")[1].split(":")
    reader, writer = await asyncio.open_connection(host, int(port), ssl=tls)
    request = (
        "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    writer.write(request.encode())
    try:
        got = await _said(reader, writer)
    finally:
        writer.close()
    got[0] = re.sub(rb"date: [^\r]*", b"date: now", got[0])
    wire = b"|".join(got)
    for count, sid in enumerate((got[1], got[2])):
        wire = wire.replace(sid.split(b'"sid":"')[1].split(b'"')[0], b"sid-%d" % count)
    return wire


async def _said(reader, writer):
    got = [await reader.readuntil(b"\r\n\r\n")]
    texts = ["40", '421["echo","text"]', '422["echo","%s"]' % ("x" * 70_000), "41"]
    async with asyncio.timeout(30):
        for text in texts:
            got.append(await frame(reader))
            writer.write(client_frame(TEXT, text.encode()))
        writer.write(client_frame(8, b"\x03\xe8"))
        got.append(await reader.read())
    return got


async def frame(reader):
    """The next frame of a server, as it is."""
    head = await reader.readexactly(2)
    size = head[1]
    if size >= 126:
        more = await reader.readexactly(2 if size == 126 else 8)
        head, size = head + more, int.from_bytes(more, "big")
    return head + await reader.readexactly(size)


async def test_lane_serves_clients_over_tls(plain, secure):
    """A wss:// client has a lane, and gets the same bytes as a client without TLS."""
    ours, theirs = await conversation(plain), await conversation(secure.url, secure.client())
    assert b'431["text","LaneQueue"]' in theirs
    assert theirs == ours


async def polls(http, url):
    """Open a session by polling, each request on a connection of its own, and use it."""
    async with http.get(url) as opened:
        url += "&sid=" + json.loads((await opened.text())[1:])["sid"]
    for text in ("40", '421["echo","text"]'):
        async with http.post(url, data=text) as posted:
            assert posted.status == 200
        async with http.get(url) as polled:
            last = await polled.text()
    assert last.startswith('431["text"')


async def test_polls_over_tls_reach_their_session(secure):
    """Requests of one session reach it, whichever of two workers gets them."""
    connector = aiohttp.TCPConnector(ssl=secure.client(), force_close=True)
    async with aiohttp.ClientSession(connector=connector) as http:
        for _ in range(4):
            await polls(http, POLL.replace("http://localhost", secure.url))
        async with http.get(secure.url) as page:
            known = await page.json(content_type=None)
    assert (known["scheme"], known["CLUSTER_SSL_KEYFILE_PASSWORD"]) == ("https", None)


async def test_client_without_a_certificate_is_refused(secure):
    """With --ssl-cert-reqs=2 a client must have one that the authorities have signed."""
    with pytest.raises((ssl.SSLError, ConnectionError, asyncio.IncompleteReadError)):
        await conversation(secure.url, secure.client(known=False))


async def test_renewed_certificate_is_served_after_a_reload(secure):
    """SIGHUP starts workers that read the files anew."""
    before = secure.client()
    secure.renew()
    secure.process.send_signal(signal.SIGHUP)
    await asyncio.to_thread(secure.wait_for, "all workers are replaced")
    assert b"LaneQueue" in await conversation(secure.url, secure.client())
    with pytest.raises(ssl.SSLCertVerificationError):
        await conversation(secure.url, before)


async def test_handed_over_socket_is_shared_by_the_workers(plain):
    """With --fd all workers serve the socket that the command was started with."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as http:
        await both_answer(http, plain)


async def both_answer(http, url):
    """Return when both workers have answered. Many clients ask at once, again and again.

    Whoever is awake takes connections, so on a busy machine one worker may take hundreds.
    """

    async def ask():
        async with http.get(url) as page:
            return (await page.json(content_type=None))["pid"]

    pids = set()
    async with asyncio.timeout(30):
        while len(pids) < 2:
            pids.update(await asyncio.gather(*(ask() for _ in range(20))))
    assert len(pids) == 2


@contextmanager
def stale(path):
    """The file of a Unix socket that nobody serves any more."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(path))
    yield


async def test_unix_socket(tmp_path):
    """All workers share it, in the place of a stale one; others are refused; it is removed at the end.

    The messages of a client that offers compression are compressed.
    """
    path = tmp_path / "app.sock"
    with stale(path), Command(*SERVE, f"--uds={path}", "--ws-per-message-deflate=on") as command:
        assert command.nodes(2)["node-2"] == [f"unix:{path}"]
        assert stat.S_IMODE(path.stat().st_mode) == 0o666
        async with aiohttp.ClientSession(
            connector=aiohttp.UnixConnector(str(path), force_close=True)
        ) as http:
            await both_answer(http, "http://localhost/")
            for _ in range(4):
                await polls(http, POLL)
        url = "ws://localhost/socket.io/?EIO=4&transport=websocket"
        async with unix_connect(str(path), url) as client:
            assert [type(one).__name__ for one in client.protocol.extensions] == ["PerMessageDeflate"]
            await client.recv()
            for text in ("40", '421["echo","text"]'):
                await client.send(text)
                last = await client.recv()
            assert last.startswith('431["text"')
            assert "LaneQueue" not in last
        refused = await asyncio.to_thread(run, *SERVE, f"--uds={path}")
        who = f"process {command.process.pid} (" if sys.platform == "linux" else "another program"
        assert (refused.returncode, f"{path} is taken by {who}" in refused.stderr) == (2, True)
    assert command.process.returncode == 0
    assert not [line for line in command.lines if "HTTP/1.1" in line or "accepted" in line]  # no access log
    assert not path.exists()
