"""Very many connections that come at once."""

from __future__ import annotations

import asyncio
import os
import resource
import selectors
import signal
import socket
from pathlib import Path

import pytest
import uvloop

from socketio_cluster.cluster.sockets.accepting import AT_ONCE, several
from socketio_cluster.cluster.sockets.sockets import listen
from tests.cluster.command import Command
from tests.cluster.test_reload import workers_of

CROWD = 3000
"""More than the 2048 that uvicorn lets wait."""


class Turns(asyncio.Protocol):
    """Notes the turn of the loop in which each connection was made."""

    now = 0

    def __init__(self, made):
        self._made = made

    def connection_made(self, transport):
        self._made.append(Turns.now)
        transport.close()


async def accept(sock, count):
    """Accept that many connections, and return the number of turns in which they were made."""
    loop, made = asyncio.get_running_loop(), []
    servers = [await loop.create_server(lambda: Turns(made), sock=one) for one in several(sock)]
    while len(made) < count:
        Turns.now += 1
        await asyncio.sleep(0)
    for server in servers:
        server.close()
    return len(set(made))


def test_several_connections_are_accepted_in_one_turn():
    """Connections that wait are accepted by so many in a turn of the loop."""
    with listen("127.0.0.1", 0) as sock, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        clients = [socket.create_connection(sock.getsockname()) for _ in range(3 * AT_ONCE)]
        assert runner.run(accept(sock, len(clients))) == 3
        for client in clients:
            client.close()


def test_socket_of_another_worker_does_not_block():
    """A worker that starts leaves the socket as it is for those that accept from it already."""
    with listen("127.0.0.1", 0) as sock:
        sock.setblocking(False)
        sockets = several(socket.socket(fileno=os.dup(sock.fileno())))
        assert not os.get_blocking(sock.fileno())
        for one in sockets:
            one.close()


@pytest.fixture
def many_files():
    """Let this process and those that it starts open enough files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def dial(address, count):
    """Begin that many connections; returns the sockets."""
    clients = [socket.socket() for _ in range(count)]
    for client in clients:
        client.setblocking(False)
        client.connect_ex(address)
    return clients


def await_connected(clients):
    """Return when all are connected."""
    with selectors.DefaultSelector() as selector:
        for client in clients:
            selector.register(client, selectors.EVENT_WRITE)
        while selector.get_map():
            ready = selector.select(15)
            assert ready, f"{len(selector.get_map())} of {len(clients)} find no place in the queue"
            for key, _ in ready:
                assert not key.fileobj.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                selector.unregister(key.fileobj)


@pytest.mark.skipif(
    not Path("/proc/sys/net/core/somaxconn").exists()
    or int(Path("/proc/sys/net/core/somaxconn").read_text()) <= CROWD,
    reason="this kernel lets fewer connections wait",
)
def test_clients_of_another_machine_find_a_place_in_the_queue(many_files):
    """While a worker stands still, thousands of connections wait for it."""
    with Command("serve", "tests.http.app:app", "--port=0", "--workers=1", "--stuck-after=60") as command:
        url = command.nodes(1)["node-1"][0]
        (worker,) = workers_of(command.process.pid)
        os.kill(worker, signal.SIGSTOP)
        clients = dial(("127.0.0.1", int(url.rpartition(":")[2])), CROWD)
        try:
            await_connected(clients)
        finally:
            os.kill(worker, signal.SIGCONT)
            for client in clients:
                client.close()
