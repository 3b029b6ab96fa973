"""Presence on threaded nodes, which have the same calls, each waiting for its result."""

from __future__ import annotations

import asyncio
import threading

import pytest
import socketio

from socketio_cluster import Server
from tests.flask.threaded import ThreadedNode, mixed
from tests.harness import Node, client, eventually
from tests.presence.view import View


@pytest.mark.parametrize("face", ["manager", "server"])
async def test_threads_track(face, local_url, prefix, monkeypatch):
    """Clients of a threaded and of an asyncio node see each other; handlers run once, in threads here."""
    if face == "server":
        monkeypatch.setattr(socketio, "Server", Server)  # the class that Flask-SocketIO makes
    async with mixed((ThreadedNode, Node), local_url, prefix) as (threaded, plain):
        presence = (threaded.manager if face == "manager" else threaded.socketio.server).presence
        other = plain.manager.presence
        calls, threads = [], set()

        def heard(kind):
            def hear(*call):
                threads.add(threading.current_thread())
                calls.append((kind, *call))

            return hear

        for each in (presence, other):
            each.on_join(heard("join"))
            each.on_leave()(heard("leave"))
        async with client(threaded) as a, client(plain) as b:
            rooms = [f"room-{number}" for number in range(8)]

            def work():
                for room in rooms:
                    presence.track(a.sid, room, key="ada", meta={"x": 1})
                presence.update(a.sid, "room-0", {"x": 2})
                presence.watch(b.sid, "room-0")  # a client of the other node
                assert presence.list("room-0") == {"ada": [{"x": 2}]}
                assert presence.count("room-0") == 1
                with pytest.raises(ValueError, match="not connected"):
                    presence.track("x" * 20, "room-0")

            await asyncio.to_thread(work)
            await View(b, "room-0").shows({"ada": [{"x": 2}]})
            await other.track(b.sid, "room-0", key="bob")
            await View(a, "room-0").shows({"ada": [{"x": 2}], "bob": [{}]})
            await eventually(lambda: len(calls) == 9)
            await asyncio.to_thread(presence.untrack, a.sid)
            await eventually(lambda: len(calls) == 17)
            assert sorted({call[0] for call in calls}) == ["join", "leave"]
            assert len({call[:3] for call in calls}) == 17
            assert threads - {threading.current_thread()}
