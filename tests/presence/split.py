"""A bus that loses without a word what one half of the nodes says to the other half."""

from __future__ import annotations

import contextlib

from socketio_cluster.manager.bus.broker import Prompt
from socketio_cluster.manager.bus.envelope import Codec
from tests.harness import eventually

HEADER = Codec("any").header


@contextlib.asynccontextmanager
async def split(*halves):
    """Keep the nodes of each half from hearing the others. The block runs when those are dead for them."""
    for half in halves:
        friends = {node.manager.node_id for node in half}
        for node in half:
            _deafen(node.manager.node.receiver, friends)
            _hand_over(node)
    nodes = [node for half in halves for node in half]
    try:
        for half in halves:
            await eventually(lambda half=half: all(len(node.manager.nodes()) == len(half) for node in half))
        yield
    finally:
        for node in nodes:
            del node.manager.node.receiver.arrived
            _hand_over(node)
    await eventually(lambda: all(len(node.manager.nodes()) == len(nodes) for node in nodes))


def _deafen(receiver, friends):
    hear = receiver.arrived

    def arrived(deliveries):
        hear([each for each in deliveries if HEADER(each.payload).origin in friends])

    receiver.arrived = arrived


def _hand_over(node):
    """Let a broker that hands over at once give what arrives to what hears now."""
    shard = node.manager.node.shards[0]
    if isinstance(shard.link._broker, Prompt):
        shard.link._broker.hand_to(shard.arrived)
