"""Who the internal listener lets in, and what it does for them."""

from __future__ import annotations

import asyncio
import os
import stat
from pathlib import Path

import pytest

from socketio_cluster.cluster.forward.greeting import Key, NotANode, greet
from socketio_cluster.cluster.forward.line import MAX_FRAME, MAX_STRANGE, LineLost, NodeLine
from socketio_cluster.cluster.forward.messages import Ask, Refusal, decode, encode
from tests.cluster.command import Command, run
from tests.forward.conftest import within
from tests.forward.nodes import APP, machines

SERVE = ("serve", APP, "--port=0", "--workers=1")


def ask(sid: str, **how) -> bytes:
    """A poll of a session, as a node would pass it on."""
    query = f"EIO=4&transport=polling&sid={sid}".encode() if sid else b"EIO=4&transport=polling"
    path = {"path": "/socket.io/", "raw_path": b"/socket.io/", "root_path": "", **how}
    rest = {"query": query, "headers": [(b"host", b"a.example")], "client": None, "server": None}
    return encode(Ask(False, "GET", "http", **path, **rest))


@pytest.fixture
async def line(far_nodes):
    """A connection to the internal port of the first node, nothing said yet."""
    _, line = await asyncio.get_running_loop().create_connection(NodeLine, "127.0.0.1", far_nodes.internal[0])
    yield line
    line.close()


async def greeted(line, nodes, *, node=None, secret=None, prefix=None):
    """Greet the first node; what is given instead of the truth is a lie."""
    key = Key(prefix or nodes.prefix, secret or nodes.secret)
    await asyncio.wait_for(greet(line, key, node or nodes.workers[0].id), 3)


async def test_node_is_let_in(far_nodes, line, poller):
    """With the secret, the prefix and the right node, a session of it is served."""
    client = await poller(far_nodes.urls[:1])
    await client.emit("back", "hello")
    await greeted(line, far_nodes)
    line.write(ask(client.sid))
    answer = decode(await line.read())
    assert (answer.status, answer.body) == (200, b'42["back","hello"]')


async def test_node_with_a_newer_secret_too_is_let_in(far_nodes, line, poller):
    """While the secret is being changed, a node proves itself with the one that all know."""
    client = await poller(far_nodes.urls[:1])
    await client.emit("back", "hello")
    await greeted(line, far_nodes, secret=f"{far_nodes.secret}\nthe secret that comes next")
    line.write(ask(client.sid))
    assert decode(await line.read()).status == 200


def test_secrets_in_another_order():
    """Two nodes that know both secrets believe each other, whichever comes first; a third does not."""
    one, other = Key("sio", "old secret\nnew secret"), Key("sio", "new secret\nold secret")
    asked = (b"owner", b"A" * 8, b"1" * 16, b"2" * 16)
    for asker, owner in ((one, other), (other, one), (one, one)):
        assert asker.proves(owner.proof(*asked), *asked)
    assert not Key("sio", "old secret").proves(other.proof(*asked), *asked)
    assert not one.proves(Key("sio2", "old secret").proof(*asked), *asked)


LIES = [{"secret": "another secret of theirs"}, {"prefix": "other"}, {"node": "A" * 8}]


@pytest.mark.parametrize("lie", LIES)
async def test_lie_is_refused(far_nodes, line, lie):
    """With another secret, another prefix or for another node, no request is taken."""
    with pytest.raises((NotANode, LineLost)):
        await greeted(line, far_nodes, **lie)


async def test_stranger_who_does_not_check_is_refused_too(far_nodes, line, poller):
    """Somebody who skips the node's proof and makes one up is hung up on, with no answer to the request."""
    client = await poller(far_nodes.urls[:1])
    line.write(far_nodes.workers[0].id.encode() + b"n" * 16)
    assert len(await line.read()) == 32
    line.write(b"p" * 16)
    line.write(ask(client.sid))
    with pytest.raises(LineLost):
        await asyncio.wait_for(line.read(), 3)


async def test_overheard_proof_is_worth_nothing(far_nodes, line, poller):
    """What one node said to get in does not let anybody in a second time."""
    said = []
    write, line.write = line.write, lambda frame: (said.append(frame), write(frame))
    await greeted(line, far_nodes)
    _, again = await asyncio.get_running_loop().create_connection(
        NodeLine, "127.0.0.1", far_nodes.internal[0]
    )
    again.write(said[0])
    await again.read()
    again.write(said[1])
    again.write(ask(far_nodes.workers[0].id + "x" * 12))
    with pytest.raises(LineLost):
        await asyncio.wait_for(again.read(), 3)


async def test_http_is_not_spoken(far_nodes):
    """A browser or a port scanner gets no byte."""
    reader, writer = await asyncio.open_connection("127.0.0.1", far_nodes.internal[0])
    writer.write(b"GET /socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\n\r\n")
    assert await asyncio.wait_for(reader.read(), 3) == b""
    writer.close()


async def test_silent_stranger_is_hung_up_on(far_nodes):
    """Who connects and says nothing is not waited for longer than five seconds."""
    reader, writer = await asyncio.open_connection("127.0.0.1", far_nodes.internal[0])
    with within(6):
        assert await asyncio.wait_for(reader.read(), 7) == b""
    writer.close()


@pytest.mark.parametrize("size", [MAX_STRANGE + 1, MAX_FRAME + 1])
async def test_stranger_cannot_make_a_node_keep_much(far_nodes, line, size):
    """A frame larger than a greeting ends the connection before it is read."""
    line.transport.write(size.to_bytes(4, "big"))
    with pytest.raises(LineLost):
        await asyncio.wait_for(line.read(), 3)


@pytest.mark.parametrize("sid", ["", "x" * 20, "short"])
async def test_only_sessions_of_this_node(far_nodes, line, sid):
    """A request without a session, or for one of another node, is refused, not handled and not passed on."""
    await greeted(line, far_nodes)
    line.write(ask(sid))
    assert isinstance(decode(await line.read()), Refusal)


async def test_nothing_is_passed_on_twice(far_nodes, line, poller):
    """A node asked for a session of a third node refuses, though it could reach that node."""
    client = await poller(far_nodes.urls[1:2])
    await greeted(line, far_nodes)
    line.write(ask(client.sid))
    assert isinstance(decode(await line.read()), Refusal)


async def test_only_engine_io_is_behind_it(far_nodes, line):
    """No path leads to the rest of the application: Engine.IO answers whatever the path."""
    await greeted(line, far_nodes)
    line.write(ask(far_nodes.workers[0].id + "x" * 12, path="/who", raw_path=b"/who"))
    answer = decode(await line.read())
    assert (answer.status, b"Session ID unknown" in answer.body) == (400, True)


def test_tcp_needs_a_secret():
    """With an internal port and no secret the command ends with one sentence."""
    done = run(*SERVE, "--internal-port=47123")
    assert done.returncode == 2
    assert "--internal-port needs a secret: set --secret-file" in done.stderr


def test_everywhere_is_no_address():
    """To listen on all addresses and not to say which one others can use is a mistake that is named."""
    done = run(*SERVE, "--internal-port=47123", "--internal-host=0.0.0.0")
    assert (done.returncode, "tell it one with --advertise" in done.stderr) == (2, True)


async def test_other_machines_use_the_advertised_address(redis_url, poller):
    """Nodes that listen on all addresses are reached by the name they advertise."""
    with machines(redis_url, "--internal-host=0.0.0.0", "--advertise=localhost", count=2) as nodes:
        client = await poller(nodes.urls)
        assert await client.call("echo", 1) == [1]


def test_socket_is_for_this_user_alone(tmp_path):
    """The Unix socket has mode 0600, in a folder of mode 0700."""
    folder = Path(os.path.relpath(tmp_path))  # a socket's path has 107 bytes at most
    with Command(*SERVE, env={"TMPDIR": str(folder)}) as command:
        command.nodes(1)
        [path] = tmp_path.glob("cluster-*/1.sock")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
