"""Wrong set-ups speak: one sentence says what to change."""

from __future__ import annotations

import logging

import aiohttp
import django.core.handlers.wsgi
import fastapi
import flask
import flask_socketio
import litestar
import pytest
import socketio
from starlette.applications import Starlette

from socketio_cluster import AsyncServer, ClusterManager, Server, SyncClusterManager
from socketio_cluster.cluster.errors import UsageError
from socketio_cluster.cluster.wrong_setup import check_interface, outsiders, own_buses
from tests.cluster.command import Command, run
from tests.harness import Node

OUTSIDERS = [
    "this AsyncServer has no ClusterManager, so clients on one worker hear nothing of the others",
    "the manager of this AsyncServer is python-socketio's AsyncRedisManager, so serve cannot pass on polls",
    "nobody in this cluster hears what python-socketio's RedisManager emits",
]


def test_workers_name_outsiders():
    """Under two workers each names, once, a server without a manager, a stock one and a stock emitter."""
    with Command("serve", "tests.cluster.wrong:app", "--port=0", "--workers=2") as command:
        command.nodes(2)
        for text in OUTSIDERS:
            command.wait_for(text, times=2)
    warnings = [line for line in command.lines if "WARNING" in line or "WARN " in line]
    assert len(warnings) == 2 * len(OUTSIDERS)


def test_one_worker_needs_no_manager():
    """A server without a manager is right on one worker, and one of ours on several."""
    plain = socketio.AsyncServer(async_mode="asgi")
    ours = AsyncServer(async_mode="asgi", client_manager=ClusterManager())
    assert OUTSIDERS[0] in "\n".join(outsiders(several=True))
    assert OUTSIDERS[0] not in "\n".join(outsiders(several=False))
    del plain, ours


def test_a_bus_that_the_application_names(monkeypatch):
    """A bus that is not the one of serve is named, without its password."""
    monkeypatch.setenv("CLUSTER_BUS", "redis://one:6379/0")
    same = [ClusterManager(), ClusterManager("redis://one:6379/0")]
    assert own_buses(same) == []
    (sentence,) = own_buses([*same, ClusterManager("redis://me:word@two:6379/0")])
    assert "two:6379" in sentence
    assert "word" not in sentence
    assert own_buses([ClusterManager("local://")]) == [
        "the application names its bus itself: local://, whatever serve says"
    ]


@pytest.mark.parametrize("given", [None, "local:///run/bus.sock"])
def test_the_bus_of_serve_by_its_short_name(monkeypatch, given):
    """An application that names the local bus names that of serve, which has its own socket."""
    monkeypatch.delenv("CLUSTER_BUS", raising=False)
    if given is not None:
        monkeypatch.setenv("CLUSTER_BUS", given)
    assert own_buses([ClusterManager("local://"), ClusterManager(given)]) == []


@pytest.mark.parametrize(
    ("app", "text"),
    [
        ("wsgi:app", "tests.cluster.wsgi:app is a WSGI application, and serve runs ASGI ones: let gunicorn"),
        ("wrong_server:app", "wrong_server.py:7: a Server on threads takes a SyncClusterManager"),
    ],
)
def test_what_cannot_be_served(app, text):
    """A WSGI application and a manager of the wrong kind end the start with one sentence."""
    done = run("serve", f"tests.cluster.{app}", "--port=0", "--workers=2")
    assert done.returncode == 2, done.stderr
    assert done.stderr.count(text) == 1
    assert "Traceback" not in done.stderr


def wsgi_apps():
    django.conf.settings.configured or django.conf.settings.configure()
    yield flask.Flask("shop")
    yield django.core.handlers.wsgi.WSGIHandler()
    yield socketio.WSGIApp(Server(async_mode="threading"))


def test_wsgi_is_known():
    """The applications of Flask, of Django and of a threaded server are WSGI."""
    for app in wsgi_apps():
        with pytest.raises(UsageError, match="shop:app is a WSGI application"):
            check_interface(app, "shop:app")


class DoubleCallable:
    """An application of ASGI 2."""

    def __init__(self, scope):
        pass

    async def __call__(self, receive, send):
        pass


@pytest.mark.parametrize(
    "app",
    [
        socketio.ASGIApp(AsyncServer(async_mode="asgi")),
        fastapi.FastAPI(),
        Starlette(),
        litestar.Litestar(),
        DoubleCallable,
        lambda *arguments: None,
        print,
    ],
    ids=["python-socketio", "FastAPI", "Starlette", "Litestar", "double callable", "lambda", "built in"],
)
def test_asgi_is_known(app):
    """What takes three arguments, or one as in ASGI 2, or any number, is served."""
    check_interface(app, "shop:app")


def test_a_message_queue_beside_a_manager(caplog):
    """Flask-SocketIO's own queue beside a SyncClusterManager is named, without its password."""
    manager = SyncClusterManager(None)
    own = flask_socketio.SocketIO(
        flask.Flask("shop"),
        client_manager=manager,
        message_queue="redis://user:secret@nowhere",
        async_mode="threading",
    )
    own.emit("news")
    own.server.shutdown()
    [record] = [one for one in caplog.records if one.levelno == logging.WARNING]
    assert record.getMessage().startswith(
        "SocketIO(message_queue='redis://user:***@nowhere') reaches no client of this cluster: leave"
    )
    del own


async def test_a_client_of_version_2(caplog):
    """Requests of Socket.IO 2 are refused, and the log says once which client is needed."""
    node = Node(None, "sio")
    await node.start()
    try:
        async with aiohttp.ClientSession() as http:
            for version in (3, 3, 5, 4):
                async with http.get(f"{node.url}/socket.io/?EIO={version}&transport=polling") as answer:
                    assert answer.status == (200 if version == 4 else 400)
    finally:
        await node.stop()
    told = [one.getMessage() for one in caplog.records if "Socket.IO 2" in one.getMessage()]
    assert len(told) == 1
    assert "needs socket.io-client 4" in told[0]
