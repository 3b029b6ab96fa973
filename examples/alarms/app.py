"""Warehouses and their alarms: python -m socketio_cluster serve examples.alarms.app:app --workers 2"""

from __future__ import annotations

import logging
import os
import sqlite3
import time
from pathlib import Path

import socketio

import socketio_cluster
from examples.alarms.warehouse import Warehouse
from socketio_cluster import AsyncServer, ClusterManager, PlainWebSockets, Refused

HERE = Path(__file__).parent
CLIENT = Path(socketio_cluster.__file__).parent / "cluster" / "demo" / "static" / "socket.io.min.js"
LONGEST = 24 * 60
"""Minutes that one may look back."""

sio = AsyncServer(async_mode="asgi", client_manager=ClusterManager())
warehouse = Warehouse(os.environ.get("ALARMS_DB", str(HERE / "alarms.sqlite")))


def whole(value, what, least, most):
    """A whole number from a client; refuses anything else with words for people."""
    if type(value) is not int or not least <= value <= most:
        raise Refused(f"{what} must be a whole number from {least} to {most}, not {value!r:.40}")
    return value


def room_of(storehouse):
    return f"storehouse:{storehouse}"


@sio.middleware
async def one_value(sid, event, args):
    if event != "connect" and len(args) > 1:
        raise Refused(f"{event} takes one value, not {len(args)}")


@sio.event
async def connect(sid, environ, auth):
    await sio.save_session(sid, {"storehouse": None})


@sio.event
async def organisations(sid, *_):
    return await warehouse.rows("select * from organisation order by name")


@sio.event
async def storehouses(sid, organisation=None):
    number = whole(organisation, "an organisation", 1, 2**31)
    found = await warehouse.rows("select * from storehouse where organisation = ? order by name", number)
    if not found:
        raise Refused(f"there is no organisation {number}")
    return found


@sio.event
async def register(sid, storehouse=None):
    """Begin to get the measurements and alarms of one storehouse, instead of those of another."""
    number = whole(storehouse, "a storehouse", 1, 2**31)
    found = await warehouse.rows("select * from storehouse where id = ?", number)
    if not found:
        raise Refused(f"there is no storehouse {number}")
    await unregister(sid)
    session = await sio.get_session(sid)
    session["storehouse"] = number
    await sio.enter_room(sid, room_of(number))
    return found[0]


@sio.event
async def unregister(sid, *_):
    session = await sio.get_session(sid)
    if session["storehouse"] is not None:
        await sio.leave_room(sid, room_of(session["storehouse"]))
        session["storehouse"] = None
    return {}


@sio.event
async def alarms(sid, minutes=None):
    """The alarms of the last minutes at the storehouse one is registered for, the latest first."""
    since = time.time() - 60 * whole(minutes, "minutes", 1, LONGEST)
    session = await sio.get_session(sid)
    if session["storehouse"] is None:
        raise Refused("register for a storehouse first")
    query = "select * from alarm where storehouse = ? and second >= ? order by second desc limit 200"
    return await warehouse.rows(query, session["storehouse"], since)


async def watch():
    """At each full second, measure if no other node does, and tell those registered on all nodes."""
    while True:
        await sio.sleep(1 - time.time() % 1)
        try:
            measured, raised = await warehouse.tick(int(time.time()))
        except sqlite3.OperationalError:
            logging.exception("the database is busy: the next second comes")
            continue
        for event, all_of_them in (("measured", measured), ("alarm", raised)):
            for one in all_of_them:
                await sio.emit(event, one, room=room_of(one["storehouse"]))


async def start():
    sio.watching = sio.start_background_task(watch)


async def stop():
    sio.watching.cancel()


pages = {"/": str(HERE / "page" / "index.html"), "/socket.io.min.js": str(CLIENT)}
pages |= {f"/{name}": str(HERE / "page" / name) for name in ("style.css", "app.js")}
app = PlainWebSockets(sio, socketio.ASGIApp(sio, static_files=pages, on_startup=start, on_shutdown=stop))
