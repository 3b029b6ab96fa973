"""The OPEN packet, with times to the millisecond."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engineio import json

from socketio_cluster.manager.clients.compact_json import PacketJson
from socketio_cluster.manager.host.server import Host


def correct_opening(host: Host) -> None:
    """Correct the OPEN packet of each new session of a server.

    python-engineio cuts the interval to whole seconds: with 25.5 s the client gives up half a second
    early, with 0.3 s at once.
    """

    def before(connect: Callable[..., Any]) -> Callable[..., Any]:
        async def connected(eio_sid: str, environ: dict[str, Any]) -> Any:
            # Here nothing else waits behind that packet yet. A plain client gets none.
            queue = host.engine.sockets[eio_sid].queue
            if not queue.empty():
                opening = queue.get_nowait()
                queue.task_done()
                _correct(opening, host.engine)
                queue.put_nowait(opening)
            return await connect(eio_sid, environ)

        return connected

    host.connect.put("strict", before)


def _correct(opening: Any, eio: Any) -> None:
    opening.data["pingInterval"] = round((eio.ping_interval + eio.ping_interval_grace_period) * 1000)
    opening.data["pingTimeout"] = round(eio.ping_timeout * 1000)
    if opening.json is json:
        opening.json = PacketJson
