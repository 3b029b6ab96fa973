"""Nodes of threaded servers are asked like the others."""

from __future__ import annotations

from socketio_cluster import ClientAnswer
from tests.flask.threaded import ThreadedNode, mixed
from tests.harness import Node, client


async def test_threaded_node(local_url, prefix):
    """The clients of a threaded node are found, asked, moved, emitted to and disconnected by another node."""
    async with mixed((ThreadedNode, Node), local_url, prefix) as nodes:
        asker = nodes[1].manager
        async with client(nodes[0]) as threaded, client(nodes[1]) as plain:
            sids = {threaded.sid, plain.sid}
            sockets = await asker.fetch_sockets()
            assert {one.sid for one in sockets} == sids
            assert {one.transport for one in sockets} == {"websocket"}
            assert {one.address for one in sockets} == {"127.0.0.1"}
            assert await asker.sockets_join("red") == 2
            await asker.to("red").except_(plain.sid).volatile.emit("tick", 1)
            assert await threaded.next("tick") == [1]
            assert await asker.emit_with_ack("ask", 2, threaded.sid) == [ClientAnswer(threaded.sid, 2)]
            assert await asker.fetch_rooms() == {"red": 2}
            assert await asker.disconnect_sockets() == 2
            await threaded.gone.wait()
            await plain.gone.wait()
            assert await asker.count() == 0
