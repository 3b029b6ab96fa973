"""What permessage-deflate costs a node: `python -m benchmarks.deflate`, in one process, without a network.

The settings are those of uvicorn, which serves under `--ws-per-message-deflate on`.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame, Opcode

CLIENTS = 2000
ROUNDS = 1000


def message(size: int, turn: int = 0) -> bytes:
    """Return a Socket.IO event of at least so many bytes: like records, with other values each turn."""
    records: list[dict[str, Any]] = []
    while True:
        number = len(records) + 1
        records.append(
            {"id": number, "name": f"sensor-{number}", "value": (number + turn) * 7919 % 1000 / 10}
        )
        text = "42" + json.dumps(["readings", records], separators=(",", ":"))
        if len(text) >= size:
            return text.encode()


def compressor() -> PerMessageDeflate:
    """What one connection of uvicorn has."""
    return PerMessageDeflate(False, False, 12, 12, {"memLevel": 5})


def resident() -> int:
    """The bytes of memory that this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    """Print the memory of a connection, and for some sizes the time and the bytes of a message."""
    sent = Frame(Opcode.TEXT, message(300))
    received = compressor().encode(sent)
    before = resident()
    connections = [compressor() for _ in range(CLIENTS)]
    for connection in connections:
        connection.encode(sent)
        connection.decode(received)
    print(f"{(resident() - before) / CLIENTS / 1024:.0f} KiB a connection")
    for size in (100, 1000, 10_000):
        frames = [Frame(Opcode.TEXT, message(size, turn)) for turn in range(ROUNDS)]
        one = compressor()
        began = time.process_time()
        written = sum(len(one.encode(frame).data) for frame in frames) / ROUNDS
        taken = (time.process_time() - began) / ROUNDS * 1e6
        print(f"{len(frames[0].data)} bytes: {taken:.0f} µs for each client, {written:.0f} bytes on the wire")


if __name__ == "__main__":
    main()
