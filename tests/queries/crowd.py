"""Nodes with thousands of clients that have no connection, for questions to many."""

from __future__ import annotations

import re
import time
from functools import partial
from types import SimpleNamespace

import socketio_cluster
from socketio_cluster.manager.clients.client import Client
from socketio_cluster.manager.ids import new_sid

ACK = re.compile(rb"^2(\d+)\[")


class CrowdedNode:
    """A node without a web server. Each client answers an event with its own number, once it has it."""

    def __init__(self, bus_url, prefix, **options):
        self.manager = socketio_cluster.ClusterManager(bus_url, prefix=prefix, **options)
        self.sio = socketio_cluster.AsyncServer(async_mode="asgi", client_manager=self.manager)

    async def start(self, clients):
        await self.manager.start()
        for number in range(clients):
            sid = new_sid(self.manager.node_id)
            session = {"/": {"number": number, "name": f"client {number}", "even": number % 2 == 0}}
            self.sio.eio.sockets[sid] = SimpleNamespace(session=session, upgraded=True)
            client = Client(sid, sid, "/", partial(self._answer, sid, number), 1000)
            self.manager.members.add(client)
            client.connected(time.time())

    async def stop(self):
        await self.manager.close()

    def _answer(self, sid, number, outgoing):
        ack_id = ACK.match(outgoing.encoded.parts[0])
        if ack_id is not None and number % 10:  # one of ten says nothing
            client = self.manager.members.clients[sid]
            self.manager.fanout.answered(client, int(ack_id[1]), [number])
