"""The application of the rollout's test: its clients talk in rooms, and it notes what it owes them.

It is mounted into the image, so it uses nothing of the tests. The ledger is on the bus's own Redis.
"""

import json
import os
import time
from collections import Counter
from pathlib import Path

import socketio
from redis.asyncio import BlockingConnectionPool, Redis

from socketio_cluster import ClusterManager

NODE = os.environ["CLUSTER_NODE_NAME"]
LEDGER = "ledger"
bus = Path(os.environ["CLUSTER_BUS_FILE"]).read_text().strip()
redis = Redis(connection_pool=BlockingConnectionPool.from_url(bus, max_connections=2))
sio = socketio.AsyncServer(async_mode="asgi", client_manager=ClusterManager())
app = socketio.ASGIApp(sio)
rooms = {}
said = Counter()


async def note(what, sid):
    """Write down how much this node had said in a client's room when it came or went."""
    entry = {"what": what, "sid": sid, "node": NODE, "said": said[rooms[sid]], "at": time.time()}
    await redis.rpush(LEDGER, json.dumps(entry))


@sio.event
async def connect(sid, environ, auth):
    """Enter the room that the client names; from here on all that is said there is owed to it."""
    rooms[sid] = auth["room"]
    await sio.enter_room(sid, auth["room"])
    await note("came", sid)


@sio.event
async def disconnect(sid, reason):
    """Nothing that is said from here on is owed."""
    await note("went", sid)
    del rooms[sid]


@sio.event
async def say(sid):
    """Tell everybody in the room the next number of this node, and when that was."""
    said[rooms[sid]] += 1
    await sio.emit("said", (NODE, said[rooms[sid]], time.time()), room=rooms[sid])


@sio.event
async def ledger(sid):
    """Give the whole ledger of all nodes."""
    return [json.loads(entry) for entry in await redis.lrange(LEDGER, 0, -1)]
