"""What only the Redis family can show: passwords, sentinels, slots."""

from __future__ import annotations

import asyncio
import subprocess
import tempfile
from pathlib import Path

import pytest
from redis.crc import key_slot

from socketio_cluster.manager.bus.broker import INBOX_LIMIT, Publication
from socketio_cluster.manager.errors import BrokerError, SettingError
from tests.contract.conftest import collect
from tests.services.process import free_port, program
from tests.services.redis import RedisCluster, RedisSentinel, RedisServer

SCHEMES = ["redis://{}/0", "redis+sentinel://{}/0/main", "redis+cluster://{}"]


@pytest.fixture
def guarded(tmp_path):
    """A server with a password."""
    with RedisServer(tmp_path, "--requirepass", "p@ss/word") as server:
        yield server


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_nobody_listening(connected, scheme):
    """A connection that is refused is a BrokerError that names the address."""
    address = f"127.0.0.1:{free_port()}"
    with pytest.raises(BrokerError, match=f"Redis at {address} cannot be reached"):
        await connected(scheme.format(address))


@pytest.mark.parametrize("user", [":wrong-secret", "nobody:wrong-secret"])
async def test_a_wrong_password(connected, guarded, user):
    """A wrong password is a BrokerError that names the server and not the password."""
    with pytest.raises(BrokerError, match=f"Redis at 127.0.0.1:{guarded.port}") as caught:
        await connected(f"redis://{user}@127.0.0.1:{guarded.port}/0")
    assert "wrong-secret" not in str(caught.value)


async def test_the_right_password(connected, guarded, channels):
    """A password with %-escapes logs in, on the valkey:// scheme too."""
    broker = await connected(f"valkey://:p%40ss%2Fword@127.0.0.1:{guarded.port}")
    await broker.publish([Publication((channels.everyone,), b"x")])


@pytest.fixture
def certificate(tmp_path):
    """A certificate for 127.0.0.1, signed by itself; its key lies beside it."""
    certificate = tmp_path / "cert.pem"
    make = ["req", "-x509", "-nodes", "-newkey", "rsa:2048", "-subj", "/CN=test", "-days", "2"]
    files = ["-out", str(certificate), "-keyout", str(tmp_path / "key.pem")]
    command = [program("openssl", package="openssl"), *make, "-addext", "subjectAltName=IP:127.0.0.1", *files]
    subprocess.run(command, check=True, capture_output=True)
    return certificate


async def test_tls(tmp_path, certificate, connected, channels):
    """rediss:// speaks TLS, and refuses a certificate that it does not know."""
    port, key = free_port(), tmp_path / "key.pem"
    options = {"tls-port": port, "tls-cert-file": certificate, "tls-key-file": key, "tls-auth-clients": "no"}
    with RedisServer(
        tmp_path, *(word for name, value in options.items() for word in (f"--{name}", str(value)))
    ):
        with pytest.raises(BrokerError, match="CERTIFICATE_VERIFY_FAILED"):
            await connected(f"rediss://127.0.0.1:{port}/0")
        for option in (f"ssl_ca_certs={certificate}", "ssl_cert_reqs=CERT_NONE", "ssl_cert_reqs=none"):
            broker = await connected(f"rediss://127.0.0.1:{port}/0?{option}")
            await broker.subscribe([channels.everyone])
            payload = bytes(range(256)) * 4096
            await broker.publish([Publication((channels.everyone,), payload)])
            assert [d.payload for d in await collect(broker, 1)] == [payload]
            await broker.close()


async def test_a_socket_of_this_machine(connected, channels):
    """unix:// reaches a Redis by its socket, and an error names the path."""
    with tempfile.TemporaryDirectory(prefix="redis-") as folder:  # a socket's path has 107 bytes at most
        path = Path(folder) / "redis.sock"
        with RedisServer(Path(folder), "--unixsocket", str(path), "--requirepass", "secret"):
            broker = await connected(f"unix://:secret@{path}?db=3")
            await broker.subscribe([channels.everyone])
            await broker.publish([Publication((channels.everyone,), b"x")])
            assert [d.payload for d in await collect(broker, 1)] == [b"x"]
        with pytest.raises(BrokerError, match=f"Redis at {path} cannot be reached"):
            await connected(f"unix://:secret@{path}")


@pytest.mark.parametrize(
    "url",
    [
        "redis://:pa/ss-secret@127.0.0.1:1/0",
        "redis://127.0.0.1:1/0?secret=1",
        "redis+sentinel://127.0.0.1:1",
        "redis+cluster://127.0.0.1:secret",
        "unix://run/redis.sock",
        "unix://",
        "rediss://127.0.0.1:1/0?ssl_cert_reqs=MAYBE",
        "rediss://127.0.0.1:1/0?ssl_min_version=TLSv9",
        "redis://127.0.0.1:1/0?db=first",
    ],
)
async def test_a_url_that_cannot_work(connected, url):
    """A URL that cannot be read is a SettingError that does not repeat a password."""
    with pytest.raises(SettingError) as caught:
        await connected(url)
    assert "ss-secret" not in str(caught.value)


async def test_an_inbox_that_overflows_breaks(tmp_path, connected, channels):
    """A node that does not take INBOX_LIMIT bytes gets a BrokerError instead of a gap."""
    # Redis has a limit of its own, which would cut this subscriber off first.
    with RedisServer(tmp_path, "--client-output-buffer-limit", "pubsub 0 0 0") as server:
        sender, receiver = await connected(server.url), await connected(server.url)
        await receiver.subscribe([channels.everyone])
        chunk = Publication((channels.everyone,), bytes(4 * 1024 * 1024))
        for _ in range(INBOX_LIMIT // len(chunk.payload) + 1):
            await sender.publish([chunk])
        with pytest.raises(BrokerError, match="64 MiB behind its bus"):
            await receiver.subscribe([channels.inbox("confirmed after all of them")])
        with pytest.raises(BrokerError, match="64 MiB behind its bus"):
            await _drain(receiver)


async def test_a_failover_leads_to_the_new_master(tmp_path, connected, channels):
    """When the master dies the broker breaks, and a new one finds the promoted replica."""
    with RedisSentinel(tmp_path) as servers:
        broker = await connected(servers.url)
        await broker.subscribe([channels.everyone])
        servers.master.stop()
        with pytest.raises(BrokerError):
            await asyncio.wait_for(broker.receive(), 10)
        with pytest.raises(BrokerError):
            await connected(servers.url)
        await asyncio.to_thread(servers.replica.until, b"role:master", "INFO", "replication")
        await asyncio.to_thread(servers.sentinel.until, str(servers.replica.port).encode(), *_WHO_IS_MASTER)
        broker = await connected(servers.url)
        await broker.subscribe([channels.everyone])
        await broker.publish([Publication((channels.everyone,), b"x")])
        assert [d.payload for d in await collect(broker, 1)] == [b"x"]


async def test_a_service_no_sentinel_knows(redis_sentinel, connected):
    """A service that no sentinel knows is a BrokerError."""
    with pytest.raises(BrokerError, match="does not know"):
        await connected(redis_sentinel.url.replace("main", "other"))


async def test_a_slot_that_moves_ends_the_broker(tmp_path, connected, channels):
    """When the slot moves to another node the broker breaks, and a new one finds the new owner."""
    with RedisCluster(tmp_path) as cluster:
        slot = key_slot(channels.everyone.encode())
        source = cluster.owner(slot)
        target = next(node for node in cluster.nodes if node is not source)
        reader, writer = await connected(cluster.url), await connected(cluster.url)
        await reader.subscribe([channels.everyone])
        await writer.publish([Publication((channels.everyone,), b"before")])
        assert [d.payload for d in await collect(reader, 1)] == [b"before"]
        await asyncio.to_thread(cluster.move, slot, source, target)
        with pytest.raises(BrokerError, match="ended a subscription"):
            await asyncio.wait_for(reader.receive(), 10)
        with pytest.raises(BrokerError, match="MOVED|moved|failed"):
            await writer.publish([Publication((channels.everyone,), b"lost")])
        broker = await connected(cluster.url)
        await broker.subscribe([channels.everyone])
        await broker.publish([Publication((channels.everyone,), b"after")])
        assert [d.payload for d in await collect(broker, 1)] == [b"after"]


async def test_a_seed_that_is_gone_is_passed_over(redis_cluster, connected, channels):
    """A cluster is found through any of the nodes its URL names."""
    broker = await connected(
        f"redis+cluster://127.0.0.1:{free_port()},127.0.0.1:{redis_cluster.nodes[2].port}"
    )
    await broker.publish([Publication((channels.everyone,), b"x")])


async def test_a_server_that_is_no_cluster(redis_server, connected):
    """redis+cluster:// to a plain server is a BrokerError in the server's own words."""
    with pytest.raises(BrokerError, match="cluster support disabled"):
        await connected(f"redis+cluster://127.0.0.1:{redis_server.port}")


_WHO_IS_MASTER = ("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main")


async def _drain(broker):
    while True:
        await broker.receive()
