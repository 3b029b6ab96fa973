"""The server's ``emit`` does itself what python-socketio's does, unless somebody has changed that."""

from __future__ import annotations

import logging

import pytest
import socketio

from socketio_cluster import ClusterManager

CALLS = {
    "everybody": ((), {}),
    "a room": ((), {"room": "red"}),
    "a client": ((), {"to": "sid", "namespace": "/chat", "callback": print}),
    "all by place": (("sid", None, ["other"], "/chat", print, True), {}),
    "this node": ((), {"skip_sid": "sid", "ignore_queue": True}),
}


class Own(socketio.AsyncServer):
    """A server of an application that has an ``emit`` of its own."""

    async def emit(self, *args, **options):
        await super().emit(*args, **options)


@pytest.fixture
def emits(monkeypatch, caplog):
    """Calls the emit of a server of some class, and returns what the manager and the log got."""

    async def make(kind, place, options):
        got = []

        async def emit(_, *args, **options):
            got.append((args, options))

        monkeypatch.setattr(ClusterManager, "emit", emit)
        logger = logging.getLogger("emits")
        caplog.clear()
        with caplog.at_level(logging.INFO, "emits"):
            sio = kind(client_manager=ClusterManager(), async_mode="asgi", logger=logger)
            await sio.emit("news", {"a": 1}, *place, **options)
        return got, [record.getMessage() for record in caplog.records if "emitting" in record.getMessage()]

    return make


@pytest.mark.parametrize("call", CALLS)
async def test_the_short_way_calls_and_logs_as_python_socketio(emits, call):
    """The manager and the log get the same, whether python-socketio's own emit runs or not."""
    short, general = await emits(socketio.AsyncServer, *CALLS[call]), await emits(Own, *CALLS[call])
    assert short == general
    assert len(short[0]) == len(short[1]) == 1


async def test_an_emit_of_the_application_is_called(emits):
    """A class whose emit changes the event is not passed over."""

    class Louder(socketio.AsyncServer):
        async def emit(self, event, *args, **options):
            await super().emit(event.upper(), *args, **options)

    got, _ = await emits(Louder, (), {})
    assert got[0][0][0] == "NEWS"
