"""Middlewares run before the connect and the disconnect handler, too, and may refuse a client."""

from __future__ import annotations

import pytest

from socketio_cluster import Refused, Skip
from tests.harness import Refused as ConnectRefused
from tests.harness import client, eventually


@pytest.fixture
def nodes(two_of_ours):
    """Two nodes whose servers have middlewares."""
    return two_of_ours


async def test_connect_is_refused(nodes, connect_any):
    """A middleware refuses a connection with its reason; the connect handler does not run."""

    @nodes[0].sio.middleware
    async def guard(sid, event, args):
        if event == "connect" and (args[1] or {}).get("token") != "good":
            raise Refused("wrong token", {"code": 401})

    with pytest.raises(ConnectRefused) as refusal:
        await connect_any(nodes[0], auth={"token": "bad"})
    assert (refusal.value.message, refusal.value.data) == ("wrong token", {"code": 401})
    assert not nodes[0].log
    one = await connect_any(nodes[0], auth={"token": "good"})
    assert await one.call("hello", 1) == [1]


async def test_a_failing_guard_lets_nobody_in(nodes, connect, caplog):
    """A middleware that fails at connect, with whatever error, refuses the client and tells it no more."""

    @nodes[0].sio.middleware
    async def guard(sid, event, args):
        assert args[1]["token"] == "good"  # a TypeError without auth

    nodes[0].sio.on("connect", lambda sid, environ: nodes[0].log.append("let in"))
    for auth in None, {"token": "bad"}, {"name": "Ada"}:
        with pytest.raises(ConnectRefused, match="^Internal server error$"):
            await connect(nodes[0], auth=auth)
    assert not nodes[0].log
    assert "TypeError" in caplog.text
    assert "event 'connect' of client" in caplog.text
    await eventually(lambda: nodes[0].empty)


async def test_connect_handlers_of_both_kinds(nodes):
    """Connect handlers get the auth that middlewares leave, or none if they do not take it."""
    sio, seen = nodes[0].sio, []

    @sio.middleware
    async def name(sid, event, args):
        if event == "connect":
            args[1] = {"name": "Ada"} if args[1] is None else args[1]

    sio.on("connect", lambda sid, environ, auth: seen.append(auth))
    async with client(nodes[0]):
        assert seen == [{"name": "Ada"}]
    sio._middlewares.middlewares.clear()
    sio.on("connect", lambda sid, environ: seen.append("old style"))
    async with client(nodes[0]):
        assert seen[1:] == ["old style"]
    sio.on("connect", lambda sid, environ: False)
    with pytest.raises(ConnectRefused, match="Connection rejected by server"):
        async with client(nodes[0]):
            pass


async def test_connect_errors_refuse(nodes, connect):
    """An error in the connect handler refuses; the exception handler's answer is the refusal's data."""

    async def failing(sid, environ, auth):
        raise ValueError("no such room")

    nodes[0].sio.on("connect", failing)

    @nodes[0].sio.exception_handler(ValueError)
    async def answer(sid, event, error):
        return {"event": event, "reason": str(error)}

    with pytest.raises(ConnectRefused) as refusal:
        await connect(nodes[0])
    assert refusal.value.data == {"event": "connect", "reason": "no such room"}
    await eventually(lambda: nodes[0].empty)


async def test_skipped_connect(nodes, connect):
    """Skipping ``connect`` lets the client in without its handler."""

    @nodes[0].sio.middleware
    async def skip(sid, event, args):
        if event == "connect":
            raise Skip

    assert await (await connect(nodes[0])).call("hello", 1) == [1]
    assert [entry[0] for entry in nodes[0].log] == ["hello"]


@pytest.mark.parametrize(
    "error", [Refused("no"), Skip(), ValueError("broken")], ids=lambda e: type(e).__name__
)
async def test_disconnect_is_never_refused(nodes, connect, error):
    """The disconnect handler runs whatever the middlewares raise: there is nothing left to refuse."""

    @nodes[0].sio.middleware
    async def guard(sid, event, args):
        if event == "disconnect":
            raise error

    one = await connect(nodes[0])
    sid = one.sid
    await one.disconnect()
    await eventually(lambda: nodes[0].empty)
    assert nodes[0].log[-1][:2] == ("disconnect", sid)


async def test_failing_disconnect_handler(nodes, connect, caplog):
    """A disconnect handler that fails is logged and leaves nothing of the client behind."""
    nodes[0].sio.on("disconnect", lambda sid, reason: 1 / 0)
    one = await connect(nodes[0])
    sid = one.sid
    await one.disconnect()
    await eventually(lambda: nodes[0].empty)
    assert f"event 'disconnect' of client {sid} in namespace / failed" in caplog.text
