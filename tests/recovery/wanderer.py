"""A client that enters and leaves rooms, is cut off and comes back, and what it is owed by a simple book.

It is driven by chance, against anything that records and keeps sessions. The book knows of each event whether
the client was in one of its rooms when its node heard of it, or, while the client was away, when the event
got its number.
"""

from __future__ import annotations

from socketio_cluster.manager.bus.channels import Channels
from socketio_cluster.manager.bus.stamp import Stamp
from socketio_cluster.manager.bus.store import (
    Begin,
    Change,
    Claim,
    CloseRoom,
    Look,
    Open,
    Read,
    Release,
    Renew,
)
from socketio_cluster.manager.recovery.client_session import ClientSession, read_room, write_room

ROOMS = ["red", "blue", 7]
SECONDS = 600.0


class Wanderer:
    """One client, the node that has it if any, and the book.

    ``ask`` carries out an operation on a cluster; ``record`` records an event in channels.
    """

    def __init__(self, chance, names: Channels, ask, record):
        self.chance = chance
        self.names = names
        self.ask = ask
        self.record = record
        self.inside = set()
        self.events = {}  # what was emitted, by number: rooms and those that are left out
        self.unheard = []
        self.due = []
        self.got = 0  # how many of them the client has got
        self.seen = 0
        self.session = None  # that of the node; None while the client is away
        self.claims = 0

    async def start(self):
        place = await self.ask(Begin(SECONDS, 10_000_000))
        self.session = ClientSession("pid", self.claim(), place.last)
        self.seen = place.last
        await self.ask(Open("sid", "secret", "/", "A", self.session.claim, SECONDS))

    def claim(self):
        self.claims += 1
        return f"claim {self.claims}"

    def channels(self, rooms):
        if rooms is None:
            return [self.names.namespace("/")]
        return [self.names.room("/", room) for room in rooms]

    async def step(self):
        """Do something."""
        if self.session is None:
            can = [self.enter_away, self.leave_away, self.close_away, self.back]
        else:
            can = [self.hear, self.enter, self.leave, self.close_here, self.write, self.away, self.back]
            if not self.session.returning:
                can.append(self.renew)
        await self.chance.choice([self.emit, self.emit, *can])()

    # the cluster

    async def emit(self):
        some = self.chance.sample(ROOMS, self.chance.randint(1, 2))
        rooms = self.chance.choice([None, some, some, some])
        without = [self.chance.choice(ROOMS)] if self.chance.random() < 0.2 else []
        number = await self.record(self.channels(rooms))
        self.events[number] = rooms, without
        self.unheard.append(number)
        if self.session is None:
            await self.hear()

    async def hear(self):
        """The node, or the book for a client that is away, takes all events until now."""
        for number in self.unheard:
            rooms, without = self.events[number]
            if not self.inside.intersection(without) and (rooms is None or self.inside.intersection(rooms)):
                self.due.append(number)
            self.seen = number
        self.unheard = []

    # a client that its node believes to be connected

    async def enter(self):
        room = self.chance.choice(ROOMS)
        await self.hear()
        if room not in self.inside:
            self.inside.add(room)
            self.session.enter(room, self.seen)
        await self.flush()

    async def leave(self):
        room = self.chance.choice(ROOMS)
        if self.session.returning:  # It is owed what its node has not heard too.
            await self.hear()
            self.session.known = (await self.ask(Look())).last
        if room in self.inside:
            self.inside.discard(room)
            self.session.leave(room, self.seen)
        await self.flush()

    async def close_here(self):
        """The bus hears of it later from the node, or never."""
        room = self.chance.choice(ROOMS)
        await self.hear()
        if room in self.inside:
            self.inside.discard(room)
            self.session.leave(room, self.seen)
        await self.ask(CloseRoom(self.channels([room])[0]))

    async def flush(self):
        session = self.session
        rooms, session.unwritten = session.unwritten, {}
        ended, session.ended = session.ended, ()
        entered = [write_room(room) for room, inside in rooms.items() if inside]
        left = [write_room(room) for room, inside in rooms.items() if not inside]
        assert await self.ask(Change("sid", session.claim, entered, left, stays=[*ended]))

    async def renew(self):
        """The client has got some more, and the bus hears how far it has come for certain."""
        await self.hear()
        self.got = self.chance.randint(self.got, len(self.due))
        place = await self.ask(Look())
        if self.got == len(self.due):
            self.session.move(place.last, place.floor)
        elif self.got:
            self.session.move(self.due[self.got - 1], place.floor)
        assert await self.ask(Renew([("sid", self.session.claim, self.session.position)], SECONDS)) == []
        await self.flush()

    async def write(self):
        """The node writes the session anew."""
        await self.hear()
        session = self.session
        rooms = {write_room(room): number for room, number in session.joined.items()}
        session.unwritten, session.ended = {}, ()
        opening = ("sid", "secret", "/", "A", session.claim, SECONDS, session.position, rooms)
        await self.ask(Open(*opening, b"", session.stays))

    async def away(self):
        """The node notices that the client is gone."""
        await self.hear()
        if self.chance.random() < 0.5:
            await self.flush()
        assert await self.ask(Release("sid", self.session.claim, SECONDS))
        self.session = None

    # a client that is away

    async def enter_away(self):
        room = self.chance.choice(ROOMS)
        await self.change(entered=[write_room(room)])
        self.inside.add(room)

    async def leave_away(self):
        room = self.chance.choice(ROOMS)
        await self.change(left=[write_room(room)])
        self.inside.discard(room)

    async def close_away(self):
        room = self.chance.choice(ROOMS)
        await self.ask(CloseRoom(self.channels([room])[0]))
        self.inside.discard(room)

    async def change(self, **rooms):
        assert await self.ask(Change("sid", "", **rooms, channels=self.names.rooms("/")))

    # its return

    async def back(self):
        """The client comes back to a new node; its last one may have been killed without a word."""
        await self.hear()
        if self.session is not None and self.chance.random() < 0.5:
            await self.flush()
        offset = None
        if self.got:
            offset = Stamp((await self.ask(Look())).epoch, self.due[self.got - 1])
        claim = self.claim()
        asked = Claim("sid", "secret", "/", "B", claim, SECONDS, self.names.rooms("/"), offset)
        claimed = await self.ask(asked)
        self.session = session = ClientSession("pid", claim, claimed.position, returning=True)
        session.stays, session.known = claimed.stays, claimed.place.last
        session.joined = {read_room(room): number for room, number in claimed.rooms.items()}
        assert session.joined.keys() == self.inside
        self.seen = self.chance.choice([0, self.seen])  # This node may have heard of nothing.
        if self.chance.random() < 0.5:
            await self.leave()
        if self.chance.random() < 0.3:
            return  # It is cut off again before it gets anything.
        await self.replay()

    async def replay(self):
        session = self.session
        rooms = {*session.joined, *(read_room(stay.room) for stay in session.stays.ended)}
        channels = [*self.channels(None), *self.channels(rooms)]
        piece = await self.ask(Read(channels, session.position, 100_000, 100_000_000))
        found = [number for number, _ in piece.events if self.owed(number)]
        assert found == [number for number in self.due[self.got :] if number > session.position]
        assert found == self.due[self.got :]
        session.upto, session.returning = piece.upto, False
        self.got += self.chance.randint(0, len(found))

    def owed(self, number):
        rooms, without = self.events[number]
        session = self.session
        return not session.was_in(without, number) and (rooms is None or session.was_in(rooms, number))
