"""The official JavaScript client behind the same interface as the Python one."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import json
import subprocess
from pathlib import Path

from tests.harness import SECONDS, Client, Refused
from tests.services.process import program

HERE = Path(__file__).parent / "js"


def install():
    """Fetch the packages of clients and servers, exactly as locked, unless they are there."""
    packages = json.loads((HERE / "package.json").read_text())
    names = [*packages["dependencies"], *packages["devDependencies"]]
    if not all((HERE / "node_modules" / name).exists() for name in names):
        subprocess.run([program("npm", package="npm"), "ci", "--silent"], cwd=HERE, check=True)


def pack(value):
    """Mark bytes for the trip through JSON."""
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, (list, tuple)):
        return [pack(item) for item in value]
    if isinstance(value, dict):
        return {key: pack(item) for key, item in value.items()}
    return value


def unpack(value):
    """Undo ``pack``."""
    if isinstance(value, list):
        return [unpack(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "$bytes" in value:
        return base64.b64decode(value["$bytes"])
    return {key: unpack(item) for key, item in value.items()}


class JsClient(Client):
    """One ``socket.io-client`` in the driver's process."""

    def __init__(self, driver, number):
        super().__init__()
        self.driver = driver
        self.number = number
        self.opened = asyncio.get_running_loop().create_future()
        self.answers = {}
        self.connects = asyncio.Queue()  # whether it was recovered, each time that it has connected

    def tell(self, command, **parameters):
        self.driver.write({"command": command, "client": self.number, **parameters})

    async def emit(self, event, *args):
        self.tell("emit", event=event, args=pack(args))

    async def call(self, event, *args):
        """Emit and give the list of the ack's arguments."""
        number = self.driver.count()
        self.answers[number] = asyncio.get_running_loop().create_future()
        self.tell("call", id=number, event=event, args=pack(args))
        return await asyncio.wait_for(self.answers[number], SECONDS)

    def drop(self):
        """Close the connection beneath the client, as a lost one does, and as its documentation shows."""
        self.tell("drop")

    def reconnect(self):
        """Connect again after ``disconnect``."""
        self.tell("reconnect")

    async def disconnect(self):
        self.tell("disconnect")
        await asyncio.wait_for(self.gone.wait(), SECONDS)

    def happened(self, what, **details):
        if what == "event":
            self.events.put_nowait((details["event"], unpack(details["args"])))
        elif what == "answer":
            self.answers.pop(details["id"]).set_result(unpack(details["args"]))
        elif what == "connect":
            self.sid, self.pid = details["sid"], details["pid"]
            self.connects.put_nowait(details["recovered"])
            self.gone.clear()  # it may have come back
            if not self.opened.done():
                self.opened.set_result(None)
        elif what == "disconnect":
            self.lost(details["reason"])
        elif what == "refused" and not self.opened.done():  # otherwise it tries again
            self.lost("refused")
            self.opened.set_exception(Refused(details["message"], details["data"]))


class Driver:
    """A node process that holds the clients of one test."""

    def __init__(self, process):
        self.process = process
        self.count = itertools.count().__next__
        self.clients = {}

    def write(self, message):
        self.process.stdin.write(json.dumps(message).encode() + b"\n")

    async def read(self):
        async for line in self.process.stdout:
            message = json.loads(line)
            self.clients[message.pop("client")].happened(**message)

    @contextlib.asynccontextmanager
    async def client(
        self,
        node,
        *,
        transports=("websocket",),
        serializer="default",
        namespace="/",
        auth=None,
        reply=True,
        reconnection=False,
        query=None,
        beside=None,
        **more,
    ):
        """A connected client; raises ``Refused`` when the server refuses. ``more`` is for ``io``.

        It shares the connection of the client ``beside`` it, which is in another namespace.
        """
        one = JsClient(self, self.count())
        self.clients[one.number] = one
        options = {"transports": list(transports), "auth": auth or {}, "reconnection": reconnection}
        options |= {"query": query or {}, **more}
        url = node.url + namespace
        shared = None if beside is None else beside.number
        one.tell("connect", url=url, options=options, serializer=serializer, reply=reply, beside=shared)
        await asyncio.wait_for(one.opened, SECONDS)
        try:
            yield one
        finally:
            if not one.gone.is_set():
                await one.disconnect()


@contextlib.asynccontextmanager
async def js_driver():
    """Start the driver; it ends with its stdin."""
    process = await asyncio.create_subprocess_exec(
        program("node", package="nodejs"),
        str(HERE / "driver.js"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=2**24,
    )
    driver = Driver(process)
    reading = asyncio.create_task(driver.read())
    try:
        yield driver
    finally:
        process.stdin.close()
        await asyncio.wait_for(process.wait(), SECONDS)
        await reading
