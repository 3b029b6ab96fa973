"""A console client: says what is typed, prints what others say, and comes back after a lost connection."""

import asyncio
import time

from socketio.exceptions import SocketIOError

from socketio_cluster import AsyncClient, Skip

WAITING = 100
"""Lines that wait for the connection; a further one waits at the keyboard."""


class Console:
    """One person at a terminal; ``write`` prints a line, every so many ``seconds`` it looks who is there."""

    def __init__(self, name, write=print, seconds=10.0):
        self.name = name
        self.write = write
        self.seconds = seconds
        self.muted = set()
        self._trouble = None
        self._lines = asyncio.Queue(WAITING)
        self._connected = asyncio.Event()
        self.sio = AsyncClient(reconnection_delay=0.2, reconnection_delay_max=5, handle_sigint=False)
        self.sio.middleware(self.check)
        self.sio.exception_handler(KeyError, TypeError, AttributeError)(self.odd)
        for handler in self.connect, self.disconnect, self.connect_error, self.said:
            self.sio.event(handler)

    async def run(self, url, lines):
        """Connect, say the lines that come, and leave after the last."""
        await self.sio.connect(url, auth={"name": self.name}, transports=["websocket"], retry=True)
        tasks = [self.sio.start_background_task(work) for work in (self.talk, self.look)]
        try:
            async for line in lines:
                await self.typed(line)
            await self._lines.join()
        finally:
            for task in tasks:
                task.cancel()
            await self.sio.disconnect()

    async def typed(self, line):
        """Take a line: ``/mute NAME``, again to undo it, or what shall be said."""
        if line.startswith("/mute "):
            self.muted ^= {line.removeprefix("/mute ")}
            self.write(f"* muted: {', '.join(sorted(self.muted)) or 'nobody'}")
        elif line:
            await self._lines.put(line)

    # what comes

    def check(self, event, args):
        """Leave out who is muted, and let nobody write escape sequences to this terminal."""
        if event == "said":
            message = args[0]
            if message["name"] in self.muted:
                raise Skip
            message["text"] = "".join(filter(str.isprintable, message["text"]))

    def odd(self, event, error):
        """Go on after a message that is not as it should be."""
        self.write(f"* the server sent an odd {event}: {error!r}")

    def said(self, message):
        self.write(f"{message['name']}: {message['text']}")

    def connect(self):
        self._trouble = None
        self._connected.set()
        self.write(f"* connected as {self.name}")

    def disconnect(self, reason):
        self._connected.clear()
        if reason != self.sio.reason.CLIENT_DISCONNECT:
            self.write("* the connection is lost; what you type is said when it is back")

    def connect_error(self, error):
        trouble = error["message"] if isinstance(error, dict) else error
        if trouble != self._trouble:  # told once, not at each try
            self._trouble = trouble
            self.write(f"* no connection: {trouble}")

    # what goes on meanwhile

    async def talk(self):
        """Say one line after the other; one without an answer is said again, when the connection is back."""
        while True:
            line = await self._lines.get()
            while (answer := await self.ask("say", line)) is None:
                await self._connected.wait()
            if "error" in answer:
                self.write(f"* not said: {answer['error']}")
            self._lines.task_done()

    async def look(self):
        """Tell how many people there are, when that changes."""
        last = None
        while True:
            began = time.monotonic()
            found = await self.ask("people")
            if found not in (None, last):
                milliseconds = (time.monotonic() - began) * 1000
                self.write(
                    f"* {found['people']} connected; you at {found['node']}, {milliseconds:.1f} ms away"
                )
                last = found
            await self.sio.sleep(self.seconds)

    async def ask(self, event, data=None):
        """Give the server's answer, None when it does not come."""
        try:
            return await self.sio.call(event, data, timeout=3)
        except SocketIOError:  # no connection, or no answer
            return None
