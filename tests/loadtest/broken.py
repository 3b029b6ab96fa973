"""A server that does wrong on purpose: its namespace says what, and it counts how often."""

from __future__ import annotations

import random
import time
from collections import Counter, defaultdict

import socketio

from socketio_cluster.loadtest.targets.events import new_server

USERS = 12
ONE_IN = {"/drop": 100, "/duplicate": 100, "/reorder": 100, "/leak": 10}

sio = new_server("broken", socketio.AsyncManager())
app = socketio.ASGIApp(sio)
faults = Counter()
talking = defaultdict(set)
settled = {}
held = {}
turns = random.Random(1)


@sio.on("connect", namespace="/locked")
async def refuse(sid, environ, auth):
    raise socketio.exceptions.ConnectionRefusedError("no such token")


@sio.on("connect", namespace="/mute")
async def no_welcome(sid, environ, auth):
    pass


@sio.on("join", namespace="*")
async def join(namespace, sid, room):
    await sio.enter_room(sid, room, namespace=namespace)
    return True


@sio.on("say", namespace="*")
async def say(namespace, sid, order):
    talking[namespace].add(sid)
    if len(talking[namespace]) == USERS:  # each of them has had the answer to its join, and counts since
        settled.setdefault(namespace, time.time())
    wrong = order["data"]["t"] > settled.get(namespace, float("inf"))
    sids = [member for member, _ in sio.manager.get_participants(namespace, order["room"])]
    for member in sids:
        if member == sid and order["skip"] and not (wrong and namespace == "/leak" and fault(namespace)):
            continue
        fails = (
            wrong and namespace in ONE_IN and namespace != "/leak" and fault(namespace, busy=member in held)
        )
        await deliver(namespace, member, order["data"], fails)
    return True


def fault(namespace, busy=False):
    happens = not busy and turns.randrange(ONE_IN[namespace]) == 0
    faults[namespace] += happens
    return happens


async def deliver(namespace, member, data, fails):
    if fails and namespace == "/drop":
        return
    if fails and namespace == "/reorder":
        held[member] = data
        return
    await sio.emit("said", data, to=member, namespace=namespace)
    if fails and namespace == "/duplicate":
        await sio.emit("said", data, to=member, namespace=namespace)
    if member in held and held[member]["src"] == data["src"]:
        await sio.emit("said", held.pop(member), to=member, namespace=namespace)


@sio.on("ask", namespace="*")
async def ask(namespace, sid, question):
    """Ask the client something back, and tell it what it has answered."""

    async def answered(*answer):
        await sio.emit("answered", answer, to=sid, namespace=namespace)

    await sio.emit("question", question, to=sid, namespace=namespace, callback=answered)


@sio.on("bye", namespace="*")
async def bye(namespace, sid):
    """Disconnect the client that asks for it."""
    await sio.disconnect(sid, namespace=namespace)


@sio.on("faults", namespace="*")
async def how_often(namespace, sid):
    """Faults that have come to light: what is still held back would be lost, not late."""
    return faults[namespace], sum(namespace == "/reorder" for _ in held)
