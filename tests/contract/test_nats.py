"""What only NATS can show: credentials, TLS, permissions, and servers that end a connection."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import socket
import struct
from base64 import b32encode, urlsafe_b64encode
from hashlib import sha256

import nkeys
import pytest

from socketio_cluster.manager.bus.broker import Publication
from socketio_cluster.manager.errors import BrokerError, PublishRefused, SettingError
from tests.contract.conftest import collect
from tests.contract.test_redis import certificate
from tests.services.nats import NatsServer
from tests.services.process import free_port

__all__ = ["certificate"]  # a fixture

USER = 'authorization {{ users: [{{ user: "app", password: "p@ss/word", permissions: {} }}] }}'


def at(server, login="", scheme="nats", query=""):
    return f"{scheme}://{login}127.0.0.1:{server.port}{query}"


async def works(connected, url, channels):
    """Whether a broker at this URL hears itself."""
    broker = await connected(url)
    await broker.subscribe([channels.everyone])
    await broker.publish([Publication((channels.everyone,), b"x")])
    return [delivery.payload for delivery in await collect(broker, 1)] == [b"x"]


def new_key(kind):
    return nkeys.from_seed(nkeys.encode_seed(secrets.token_bytes(32), kind))


def signed(issuer, subject, name, claims):
    """A JWT of NATS about a key."""

    def part(thing):
        return urlsafe_b64encode(thing).rstrip(b"=")

    body = {"iss": issuer.public_key.decode(), "sub": subject.public_key.decode(), "name": name, "iat": 1}
    body["jti"] = b32encode(sha256(json.dumps(body).encode()).digest()).decode().rstrip("=")
    body["nats"] = {"version": 2, **claims}
    head = {"typ": "JWT", "alg": "ed25519-nkey"}
    text = part(json.dumps(head).encode()) + b"." + part(json.dumps(body).encode())
    return (text + b"." + part(issuer.sign(text))).decode()


async def test_nobody_listening(connected):
    """Servers that refuse the connection are a BrokerError that names each of them."""
    ports = free_port(), free_port()
    with pytest.raises(BrokerError) as caught:
        await connected("nats://127.0.0.1:{},127.0.0.1:{}".format(*ports))
    for port in ports:
        assert f"NATS at 127.0.0.1:{port} cannot be reached" in str(caught.value)


async def test_no_name_of_a_host(connected):
    """A host that cannot be looked up, as with two dots, is a BrokerError as one that is not there."""
    with pytest.raises(BrokerError, match=r"NATS at 127\.0\.0\.\.1:4222 cannot be reached"):
        await connected("nats://127.0.0..1")


async def test_one_of_several_servers(tmp_path, connected, channels):
    """A server that is not there does not keep a node from the other one."""
    with NatsServer(tmp_path) as server:
        for _ in range(5):
            assert await works(connected, f"nats://127.0.0.1:{free_port()},127.0.0.1:{server.port}", channels)


async def test_a_password(tmp_path, connected, channels):
    """A password with %-escapes logs in; a wrong one is a BrokerError that does not name it."""
    with NatsServer(tmp_path, USER.format('{ publish: ">", subscribe: ">" }')) as server:
        assert await works(connected, at(server, "app:p%40ss%2Fword@"), channels)
        for login in ("app:wrong-secret@", "wrong-secret@", ""):
            with pytest.raises(BrokerError, match="refuses this node: Authorization Violation") as caught:
                await connected(at(server, login))
            assert "secret" not in str(caught.value)


async def test_a_token(tmp_path, connected, channels):
    """What stands alone before the @ is a token."""
    with NatsServer(tmp_path, 'authorization { token: "s3cr3t/x" }') as server:
        assert await works(connected, at(server, "s3cr3t%2Fx@"), channels)


async def test_an_nkey(tmp_path, connected, channels):
    """?nkey= names the file of a seed, with which the server's challenge is signed."""
    key, file = new_key(nkeys.PREFIX_BYTE_USER), tmp_path / "user.nk"
    file.write_bytes(key.seed)
    with NatsServer(
        tmp_path, f"authorization {{ users: [{{ nkey: {key.public_key.decode()} }}] }}"
    ) as server:
        assert await works(connected, at(server, query=f"?nkey={file}"), channels)


async def test_a_creds_file(tmp_path, connected, channels):
    """?creds= names a file with a user's JWT and key, as an operator's tools write it."""
    kinds = nkeys.PREFIX_BYTE_OPERATOR, nkeys.PREFIX_BYTE_ACCOUNT, nkeys.PREFIX_BYTE_USER
    operator, account, user = map(new_key, kinds)
    any_limit = dict.fromkeys(("subs", "data", "payload", "conn", "imports", "exports", "leaf"), -1)
    about_account = signed(operator, account, "chat", {"type": "account", "limits": any_limit})
    about_user = signed(account, user, "node", {"type": "user", "subs": -1, "data": -1, "payload": -1})
    file = tmp_path / "user.creds"
    file.write_text(
        f"-----BEGIN NATS USER JWT-----\n{about_user}\n------END NATS USER JWT------\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{user.seed.decode()}\n------END USER NKEY SEED------\n"
    )
    config = (
        f"operator: {signed(operator, operator, 'op', {'type': 'operator'})}\nresolver: MEMORY\n"
        f"resolver_preload: {{ {account.public_key.decode()}: {about_account} }}\n"
    )
    with NatsServer(tmp_path, config) as server:
        assert await works(connected, at(server, query=f"?creds={file}"), channels)


@pytest.mark.parametrize("first", ["", "handshake_first: true"])
async def test_tls(tmp_path, nats_server, connected, channels, certificate, first):
    """TLS works with a certificate that is signed by the named authority, and not without it."""
    version = nats_server.info()["version"]
    if first and version.startswith("2.9."):
        pytest.skip(f"nats-server {version} always says a word before TLS")
    tls = f'tls {{ cert_file: "{certificate}", key_file: "{tmp_path / "key.pem"}", {first} }}'
    query = f"?ssl_ca_certs={certificate}" + ("&tls_first=1" if first else "")
    with NatsServer(tmp_path, tls) as server:
        assert await works(connected, at(server, scheme="tls", query=query), channels)
        with pytest.raises(BrokerError, match="cannot be reached: .*CERTIFICATE_VERIFY_FAILED"):
            await connected(at(server, scheme="tls", query="?tls_first=1" if first else ""))


async def test_tls_that_the_server_lacks(nats_server, connected):
    """tls:// never goes on in the clear."""
    with pytest.raises(BrokerError, match="has no TLS"):
        await connected(at(nats_server, "app:secret@", scheme="tls"))


async def test_a_subject_that_may_not_be_published_to(tmp_path, connected, channels):
    """A permission that is missing names the message it is for; the others are taken, the broker goes on."""
    only = channels.everyone.replace("{", "").replace("}:", ".")
    with NatsServer(tmp_path, USER.format(f'{{ publish: "{only}", subscribe: ">" }}')) as server:
        broker = await connected(at(server, "app:p%40ss%2Fword@"))
        await broker.subscribe([channels.everyone])
        good = Publication((channels.everyone,), b"good")
        bad = Publication((channels.everyone, channels.room("/", "No"), channels.inbox("nor")), b"x")
        with pytest.raises(PublishRefused, match="this user may not publish to") as caught:
            await broker.publish([good, bad, good, bad])
        assert sorted(caught.value.reasons) == [1, 3]
        await broker.publish([good])
        assert [d.payload for d in await collect(broker, 5)] == [b"good", b"x", b"good", b"x", b"good"]


async def test_a_subject_that_may_not_be_subscribed_to(tmp_path, connected, channels):
    """subscribe() raises a BrokerError that names the subject."""
    with NatsServer(tmp_path, USER.format('{ publish: ">", subscribe: "other.>" }')) as server:
        broker = await connected(at(server, "app:p%40ss%2Fword@"))
        with pytest.raises(BrokerError, match=r"this user may not subscribe to t\w+\.all"):
            await broker.subscribe([channels.everyone])


async def test_a_payload_above_the_limit(tmp_path, connected, channels):
    """The server's max_payload is the limit; what is larger is refused alone, and the broker goes on."""
    with NatsServer(tmp_path, "max_payload: 100000") as server:
        broker = await connected(server.url)
        assert broker.limit == 100_000
        await broker.subscribe([channels.everyone])
        fits, large = (Publication((channels.everyone,), bytes(size)) for size in (100_000, 100_001))
        with pytest.raises(PublishRefused, match=r"takes 100000 bytes at most \(max_payload\)") as caught:
            await broker.publish([fits, large, fits])
        assert list(caught.value.reasons) == [1]
        assert [len(d.payload) for d in await collect(broker, 2)] == [100_000, 100_000]


async def test_a_reader_that_is_too_slow(tmp_path, connected, channels):
    """The server cuts off whoever does not read; the error says that this may be why."""
    with NatsServer(tmp_path, "max_pending: 1MB\nwrite_deadline: 200ms") as server:
        reader, writer = await connected(server.url), await connected(server.url)
        await reader.subscribe([channels.everyone])
        transport = reader._line._transport._io_writer.transport
        transport.pause_reading()
        for _ in range(50):
            await writer.publish([Publication((channels.everyone,), bytes(500_000))])
        transport.resume_reading()
        with pytest.raises(BrokerError, match="or this node read too slowly"):
            await collect(reader, 51)


@contextlib.asynccontextmanager
async def server_that_is_stopped(ends):
    """A server that tells each client that it is being stopped, and then ends the connection."""

    async def serve(reader, writer):
        about = {"server_id": "n1", "version": "2.10.0", "max_payload": 1_000_000}
        writer.write(b"INFO %b\r\n" % json.dumps(about).encode())
        await reader.readuntil(b"PING\r\n")
        writer.write(b"PONG\r\nINFO %b\r\nPING\r\n" % json.dumps({**about, "ldm": True}).encode())
        await reader.readuntil(b"PONG\r\n")  # So the client has read it.
        ends(writer)

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"nats://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def closes(writer):
    writer.close()


def resets(writer):
    """End a connection as a kernel does when its program closes it before it has read everything."""
    at_once = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
    writer.transport.abort()


@pytest.mark.parametrize("ends", [closes, resets])
async def test_a_server_that_is_being_stopped(connected, ends):
    """The error says so, whether the connection is closed or reset."""
    async with server_that_is_stopped(ends) as url:
        broker = await connected(url)
        with pytest.raises(BrokerError, match="is being stopped"):
            await broker.receive()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nats://host/path", "a NATS URL has no path"),
        ("nats://host?cerds=/x", "a NATS URL has no option cerds; there are creds, "),
        ("nats://user:secret@host:port", "the servers of a NATS URL look like"),
    ],
)
async def test_a_url_that_cannot_work(connected, url, said):
    """A mistake in the URL is a SettingError that says what is wrong and quotes no password."""
    with pytest.raises(SettingError, match=said) as caught:
        await connected(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("query", "text", "said"),
    [
        ("creds", None, "the credentials in .*secret cannot be read"),
        ("creds", "BEGIN NATS USER JWT----\nx", "secret has no credentials of a NATS user"),
        ("creds", "BEGIN NATS USER JWT----\nx\n--BEGIN USER NKEY SEED--\nSUAX\n", "has no credentials"),
        ("nkey", "SUAX", "secret has no credentials of a NATS user"),
        ("nkey", "", "secret has no credentials of a NATS user"),
        ("ssl_ca_certs", None, "a certificate that a NATS URL names cannot be read"),
    ],
)
async def test_a_file_that_is_no_use(tmp_path, nats_server, connected, query, text, said):
    """A file that is missing or wrong is a BrokerError that names it: it may be right at the next try."""
    file = tmp_path / "secret"
    if text is not None:
        file.write_text(text)
    with pytest.raises(BrokerError, match=said):
        await connected(at(nats_server, query=f"?{query}={file}"))
