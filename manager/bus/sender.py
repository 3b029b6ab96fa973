"""``Sender``: sends one batch at a time to the bus, and gives up the envelopes that the bus never takes."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, Final

from socketio_cluster.manager.bus.backlog import Entry
from socketio_cluster.manager.bus.broker import LARGEST, Broker
from socketio_cluster.manager.bus.outgoing import BATCH_ENTRIES, Batch, Outgoing
from socketio_cluster.manager.errors import BrokerError, PublishError, PublishRefused, WrongServer

logger = logging.getLogger("socketio_cluster.manager")

TRIES: Final = 2
"""How often a batch of several envelopes is sent before it is split."""
TRIES_ALONE: Final = 3
"""How often a single envelope is sent, each time on a new connection, before it is given up."""


class Suspect:
    """Finds the envelope at which the connection to the bus breaks again and again.

    A bus that was restarted takes a batch at the second try. A bus that breaks at the same batch again will
    never take one of its envelopes. Then each envelope of the batch is sent alone, so that all others get
    through. This is pure book-keeping with the numbers of envelopes.
    """

    __slots__ = ("_alone", "_head", "_times", "_until")

    def __init__(self) -> None:
        self._head = 0
        self._times = 0
        self._alone = False
        self._until = 0

    def most(self, usual: int) -> int:
        """Return how many envelopes the next batch may hold."""
        return 1 if self._until else usual

    def failed(self, numbers: Sequence[int]) -> bool:
        """Note that the bus broke at this batch. Returns whether its only envelope has to be given up."""
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
        """Note that every envelope up to this number was sent or given up."""
        if number >= self._until:
            self._until = 0


Refused = Callable[[Entry, str], None]
"""Called with an envelope that was given up, and the reason."""


class Sender:
    """Sends batches through the current broker.

    Args:
        outgoing: the envelopes to send.
        refused: is called with each envelope that the bus never takes.
        clock: tells the time in seconds.
    """

    __slots__ = (
        "_backlog",
        "_began",
        "_clock",
        "_outgoing",
        "_refused",
        "_suspect",
        "_through",
        "_under_way",
        "errors",
        "proven",
    )

    def __init__(self, outgoing: Outgoing, refused: Refused, clock: Callable[[], float]) -> None:
        self._outgoing = outgoing
        self._backlog = outgoing.backlog
        self._refused = refused
        self._clock = clock
        self._suspect = Suspect()
        self._under_way: list[Entry] = []
        self._through = False
        self._began = 0.0
        self.errors = 0
        """How many batches the bus did not take. They are sent again when it is back."""
        self.proven = 0
        """Every envelope up to this number went to a server that has passed it on."""

    def native_parts(self) -> dict[str, Any]:
        """Return what ``native/_batch.c`` works with, of what is sent, by the names there."""
        return {**self._outgoing.native_parts(), "sender": self, "suspect": self._suspect}

    def joined(self, broker: Broker, since: float | None = None) -> None:
        """Go on with a new broker, which may lack what was posted since then and sent to an earlier one."""
        self._through = False
        if since is not None and (count := self._backlog.again(since)):
            logger.warning("%d envelopes that went to a former server of the bus are sent again", count)
        if broker.limit is not None:
            self._learn(broker.limit)

    async def send(self, broker: Broker) -> bool:
        """Send one batch. Returns False if there was nothing to send. Raises ``BrokerError``.

        If this is cancelled, the batch may be sent again; receivers drop the repeat.
        """
        batch = self.take()
        if not batch.publications:
            return False
        try:
            await broker.publish(batch.publications)
        except PublishRefused as refusal:
            self.finish(batch, refusal)
        else:
            self.finish(batch)
        return True

    def take(self) -> Batch:
        """Return the next batch, to be sent and given to ``finish``. It is empty if nothing waits."""
        batch = self._outgoing.batch(self._suspect.most(BATCH_ENTRIES))
        self._under_way = batch.entries
        self._began = self._clock()
        return batch

    def finish(self, batch: Batch, error: Exception | None = None) -> None:
        """Note that the bus has a batch. Raises the error, if it is one that ends the broker."""
        if isinstance(error, PublishRefused):
            self._refuse(batch, error)
        elif error is not None:
            raise error
        self._under_way = []
        self._outgoing.sent(batch, self._began, self._clock())
        if batch.entries:
            self._through = True
            self._suspect.passed(batch.entries[-1].number)

    def broke(self, error: BrokerError) -> bool:
        """Note the error that ended a broker. Returns False if nothing got through before it ended."""
        batch, self._under_way = self._under_way, []
        if batch:
            self.errors += 1
        if isinstance(error, WrongServer):
            count = self._backlog.rewind(self.proven)
            logger.warning("%d envelopes that may have reached nobody are sent again", count)
        elif isinstance(error, PublishError) and batch:
            self._look_for_culprit(batch, error)
        return self._through or not batch

    def _refuse(self, batch: Batch, refusal: PublishRefused) -> None:
        for index, why in refusal.reasons.items():
            if (entry := batch.entry(index)) is not None:
                self._give_up(entry, why)
            else:
                logger.error("the bus will not take what this node says of itself, or answers: %s", why)

    def _look_for_culprit(self, batch: list[Entry], error: PublishError) -> None:
        if error.limit is not None and self._learn(error.limit):
            return
        if self._suspect.failed([entry.number for entry in batch]):
            self._give_up(batch[0], str(error))

    def _learn(self, limit: int) -> bool:
        """Note the limit of the bus, and give up all larger envelopes. Returns False if there are none."""
        self._outgoing.limit = limit = min(limit, LARGEST)
        above = self._backlog.above(limit)
        for entry in above:
            self._give_up(entry, f"the bus takes {limit} bytes at most")
        return bool(above)

    def _give_up(self, entry: Entry, why: str) -> None:
        if self._backlog.drop(entry.number) is not None:
            self._suspect.passed(entry.number)
            self._refused(entry, why)
