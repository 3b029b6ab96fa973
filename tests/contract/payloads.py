"""Payloads sent from one broker to another."""

from __future__ import annotations

from socketio_cluster.manager.bus.broker import Publication
from tests.contract.conftest import collect


async def publish(broker, *channels_and_payloads):
    """Publish each payload to its channel, all in one batch."""
    await broker.publish([Publication((channel,), payload) for channel, payload in channels_and_payloads])


async def payloads(broker, count):
    """The payloads of the first ``count`` deliveries, and of what came with the last of them."""
    return [delivery.payload for delivery in await collect(broker, count)]
