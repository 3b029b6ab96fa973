"""What `helm test` runs: clients through the Service on several pods, and emits that reach each once."""

import asyncio
import json
import os
import sys
from pathlib import Path

import socketio

URL = os.environ["TEST_URL"]
NAMESPACE = os.environ["TEST_NAMESPACE"]
AUTH = json.loads(os.environ["TEST_AUTH"])
CLIENTS = int(os.environ["TEST_CLIENTS"])
PODS = int(os.environ["TEST_PODS"])
FILES = Path("/etc/cluster")
EVENT = "helm test"
SECONDS = 20


class Client:
    """A connected client and what has come for it."""

    def __init__(self, transport: str) -> None:
        self.transport = transport
        self.got: list[str] = []
        self.some = asyncio.Event()
        self.sio = socketio.AsyncClient(reconnection=False)
        self.sio.on(EVENT, self.hear, namespace=NAMESPACE)

    async def connect(self) -> None:
        await self.sio.connect(
            URL, transports=[self.transport], auth=AUTH, namespaces=[NAMESPACE], wait_timeout=SECONDS
        )

    @property
    def sid(self) -> str:
        return self.sio.get_sid(NAMESPACE)

    @property
    def node(self) -> str:
        """A sid begins with the 8 characters of its node's id."""
        return self.sid[:8]

    async def hear(self, word: str) -> None:
        self.got.append(word)
        self.some.set()


async def connect() -> list[Client]:
    """Connect clients, polling and WebSocket in turn, until enough pods have one of each."""
    clients: list[Client] = []
    for number in range(CLIENTS):
        client = Client(("polling", "websocket")[number % 2])
        await client.connect()
        clients.append(client)
        nodes = {
            transport: {c.node for c in clients if c.transport == transport}
            for transport in ("polling", "websocket")
        }
        if all(len(found) >= PODS for found in nodes.values()):
            return clients
    sys.exit(
        f"{CLIENTS} clients reached only {len({c.node for c in clients})} of {PODS} pods: "
        f"{URL} does not spread connections"
    )


async def cross(clients: list[Client]) -> None:
    """Emit to each client by its sid, from this pod, which serves nobody; each has to get its own, once."""
    from socketio_cluster import AsyncEmitter

    secret = (FILES / "secret").read_text().strip()
    async with AsyncEmitter((FILES / "bus").read_text().strip(), secret=secret) as emitter:
        for client in clients:
            await emitter.emit(EVENT, client.sid, to=client.sid, namespace=NAMESPACE)
        async with asyncio.timeout(SECONDS):
            await asyncio.gather(*(client.some.wait() for client in clients))
        # A second round: what came twice or to the wrong client in the first is here by its end.
        for client in clients:
            client.some.clear()
            await emitter.emit(EVENT, "end", to=client.sid, namespace=NAMESPACE)
        async with asyncio.timeout(SECONDS):
            await asyncio.gather(*(client.some.wait() for client in clients))
    for client in clients:
        if client.got != [client.sid, "end"]:
            sys.exit(
                f"the {client.transport} client {client.sid} should have got its own sid and the end, "
                f"and got {client.got}"
            )


async def main() -> None:
    clients = await connect()
    print(
        f"{len(clients)} clients, polling and WebSocket, on {len({client.node for client in clients})} nodes"
    )
    if (FILES / "bus").exists():
        await cross(clients)
        print("an emit from another pod has reached each of them once")
    else:
        print("one pod without a bus: there is nothing to cross")
    for client in clients:
        await client.sio.disconnect()


asyncio.run(main())
