"""Each wrong argument of each call raises at once, with a text that says what is wrong, whoever asks."""

from __future__ import annotations

import asyncio
import inspect
from decimal import Decimal

import pytest

import socketio_cluster

ROOMS = [1.5, b"red", {"red": 1}, "\ud800", 2**64, ["red", None]]
WRONG = {
    "room": ROOMS,
    "to": ROOMS,
    "except_": ROOMS,
    "skip_sid": [5, [5], "\ud800"],
    "where": [5, "level", {5: 1}, {"": 1}, {"level>=": 3}, {"level =>": 3}, {"level in": 3}, {"a": 2**64}],
    "namespace": [7, "chat", b"/", "/a,b", "*", "/\ud800"],
    "local": [1, "yes", None],
    "ignore_queue": [1, "yes", None],
    "timeout": [0, -1, float("nan"), float("inf"), True, "5", Decimal(5)],
}
EVENTS = [5, None, b"event", ["event"], print]
CALLS = {
    "fetch_sockets": {"session": [1, None]},
    "count": {},
    "sockets_join": {"rooms": [None, *ROOMS]},
    "sockets_leave": {"rooms": [None, *ROOMS]},
    "disconnect_sockets": {},
    "emit_with_ack": {"event": [*EVENTS, "disconnect"], "data": [object()]},
    "fetch_rooms": {},
    "rooms_of": {"sid": [5, None, ["a"], b"a"]},
    "server_side_emit": {"event": EVENTS, "data": [object(), 2**64]},
    "server_side_emit_with_ack": {"event": EVENTS, "data": [object(), 2**64]},
    "emit": {"except_": ROOMS, "where": WRONG["where"], "local": [1, None], "volatile": [1, None]},
    "call": {"namespace": WRONG["namespace"], "timeout": WRONG["timeout"]},
    "iter_sockets": {"session": [1, None]},
    "iter_answers": {"event": EVENTS},
}
RIGHT = {"rooms": "red", "event": "event", "sid": "nobody"}
PYTHON = {"emit": ("event",), "call": ("event",)}
"""The calls of python-socketio itself, with the arguments that they need."""


def cases(sio):
    """Each call of a server, with each wrong value of each of its arguments."""
    for name, own in CALLS.items():
        if not hasattr(sio, name):
            continue
        method = getattr(sio, name)
        names = inspect.signature(method).parameters
        common = (
            {} if name in PYTHON else WRONG if "whom" in names else {k: WRONG[k] for k in WRONG if k in names}
        )
        for argument, values in {**common, **own}.items():
            for value in values:
                needed = {key: RIGHT[key] for key in RIGHT if key in names}
                if name == "call":
                    needed["to"] = "nobody"
                yield name, method, {**needed, argument: value}


async def test_asyncio():
    """Calls of an asyncio server, without a bus; nothing is asked."""
    manager = socketio_cluster.ClusterManager(None)
    sio = socketio_cluster.AsyncServer(async_mode="asgi", client_manager=manager)
    for name, method, arguments in cases(sio):
        with pytest.raises((TypeError, ValueError)):  # noqa: PT012 - some raise before they are awaited
            async with asyncio.timeout(5):
                await method(**arguments)
            pytest.fail(f"{name} takes {arguments}")
    assert manager.stats.emitted == 0
    await manager.close()


def test_threads():
    """Calls of a threaded server."""
    manager = socketio_cluster.SyncClusterManager(None)
    sio = socketio_cluster.Server(async_mode="threading", client_manager=manager)
    try:
        for name, method, arguments in cases(sio):
            with pytest.raises((TypeError, ValueError)):  # noqa: PT012 - it names what is taken
                method(**arguments)
                pytest.fail(f"{name} takes {arguments}")
        assert manager.stats.emitted == 0
    finally:
        manager.close()


STEPS = {
    "to": [(), (["red"],), *[(room,) for room in (1.5, None, b"red", "\ud800")]],
    "except_": [(["red"],), (1.5,), (None,)],
    "where": [(5,), (None,), ({"level>=": 3},)],
    "of": [(7,), ("chat",)],
    "timeout": [(0,), (-1,), (True,), ("5",)],
    "compress": [("yes",)],
}


def test_steps():
    """Each step of an operator says at once what is wrong, before the operator is used."""
    sio = socketio_cluster.AsyncServer(
        async_mode="asgi", client_manager=socketio_cluster.ClusterManager(None)
    )
    for name, wrong in STEPS.items():
        for arguments in wrong:
            with pytest.raises((TypeError, ValueError)):
                getattr(sio.of("/"), name)(*arguments)
    for arguments in ({"event": 5}, {"event": "tick", "callback": 5}, {"event": "tick", "skip_sid": 5}):
        with pytest.raises(TypeError):
            sio.of("/").emit(**arguments)


@pytest.mark.parametrize(
    ("ask", "text"),
    [
        (lambda sio: sio.fetch_sockets(namespace="chat"), "begins with '/': '/chat'"),
        (lambda sio: sio.fetch_sockets(timeout=True), "timeout is a number of seconds, not True"),
        (lambda sio: sio.emit_with_ack(5, 1), "named by a text, not 5"),
        (lambda sio: sio.fetch_sockets(where={"level>=": 3}), "a space before a relation"),
        (lambda sio: sio.fetch_sockets(where={"level > 3": 1}), "ends with its relation"),
        (lambda sio: sio.fetch_sockets(namespace=""), "begins with '/': '/', not ''"),
        (lambda sio: sio.emit_with_ack(""), "an event needs a name"),
        (lambda sio: sio.fetch_sockets(True), "named by a str or an int, not bool: True"),
        (lambda sio: sio.to(), "needs a room"),
        (lambda sio: sio.to(["red"]), r"write \*\['red'\]"),
        (lambda sio: sio.on_server(print), "named by a text"),
        (lambda sio: sio.on(test_steps), r"needs the name of an event: @sio\.on\('test_steps'\)"),
        (lambda sio: sio.on("say", namespace=""), "begins with '/'"),
        (lambda sio: sio.event(namespace="chat")(test_steps), "begins with '/': '/chat'"),
        (lambda sio: sio.on_server("reload", 5), "must be a function"),
        (lambda sio: sio.on_server("reload", print, namespace=7), "a namespace is a text"),
    ],
)
def test_what_to_do(ask, text):
    """The text says what was wrong, and what to write."""
    manager = socketio_cluster.ClusterManager(None)
    sio = socketio_cluster.AsyncServer(async_mode="asgi", client_manager=manager)
    with pytest.raises((TypeError, ValueError), match=text):
        ask(sio)
