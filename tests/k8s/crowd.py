"""A program for a pod: clients of the demo that talk in a room, and at the end tell what they lived through.

It is sent as text, so it uses nothing of the tests. URL and SECONDS come from the environment.
"""

import asyncio
import json
import os
import time

import socketio

URL = os.environ["URL"]
SECONDS = float(os.environ["SECONDS"])
ROOM = "crowd"
EVERY = 0.1


class Person:
    def __init__(self, number):
        self.number = number
        self.transports = [["websocket"], ["polling"], ["polling", "websocket"]][number % 3]
        self.heard = []
        self.lost = 0
        self.nodes = []
        self.settled = asyncio.Event()
        self.sio = socketio.AsyncClient(reconnection_delay=0.5, reconnection_delay_max=1)
        self.sio.on("connect", self.enter)
        self.sio.on("disconnect", self.leave)
        self.sio.on("message", self.hear)

    async def enter(self):
        self.nodes.append((await self.sio.call("who"))["node"])
        await self.sio.call("join", ROOM)
        self.settled.set()

    async def leave(self, reason):
        self.lost += 1

    async def hear(self, message):
        self.heard.append(int(message["text"]))

    async def connect(self):
        await self.sio.connect(URL, transports=self.transports, wait_timeout=10)
        await self.settled.wait()


async def main():
    people = [Person(number) for number in range(6)]
    await asyncio.gather(*(person.connect() for person in people))
    speaker = people[0]
    print("connected", json.dumps([person.nodes[0] for person in people]), flush=True)
    said, end = 0, time.monotonic() + SECONDS
    while time.monotonic() < end:
        if speaker.sio.connected and "/" in speaker.sio.namespaces:
            await speaker.sio.emit("say", (ROOM, str(said)))
            said += 1
        await asyncio.sleep(EVERY)
    await asyncio.sleep(3)
    told = [{"lost": p.lost, "nodes": p.nodes, "heard": p.heard, "here": p.sio.connected} for p in people]
    print(json.dumps({"said": said, "people": told}), flush=True)
    await asyncio.gather(*(person.sio.disconnect() for person in people))


if __name__ == "__main__":
    asyncio.run(main())
