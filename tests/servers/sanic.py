"""The same application on Sanic: ``sanic tests.servers.sanic:app``."""

from __future__ import annotations

from sanic import Sanic

from tests.servers.handlers import make

app = Sanic("tests")
app.config.update(CORS_AUTOMATIC_OPTIONS=True, ACCESS_LOG=False)
sio = make("sanic")
sio.attach(app)


@app.before_server_stop
async def leave(*_):
    await sio.shutdown()
