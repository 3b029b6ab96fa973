"""The sender: what waits on its way to the bus, one batch at a time, and what the bus will not take."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Final

from socketio_cluster.manager.bus.backlog import Entry
from socketio_cluster.manager.bus.broker import LARGEST, Broker
from socketio_cluster.manager.bus.outgoing import BATCH_ENTRIES, Outgoing
from socketio_cluster.manager.errors import BrokerError, PublishError, PublishRefused, WrongServer

logger = logging.getLogger("socketio_cluster.manager")

TRIES: Final = 2
"""Times a batch of several is sent before it is split."""
TRIES_ALONE: Final = 3
"""Times a single envelope is sent before it is given up; the bus was joined anew before each."""


class Suspect:
    """What the bus broke at; pure book-keeping by the numbers of envelopes."""

    def __init__(self) -> None:
        self._head = 0
        self._times = 0
        self._alone = False
        self._until = 0

    def most(self, usual: int) -> int:
        """How many envelopes the next batch may hold."""
        return 1 if self._until else usual

    def failed(self, numbers: Sequence[int]) -> bool:
        """Note that the bus broke at this batch; True when its only envelope is to be given up."""
        alone = len(numbers) == 1
        again = self._head == numbers[0] and self._alone is alone
        self._times = self._times + 1 if again else 1
        self._head, self._alone = numbers[0], alone
        if alone:
            return self._times >= TRIES_ALONE
        if self._times >= TRIES:
            self._until = numbers[-1]
        return False

    def passed(self, number: int) -> None:
        """Note that everything up to this number is done with."""
        if number >= self._until:
            self._until = 0


Refused = Callable[[Entry, str], None]
"""Told of an envelope that was given up, and why."""


class Sender:
    """Sends through whichever broker lives.

    Args:
        outgoing: what to send.
        refused: told of each envelope that the bus will never take.
    """

    def __init__(self, outgoing: Outgoing, refused: Refused) -> None:
        self._outgoing = outgoing
        self._backlog = outgoing.backlog
        self._refused = refused
        self._suspect = Suspect()
        self._under_way: list[Entry] = []
        self._through = False
        self.limit = LARGEST
        """Bytes of one envelope that the bus takes, as far as is known."""
        self.errors = 0
        """Batches that the bus did not take; they are sent again when it is back."""
        self.proven = 0
        """Every envelope up to this number went to a server that has passed it on."""

    def joined(self, broker: Broker) -> None:
        """Go on with a new broker."""
        self._through = False
        if broker.limit is not None:
            self._learn(broker.limit)

    async def send(self, broker: Broker) -> bool:
        """Send one batch; False when nothing was left."""
        batch = self._outgoing.batch(self._suspect.most(BATCH_ENTRIES))
        if not batch.publications:
            return False
        self._under_way = batch.entries
        try:
            await broker.publish(batch.publications)
        except PublishRefused as refusal:
            for index, why in refusal.reasons.items():
                if (entry := batch.entry(index)) is not None:
                    self._give_up(entry, why)
                else:
                    logger.error("the bus will not take what this node says of itself, or answers: %s", why)
        except BaseException:  # also when the reader has noticed first that the bus is gone
            self.errors += 1
            raise
        self._under_way = []
        self._outgoing.sent(batch)
        if batch.entries:
            self._through = True
            self._suspect.passed(batch.entries[-1].number)
        return True

    def broke(self, error: BrokerError) -> bool:
        """Note why a broker has ended; False when it did before anything got through."""
        batch, self._under_way = self._under_way, []
        if isinstance(error, WrongServer):
            count = self._backlog.rewind(self.proven)
            logger.warning("%d envelopes that may have reached nobody are sent again", count)
        elif isinstance(error, PublishError) and batch:
            self._look_for_culprit(batch, error)
        return self._through or not batch

    def _look_for_culprit(self, batch: list[Entry], error: PublishError) -> None:
        if error.limit is not None and self._learn(error.limit):
            return
        if self._suspect.failed([entry.number for entry in batch]):
            self._give_up(batch[0], str(error))

    def _learn(self, limit: int) -> bool:
        """Take over the bus's limit, and give up what is above it; False when nothing was."""
        self.limit = min(limit, LARGEST)
        above = self._backlog.above(self.limit)
        for entry in above:
            self._give_up(entry, f"the bus takes {self.limit} bytes at most")
        return bool(above)

    def _give_up(self, entry: Entry, why: str) -> None:
        if self._backlog.drop(entry.number) is not None:
            self._suspect.passed(entry.number)
            self._refused(entry, why)
