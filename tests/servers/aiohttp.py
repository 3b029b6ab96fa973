"""The same application on aiohttp: ``python -m tests.servers.aiohttp PORT``."""

from __future__ import annotations

import sys

from aiohttp import web

from tests.servers.handlers import make


def main(port):
    sio = make("aiohttp")
    app = web.Application()
    sio.attach(app)
    app.on_shutdown.append(lambda _: sio.shutdown())
    web.run_app(app, host="127.0.0.1", port=port, print=None)


if __name__ == "__main__":
    main(int(sys.argv[1]))
