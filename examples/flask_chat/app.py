"""A chat in rooms with Flask-SocketIO; its workers, on any number of machines, are one server."""

from pathlib import Path

from flask import Flask, request, send_from_directory, session
from flask_socketio import ConnectionRefusedError, SocketIO, emit, join_room, leave_room, rooms  # noqa: A004

from socketio_cluster import AnyNode, SyncClusterManager

CLIENT = (
    Path(__file__).parents[2] / "cluster" / "demo" / "static"
)  # where the repository keeps the client library
MOST_ROOMS = 12

app = Flask(__name__, static_url_path="")
manager = SyncClusterManager()  # CLUSTER_BUS names the bus
socketio = SocketIO(app, client_manager=manager, async_mode="threading")
AnyNode(manager)  # any worker may get any request


class Refused(Exception):
    """The text is shown to whoever asked."""


@app.get("/")
def page():
    return app.send_static_file("index.html")


@app.get("/socket.io.min.js")
def client_library():
    return send_from_directory(CLIENT, "socket.io.min.js")


@app.post("/announce")
def announce():
    """An ordinary request tells a room, on all workers."""
    room, text = texts([request.form.get("room"), request.form.get("text")], room=24, text=500)
    socketio.emit("message", {"room": room, "text": text, "name": "Announcement", "node": node()}, to=room)
    return "", 204


@app.errorhandler(Refused)
def bad_request(error):
    return {"error": str(error)}, 400


@socketio.on_error_default
def failed(error):
    """What this returns is the answer to the client; one that was connecting would be let in with it."""
    if not isinstance(error, Refused):
        app.logger.error("an event failed", exc_info=error)
        error = "the server failed, and has a record of it"
    if request.event["message"] == "connect":
        raise ConnectionRefusedError(str(error))
    return {"error": str(error)}


@socketio.on("connect")
def connect(auth):
    [session["name"]] = texts([auth.get("name") if isinstance(auth, dict) else None], name=24)
    emit("welcome", {"node": node(), "name": session["name"]})


@socketio.on("join")
def join(*values):
    [room] = texts(values, room=24)
    if room not in rooms():
        if len(rooms()) > MOST_ROOMS:  # a client's own room is one of them
            raise Refused(f"{MOST_ROOMS} rooms are enough: leave one first")
        join_room(room)
        emit("notice", told(room, "joined"), to=room)
    return {"room": room}


@socketio.on("leave")
def leave(*values):
    room = member(*texts(values, room=24))
    leave_room(room)
    emit("notice", told(room, "left"), to=room)
    return {"room": room}


@socketio.on("say")
def say(*values):
    room, text = texts(values, room=24, text=500)
    emit("message", told(member(room), text), to=room)
    return {"room": room}


@socketio.on("disconnect")
def disconnect(reason):
    for room in rooms():
        if room != request.sid:
            emit("notice", told(room, "left"), to=room, include_self=False)


def told(room, text):
    return {"room": room, "text": text, "name": session["name"], "node": node(), "sid": request.sid}


def node():
    return manager.options.name or manager.node_id


def member(room):
    if room not in rooms() or room == request.sid:
        raise Refused("join the room first")
    return room


def texts(values, **limits):
    """The values, of which each must be text up to its limit: room=24, text=500."""
    if len(values) != len(limits):
        raise Refused(f"this takes {' and '.join(limits)}, not {len(values)} values")
    return [clean(value, what, most) for value, (what, most) in zip(values, limits.items(), strict=True)]


def clean(value, what, most):
    if not isinstance(value, str) or not value.strip():
        raise Refused(f"{what} must be text, and not empty")
    text = " ".join(value.split())
    if what != "text" and not text.isprintable():
        raise Refused(f"{what} must have only characters that can be seen")
    if len(text) > most:
        raise Refused(f"{what} has at most {most} characters, this one {len(text)}")
    return text
