"""A link with a bus that does what a test says."""

from __future__ import annotations

import asyncio

from socketio_cluster.manager.bus.backlog import Backlog, Entry
from socketio_cluster.manager.bus.broker import Delivery, Publication
from socketio_cluster.manager.bus.interest import Interest
from socketio_cluster.manager.bus.link import Link
from socketio_cluster.manager.bus.outgoing import Outgoing


class FakeBroker:
    """A broker that is told everything and does nothing, until it is broken."""

    def __init__(self, bus):
        self._bus = bus
        self.told = []
        self.published = []
        self.closed = False
        self.limit = bus.limit
        self.arrivals = asyncio.Queue()

    @property
    def taken(self):
        taken = set()
        for verb, channels in self.told:
            taken = taken | channels if verb == "subscribe" else taken - channels
        return taken

    def say(self, *payloads):
        self.arrivals.put_nowait([Delivery("c", payload) for payload in payloads])

    def fail(self, error):
        self.arrivals.put_nowait(error)

    async def subscribe(self, channels):
        await self._bus.on_subscribe(channels)
        self.told.append(("subscribe", set(channels)))

    async def unsubscribe(self, channels):
        self.told.append(("unsubscribe", set(channels)))

    async def publish(self, batch):
        payloads = [publication.payload for publication in batch]
        await self._bus.on_publish(payloads)
        self.published += payloads

    async def receive(self):
        arrival = await self.arrivals.get()
        if isinstance(arrival, Exception):
            raise arrival
        return arrival

    async def check(self):
        await self._bus.on_check()

    async def close(self):
        self.closed = True


class DirectBroker(FakeBroker):
    """The same, and nobody has to wait for it while it publishes."""

    def start(self, batch, done):
        task = asyncio.ensure_future(self.publish(batch))
        task.add_done_callback(lambda task: task.cancelled() or done(task.exception()))


class Bus:
    """Makes brokers, and remembers what each was told; a test says what fails or waits."""

    def __init__(self, kind=FakeBroker):
        self._kind = kind
        self.brokers = []
        self.failures = []
        """What the next calls of ``connect`` raise."""
        self.limit = None

    async def connect(self):
        if self.failures:
            raise self.failures.pop(0)
        self.brokers.append(self._kind(self))
        return self.brokers[-1]

    async def on_subscribe(self, channels):
        pass

    async def on_publish(self, payloads):
        pass

    async def on_check(self):
        pass


class Ends:
    """Notes what the link tells its node."""

    def __init__(self, say_goodbye):
        self.told = []
        self.given_up = []
        self._say_goodbye = say_goodbye

    def arrived(self, deliveries):
        self.told.append([delivery.payload for delivery in deliveries])

    async def subscribed(self, broker):
        pass

    def joined(self, *, again):
        self.told.append("joined again" if again else "joined")

    def parted(self):
        self.told.append("parted")

    def refused(self, entry, why):
        self.given_up.append((entry.payload, why))

    def leaving(self):
        self._say_goodbye()


class Rig:
    """A link with all its parts."""

    def __init__(self, kind=FakeBroker):
        self.bus = Bus(kind)
        self.interest = Interest()
        self.backlog = Backlog(10**6, 60)
        self.outgoing = Outgoing(self.backlog, lambda: None, lambda: None)
        self.ends = Ends(lambda: self.outgoing.notice(Publication(("c",), b"bye")))
        self.link = Link(self.bus.connect, self.interest, self.outgoing, self.ends)
        self._number = 0

    @property
    def broker(self):
        return self.bus.brokers[-1]

    def post(self, *payloads):
        for payload in payloads:
            self._number += 1
            self.backlog.add(Entry(self._number, 0.0, ("c",), payload))
        self.link.wake()

    async def settled(self, channel):
        """Return when the interest in a channel is in effect, or the bus is away."""
        if (settling := self.link.settling(channel)) is not None:
            await settling

    def start(self):
        self.running = asyncio.create_task(self.link.run())

    async def stop(self):
        self.running.cancel()
        await asyncio.wait([self.running])
