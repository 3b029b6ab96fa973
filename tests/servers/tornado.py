"""The same application on Tornado: ``python -m tests.servers.tornado PORT``."""

from __future__ import annotations

import asyncio
import signal
import sys

import socketio
import tornado.web

from tests.servers.handlers import make


async def main(port):
    sio = make("tornado")
    application = tornado.web.Application([("/socket.io/", socketio.get_tornado_handler(sio))])
    server = application.listen(port, "127.0.0.1")
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    await stopping.wait()
    server.stop()
    await sio.shutdown()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
