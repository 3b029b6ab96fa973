"""`socketio-cluster bridge`, as it is run: between workers and Node.js's servers, and with mistakes."""

from __future__ import annotations

import re
from types import SimpleNamespace

import pytest

from socketio_cluster.manager.bridge.nodejs.classic import Classic
from socketio_cluster.manager.bridge.nodejs.sharded import Sharded
from socketio_cluster.manager.bridge.stock.stock import Stock
from socketio_cluster.manager.errors import SettingError
from socketio_cluster.manager.foreign import read_foreign
from tests.bridge.nodejs import node_servers
from tests.cluster.command import Command, run
from tests.harness import client, eventually


async def test_bridge(redis_url, prefix):
    """The command carries events between two workers and Node.js's servers, and ends with exit code 0."""
    common = (f"--bus={redis_url}", f"--prefix={prefix}")
    workers = ("--port=0", "--direct-port=0", "--workers=2")
    with (
        node_servers(redis_url, "classic") as servers,
        Command("serve", "tests.emit.served:app", *common, *workers) as serve,
        Command(
            "bridge", *common, f"--from={redis_url}?adapter=nodejs&key={servers.key}&namespaces=/,/chat"
        ) as bridge,
    ):
        urls = [direct for _, direct in serve.nodes(2).values()]
        bridge.wait_for("this bridge works")
        ours, theirs = SimpleNamespace(url=urls[1]), servers.all[0]
        async with client(ours) as one, client(theirs) as other:
            await one.call("join", "kitchen")
            await servers.run(f"servers[1].io.in({other.sid!r}).socketsJoin('kitchen')")
            await servers.run("servers[1].io.to('kitchen').emit('soup', 'tomato')")
            for each in (one, other):
                assert await each.next("soup") == ["tomato"]
        bridge.process.terminate()
        await eventually(lambda: bridge.process.poll() is not None)
        assert bridge.process.returncode == 0
        bridge.wait_for(r"stopped: 0 to the foreign cluster, \d+ from it, 0 did not go across, 0 lost")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--from=redis://h"], "a bridge needs the bus of the nodes"),
        (["--bus=redis://h"], "a bridge needs the URL of the other cluster"),
        (["--bus=redis://h", "--from=redis://h?adapter=bun"], "--from: adapter=bun is not known"),
    ],
    ids=["no bus", "no other cluster", "unknown adapter"],
)
def test_mistakes(arguments, sentence):
    """A mistake ends the command with a sentence and exit code 2."""
    done = run("bridge", *arguments)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("", "the URL of a Redis"),
        ("amqp://:swordfish@h", "the URL of a Redis"),
        ("redis://:swordfish@h?adapter=nodejs&namespaces=chat", "begins with '/'"),
        ("redis://:swordfish@h?adapter=nodejs&namespace=/", "no option 'namespace'"),
        ("redis://:swordfish@h:port", "not a redis:// URL"),
    ],
)
def test_urls_that_cannot_be(url, sentence):
    """A URL that cannot work is refused before anything is connected, without its password."""
    with pytest.raises(SettingError, match=re.escape(sentence)) as caught:
        read_foreign(url)
    assert "swordfish" not in str(caught.value)


@pytest.mark.parametrize(
    ("query", "kind", "channel"),
    [
        ("", Stock, "socketio"),
        ("?channel=chat&pickle=yes", Stock, "chat"),
        ("?adapter=nodejs", Classic, "socket.io-request#/#"),
        ("?adapter=nodejs&key=k&namespaces=/,/chat", Classic, "k-request#/chat#"),
        ("?adapter=nodejs-sharded&key=k&namespaces=/chat", Sharded, "k#/chat#"),
    ],
)
def test_urls(query, kind, channel):
    """The URL says which dialect is spoken, and on which channels."""
    dialect = read_foreign(f"redis://:swordfish@h:1/2{query}").make_dialect("AAAAAAAA", bool)
    assert type(dialect) is kind
    assert channel in dialect.channels


async def test_dynamic_mode_is_noticed(redis_url, prefix, caplog):
    """The bridge says once that a server with the sharded adapter reads the channel of a room."""
    foreign = read_foreign(f"{redis_url}?adapter=nodejs-sharded&key={prefix}")
    ours, theirs = await foreign.connect(), await foreign.connect()
    try:
        await ours.subscribe(foreign.make_dialect("AAAAAAAA", bool).channels)
        await ours.check()
        assert "subscriptionMode" not in caplog.text
        await theirs.subscribe([f"{prefix}#/#kitchen#"])
        for _ in range(2):
            await ours.check()
        assert caplog.text.count("subscriptionMode: 'static'") == 1
    finally:
        await ours.close()
        await theirs.close()
