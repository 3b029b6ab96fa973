"""Runs the load test's client through all that a server may send it; prints what came of it as JSON."""

from __future__ import annotations

import json
import sys

import gevent
import locust  # patches the standard library, as in every load test
from gevent.event import AsyncResult, Event

from socketio_cluster.loadtest.address import Address
from socketio_cluster.loadtest.client import Client
from socketio_cluster.loadtest.errors import CallTimeout, Disconnected

assert locust
PAYLOADS = [
    "", "ünï ✓", 0, -1.5, True, [], {}, {"a": [1, {"b": None}]}, "x" * 300_000,
    b"", b"\x00\xff", {"one": b"1", "more": [b"2", {"three": b"3" * 100_000}]},
]  # fmt: skip


def probe(url: str, transport: str) -> dict:
    """What worked on this transport."""
    answered, gone = AsyncResult(), Event()

    def on_event(event, args, namespace):
        if event == "question":
            return {"to": args[0], "bytes": b"\x01"}
        if event == "answered":
            answered.set(args[0])

    client = Client(Address(url, transport, namespaces=("/one", "/two")), on_event, lambda reason: gone.set())
    echoes = [client.call("echo", payload, namespace="/one")[0] for payload in PAYLOADS]
    together = [gevent.spawn(client.call, "echo", number, namespace="/two") for number in range(50)]
    gevent.joinall(together)
    client.emit("ask", "who", namespace="/two")
    answer = answered.get(timeout=5)
    try:
        client.call("nobody answers this", namespace="/one", timeout=0.2)
    except CallTimeout as error:
        timeout = str(error)
    waiting = gevent.spawn(client.call, "bye", namespace="/one")
    try:
        waiting.get(timeout=5)
        ended = "answered"
    except Disconnected:
        ended = "disconnected"
    return {
        "changed": [repr(one)[:80] for one, sent in zip(echoes, PAYLOADS, strict=True) if one != sent],
        "in order": [one.value for one in together] == [[number] for number in range(50)],
        "sids": len(set(client.sids.values())),
        "answer": answer["to"] if answer["bytes"] == b"\x01" else "wrong",
        "timeout": timeout,
        "ended": ended,
        "told": gone.wait(5),
        "connected": client.connected,
    }


print(json.dumps({transport: probe(sys.argv[1], transport) for transport in ("websocket", "polling")}))
