"""What clients need to come back to another node: a way there, and a Python client that tries soon."""

from __future__ import annotations

import time

import socketio

from tests.forward.balancer import Balancer


class Doors(Balancer):
    """A balancer that can be led to another place; connections that are open stay where they are."""

    def __init__(self, urls):
        super().__init__(urls, http=False)

    def lead_to(self, url):
        """Lead new connections to this node."""
        self._places = Balancer([url], http=False)._places


async def reconnecting(url, transports):
    """A python-socketio client that comes back as it does by default, but sooner; ``came`` has the times."""
    client = socketio.AsyncClient(reconnection_delay=0.1, reconnection_delay_max=0.5, handle_sigint=False)
    client.came = []
    client.on("connect", lambda: client.came.append(time.monotonic()))
    await client.connect(url, transports=transports)
    return client
