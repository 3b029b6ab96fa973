"""A node that emits numbered events of 1 byte to 1 MB by itself; its arguments: the bus, the prefix, a seed.

It writes a line when it serves, begins to emit at the first line that it reads, and stops at the second: then
it writes how much it has emitted. It serves until its input ends.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys

from tests.harness import Node, eventually

PER_SECOND = 20
MEBIBYTE = 1 << 20


def size(dice):
    """Most events are small, some are up to 1 MB."""
    return int(10 ** (dice.uniform(0, 3) if dice.random() < 0.95 else dice.uniform(3, 6)))


def body(number, length):
    """What event ``number`` carries: text or bytes of one letter."""
    letter = chr(97 + number % 26)
    return letter * length if number % 2 else letter.encode() * length


async def emit(node, dice, counts):
    """Emit until cancelled: to everybody, and to the room in which every client is."""
    while True:
        for kind, room in (("all", None), ("room", "everybody")):
            number, length = counts[kind] + 1, size(dice)
            counts[kind] = number
            await node.sio.emit(
                "item", (node.manager.node_id, kind, number, length, body(number, length)), room=room
            )
        await asyncio.sleep(dice.expovariate(PER_SECOND))


async def main(url, prefix, seed):
    node = Node(
        url,
        prefix,
        buffer_bytes=256 * MEBIBYTE,
        client_bytes=256 * MEBIBYTE,
        server_options={"ping_interval": 20, "ping_timeout": 120},
    )

    async def join(sid):
        await node.sio.enter_room(sid, "everybody")

    node.sio.on("join", join)
    await node.start()
    await eventually(lambda: node.manager.ready, 60)
    identity = node.manager.node_id
    counts = {"all": 0, "room": 0}

    def named():
        return {f"{identity} {kind}": number for kind, number in counts.items()}

    print(json.dumps({"url": node.url, "id": identity}), flush=True)
    read = asyncio.get_running_loop().run_in_executor
    await read(None, sys.stdin.readline)  # everybody is there: begin
    emitting = asyncio.create_task(emit(node, random.Random(seed), counts))
    await read(None, sys.stdin.readline)
    emitting.cancel()
    await asyncio.gather(emitting, return_exceptions=True)
    print(json.dumps(named()), flush=True)
    await read(None, sys.stdin.read)
    await node.stop()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
