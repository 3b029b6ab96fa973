"""Nodes that die, hang or stop while they have sessions."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal

import pytest
import socketio
from aiohttp import WSMsgType

from tests.forward.balancer import Balancer
from tests.forward.conftest import within
from tests.forward.nodes import machines, one_machine
from tests.forward.poller import Failed
from tests.harness import eventually

pytestmark = pytest.mark.alone

UNKNOWN = '{"code":1,"message":"Session ID unknown"}'


@contextlib.contextmanager
def unknown_within(seconds):
    """The block is answered with an unknown session, in so many seconds."""
    with within(seconds), pytest.raises(Failed) as failed:
        yield
    assert (failed.value.status, failed.value.text) == (400, UNKNOWN)


async def sign_of_life(nodes):
    """Return when the node of a passed-on poll has said that it is there."""
    await asyncio.to_thread(nodes.commands[0].wait_for, "a request waits at the node of its session")


async def test_session_of_a_dead_node_is_unknown_at_once(poller):
    """A killed node's sessions are refused within 100 ms, before the others know of its death and after."""
    with one_machine() as nodes:
        client = await poller(nodes.urls)
        owner, [stranger, _] = nodes.owner(client.sid), nodes.others(client.sid)
        os.kill(owner.pid, signal.SIGKILL)
        with unknown_within(0.1):
            await client.request("GET", None, stranger.url)
        dead = f"{stranger.node} socketio_cluster.manager: node {owner.id} is dead"
        await asyncio.to_thread(nodes.commands[0].wait_for, dead)
        with unknown_within(0.1):
            await client.request("POST", "3", stranger.url)


async def test_poll_ends_when_the_node_dies(poller):
    """A poll that waits at a node that is killed is answered at once, by the node it went to."""
    with one_machine() as nodes:
        client = await poller(nodes.urls)
        poll = asyncio.create_task(client.request("GET", None, nodes.others(client.sid)[0].url))
        await sign_of_life(nodes)
        os.kill(nodes.owner(client.sid).pid, signal.SIGKILL)
        with unknown_within(0.2):
            await poll


@pytest.mark.parametrize("kind", ["unix", "tcp"])
async def test_node_that_hangs_is_unreachable(poller, http, redis_url, kind):
    """Of a frozen node a request by another way gets 400 within 3 s, on a line in use as on a new one."""
    with one_machine() if kind == "unix" else machines(redis_url) as nodes:
        client = await poller(nodes.urls)
        await client.call("echo", 1)  # the nodes have lines to each other
        owner, [stranger, _] = nodes.owner(client.sid), nodes.others(client.sid)
        os.kill(owner.pid, signal.SIGSTOP)
        try:
            with unknown_within(3):
                await client.request("GET", None, stranger.url)
            with unknown_within(3):
                await client.request("GET", None, stranger.url)
            query = f"/socket.io/?EIO=4&transport=websocket&sid={client.sid}"
            with within(3), pytest.raises(Exception, match="400"):
                await http.ws_connect(stranger.url.replace("http", "ws") + query)
        finally:
            os.kill(owner.pid, signal.SIGCONT)


async def test_waiting_poll_ends_when_its_node_is_known_dead(poller):
    """A poll that waits at a node that freezes is answered as soon as the cluster gives that node up."""
    with one_machine("--stuck-after=60") as nodes:
        client = await poller(nodes.urls)
        owner, [stranger, _] = nodes.owner(client.sid), nodes.others(client.sid)
        poll = asyncio.create_task(client.request("GET", None, stranger.url))
        await sign_of_life(nodes)
        os.kill(owner.pid, signal.SIGSTOP)
        try:
            dead = f"{stranger.node} socketio_cluster.manager: node {owner.id} is dead"
            await asyncio.to_thread(nodes.commands[0].wait_for, dead)
            with unknown_within(0.1):
                await poll
        finally:
            os.kill(owner.pid, signal.SIGCONT)


async def test_successor_does_not_get_requests_of_the_dead(poller):
    """A worker that takes a dead one's place and port refuses what was meant for that one."""
    with one_machine() as nodes:
        client = await poller(nodes.urls)
        owner, [stranger, _] = nodes.owner(client.sid), nodes.others(client.sid)
        os.kill(owner.pid, signal.SIGKILL)
        await asyncio.to_thread(nodes.commands[0].wait_for, rf"{owner.node} \(.* serves", times=2)
        with unknown_within(0.1):
            await client.request("GET", None, stranger.url)
        with unknown_within(1):
            await client.request("GET", None, owner.url)


async def test_stopping_node_lets_passed_on_polls_go(poller):
    """A node that stops ends the polls that others have passed to it, and stops in good time."""
    with one_machine() as nodes:
        client = await poller(nodes.urls)
        poll = asyncio.create_task(client.request("GET", None, nodes.others(client.sid)[0].url))
        await sign_of_life(nodes)
        os.kill(nodes.owner(client.sid).pid, signal.SIGTERM)
        with within(3):
            await asyncio.gather(poll, return_exceptions=True)
        assert poll.exception() is None or poll.exception().status == 400


@pytest.mark.parametrize("lane", ["on", "off"])
async def test_upgrade_by_a_stopping_node_comes_to_its_end(lane, poller, http):
    """A node that stops does not cut an upgrade to another one: the JavaScript client would hang for 45 s."""
    with one_machine(f"--lane={lane}") as nodes:
        client = await poller(nodes.urls)
        way = nodes.others(client.sid)[0]
        url = f"{way.url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket&sid={client.sid}"
        async with http.ws_connect(url) as ws:
            await ws.send_str("2probe")
            assert await ws.receive_str() == "3probe"
            os.kill(way.pid, signal.SIGTERM)
            await asyncio.to_thread(nodes.commands[0].wait_for, "draining 0 clients")
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(ws.receive(), 0.3)
            await ws.send_str("5")
            await ws.send_str('427["where"]')
            assert client.sid[:8] in await ws.receive_str()
            assert (await asyncio.wait_for(ws.receive(), 5)).type is WSMsgType.CLOSE


@pytest.mark.parametrize("transports", [["polling"], ["polling", "websocket"]])
async def test_client_comes_back_when_the_node_it_goes_by_dies(transports):
    """When the node dies that passes a client's requests or WebSocket on, the client connects anew."""
    with one_machine() as nodes:
        async with Balancer(nodes.urls, http=True) as balancer, socketio.AsyncSimpleClient() as client:
            await client.connect(balancer.url, transports=transports)
            before = client.sid
            for worker in nodes.workers[:2]:
                os.kill(worker.pid, signal.SIGKILL)
            await asyncio.to_thread(nodes.commands[0].wait_for, r"serves", times=5)
            await eventually(lambda: client.connected and client.sid != before, seconds=20)
            assert await client.call("echo", 1, timeout=10) == 1
