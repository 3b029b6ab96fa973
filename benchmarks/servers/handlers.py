"""The events of the benchmark, for the servers written with python-socketio."""

from __future__ import annotations

import asyncio
import time
from typing import TypedDict

import socketio

PAYLOAD = 128


class Order(TypedDict):
    """What to emit: ``count`` messages to the rooms in turn (no rooms: to all), by so many concurrent loops.

    At ``rate`` messages a second from each loop; 0: flat out, each followed by one turn of the event loop.
    """

    prefix: str
    rooms: int
    count: int
    rate: int
    emitters: int


def add_handlers(sio: socketio.AsyncServer) -> None:
    """Give a server the events ``join``, ``leave``, ``echo`` and ``flood``."""

    @sio.event
    async def join(sid: str, rooms: list[str]) -> str:
        for room in rooms:
            await sio.enter_room(sid, room)
        return "ok"

    @sio.event
    async def leave(sid: str, rooms: list[str]) -> str:
        for room in rooms:
            await sio.leave_room(sid, room)
        return "ok"

    @sio.event
    async def echo(sid: str, data: str) -> str:
        return data

    @sio.event
    async def flood(sid: str, order: Order) -> str:
        await asyncio.gather(*(_emit(sio, order, first) for first in range(order["emitters"])))
        return "ok"


async def _emit(sio: socketio.AsyncServer, order: Order, first: int) -> None:
    began = time.monotonic()
    for done, number in enumerate(range(first, order["count"], order["emitters"]), 1):
        room = f"{order['prefix']}{number % order['rooms']}" if order["rooms"] else None
        await sio.emit("m", f"{time.monotonic_ns():020}".ljust(PAYLOAD, "x"), room=room)
        due = began + done / order["rate"] if order["rate"] else 0
        await asyncio.sleep(max(0, due - time.monotonic()))
