"""The channels of a hub: who has subscribed to which, and what is kept for recovery."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Protocol

from socketio_cluster.manager.brokers.hub_memories import HubMemories
from socketio_cluster.manager.bus.broker import Delivery, Publication
from socketio_cluster.manager.bus.store import Operation, Result


class HubMember(Protocol):
    """One node on a hub."""

    channels: set[str]
    """The channels that it has subscribed to. Only ``HubChannels`` changes them."""

    def deliver(self, deliveries: list[Delivery]) -> None:
        """Take what was published to its channels."""

    def __hash__(self) -> int:
        """Members are told apart by identity."""


class HubChannels:
    """Passes publications on to the members that have subscribed to their channels."""

    def __init__(self) -> None:
        self._members: defaultdict[str, set[HubMember]] = defaultdict(set)
        self._memories = HubMemories()

    def subscribe(self, member: HubMember, channels: Iterable[str]) -> None:
        """Subscribe a member to channels, from now on."""
        for channel in channels:
            self._members[channel].add(member)
            member.channels.add(channel)

    def unsubscribe(self, member: HubMember, channels: Iterable[str]) -> None:
        """Unsubscribe a member from channels. A channel without subscribers takes no memory."""
        for channel in channels:
            if channel in member.channels:
                member.channels.discard(channel)
                members = self._members[channel]
                members.discard(member)
                if not members:
                    del self._members[channel]

    def publish(self, batch: Sequence[Publication]) -> None:
        """Deliver a batch. A member gets each message once, and all of them at once."""
        outgoing: defaultdict[HubMember, list[Delivery]] = defaultdict(list)
        for publication in batch:
            channels, payload, recorded = publication.channels, publication.payload, publication.recorded
            message = self._memories.record(recorded, payload) if recorded else payload
            if message is None:
                continue
            reached = {member: channel for channel in channels for member in self._members.get(channel, ())}
            for member, channel in reached.items():
                outgoing[member].append(Delivery(channel, message))
        for member, deliveries in outgoing.items():
            member.deliver(deliveries)

    def ask(self, cluster: str, operation: Operation) -> Result:
        """Carry out an operation on what is kept for a cluster."""
        return self._memories.ask(cluster, operation)

    def leave(self, member: HubMember) -> None:
        """Remove a member and its subscriptions."""
        self.unsubscribe(member, list(member.channels))
