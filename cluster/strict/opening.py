"""The OPEN packet, with times to the millisecond."""

from __future__ import annotations

from typing import Any

from engineio import json

from socketio_cluster.manager.clients.compact_json import PacketJson


class Opening:
    """Corrects the OPEN packet of each new session of one Engine.IO server.

    python-engineio cuts the interval to whole seconds: with 25.5 s the client gives up half a second
    early, with 0.3 s at once.
    """

    def __init__(self, eio: Any) -> None:
        self._eio = eio
        self._connect = eio.handlers["connect"]
        eio.on("connect", self.connect)

    async def connect(self, eio_sid: str, environ: dict[str, Any]) -> Any:
        """Do it before anything else waits behind that packet."""
        eio = self._eio
        queue = eio.sockets[eio_sid].queue
        opening = queue.get_nowait()
        queue.task_done()
        opening.data["pingInterval"] = round((eio.ping_interval + eio.ping_interval_grace_period) * 1000)
        opening.data["pingTimeout"] = round(eio.ping_timeout * 1000)
        if opening.json is json:
            opening.json = PacketJson
        queue.put_nowait(opening)
        return await self._connect(eio_sid, environ)
