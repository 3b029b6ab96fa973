"""What the console talks to: python -m socketio_cluster serve examples.client.app:app"""

import socketio

from socketio_cluster import AsyncServer, ClusterManager, Refused

LONGEST = 500

manager = ClusterManager()
sio = AsyncServer(async_mode="asgi", client_manager=manager)
app = socketio.ASGIApp(sio)


@sio.middleware
async def check(sid, event, args):
    """Let in who has a name, and through what is text."""
    if event == "connect":
        name = args[1].get("name") if isinstance(args[1], dict) else None
        if not (isinstance(name, str) and name.strip() and len(name) <= 20 and name.isprintable()):
            raise Refused("a name has 1 to 20 characters that can be seen")
    elif event == "say":
        text = args[0] if len(args) == 1 else None
        if not (isinstance(text, str) and text.strip() and len(text) <= LONGEST):
            raise Refused(f"say something of 1 to {LONGEST} characters")


@sio.event
async def connect(sid, environ, auth):
    await sio.save_session(sid, {"name": auth["name"]})


@sio.event
async def say(sid, text):
    session = await sio.get_session(sid)
    await sio.emit("said", {"name": session["name"], "text": text}, skip_sid=sid)
    return {"ok": True}


@sio.event
async def people(sid, *_):
    """How many are connected, to which node this one."""
    nodes = manager.nodes()
    return {"people": sum(node.clients for node in nodes.values()), "node": nodes[manager.node_id].name}
