"""Catching up: this node gets the envelopes that it missed while cut off, or learns that it missed none.

A sender makes an *offer* when it hears that this node is back, or when it comes back itself. The offer says
how far its stream is, and for which channels its newest envelopes were. If the offer does not show that
nothing was missed, this node asks the sender, piece by piece, for envelopes to the channels that it needs.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from socketio_cluster.manager.bus.channel_set import ChannelSet
from socketio_cluster.manager.bus.interest import Interest
from socketio_cluster.manager.bus.messages import Answer, Ask, Offer
from socketio_cluster.manager.bus.questions import Question, Questions
from socketio_cluster.manager.bus.receiver import Receiver
from socketio_cluster.manager.bus.streams import Streams
from socketio_cluster.manager.errors import EnvelopeError
from socketio_cluster.manager.stats import Stats

logger = logging.getLogger("socketio_cluster.manager")


@dataclass
class Tally:
    """The envelopes that came, and those that were lost, since the last time that nothing was missing."""

    envelopes: int = 0
    size: int = 0
    senders: set[str] = field(default_factory=set)
    lost: Counter[str] = field(default_factory=Counter)
    exact: bool = True


class CatchingUp:
    """Asks senders for missed envelopes.

    Args:
        streams: knows how far each sender was heard.
        interest: the channels that this node needs.
        receiver: handles the envelopes.
        ask: sends a question to a sender.
        stats: the counters.
    """

    def __init__(
        self,
        streams: Streams,
        interest: Interest,
        receiver: Receiver,
        ask: Callable[[str, Ask], None],
        stats: Stats,
    ) -> None:
        self._streams = streams
        self._interest = interest
        self._receiver = receiver
        self._ask = ask
        self._stats = stats
        self._questions = Questions()
        self._needs = ChannelSet(())
        self._needs_version = -1
        self._tally = Tally()
        self._until = 0.0

    def cut(self, now: float, until: float) -> None:
        """Note that this node is back on the bus, and that envelopes of any sender may be missing.

        Senders that have made no offer by the time ``until`` are asked. When many nodes are back at the same
        time, their offers take a while; to ask all senders meanwhile would make it longer.
        """
        self._streams.cut(now)
        self._questions.clear()
        self._until = until

    def offered(self, origin: str, offer: Offer, *, again: bool) -> None:
        """Handle an offer. Raises ``EnvelopeError`` for a malformed one."""
        behind = again or self._streams.is_behind(origin)
        try:
            needed = behind and self._channels().meets(offer.marks)
        except ValueError as exc:
            raise EnvelopeError("malformed", str(exc)) from exc
        if not self._streams.offered(origin, offer, again=again, needed=needed):
            # A plain heartbeat names no channels. If it comes before the offer, the offer follows soon.
            names = offer.since < offer.upto
            if needed or again or names or not self._until:
                self._questions.open(origin)
        elif behind:
            self._go_on(origin)

    def answered(self, origin: str, answer: Answer) -> None:
        """Handle a piece of an answer, and prepare the question for the next one."""
        question = self._questions.answered(origin, answer.question)
        if question is None:
            return
        self._count(origin, answer)
        for raw in answer.envelopes:
            self._receiver.replayed(origin, raw)
        self._streams.reach(origin, answer.reached)
        if answer.reached < answer.upto:
            self._questions.next_piece(question, answer.upto)
        else:
            self._go_on(origin)

    def turn(self, now: float) -> None:
        """Ask the questions that are due."""
        if self._until and (now >= self._until or not self._streams.behind()):
            self._until = 0.0
            for origin in self._streams.behind():
                self._questions.open(origin)
            self._sum_up()
        for question in self._questions.due(now):
            if self._streams.silent(question.origin, now):
                self._questions.close(question.origin)  # Its next beat opens the question again.
            else:
                self._ask(question.origin, self._worded(question))

    def give_up(self, origin: str) -> None:
        """Stop waiting for a sender that has left or died, and pass on its held messages now."""
        asked = self._questions.close(origin)
        messages = self._streams.release(origin) if self._streams.is_behind(origin) else []
        if asked or messages:
            self._tally.lost[origin] += 0
            self._tally.exact = False
        for message in messages:
            self._receiver.pass_on(origin, message)
        self._sum_up()

    def give_up_silent(self, now: float) -> None:
        """Give up the silent senders of which messages are held."""
        for origin in self._streams.behind():
            if self._streams.silent(origin, now) and self._streams.holds(origin):
                self.give_up(origin)

    def _go_on(self, origin: str) -> None:
        """Pass on the held messages, as everything before them has come. Ask for those that were not held."""
        for message in self._streams.release(origin):
            self._receiver.pass_on(origin, message)
        self._questions.close(origin)
        if self._streams.is_behind(origin):
            self._questions.open(origin)
        self._sum_up()

    def _worded(self, question: Question) -> Ask:
        after = self._streams.seen(question.origin)
        return Ask(question.number, after, question.upto, self._channels().raw)

    def _channels(self) -> ChannelSet:
        if self._needs_version != self._interest.version:
            self._needs = ChannelSet(self._interest.wanted)
            self._needs_version = self._interest.version
        return self._needs

    def _count(self, origin: str, answer: Answer) -> None:
        tally = self._tally
        tally.senders.add(origin)
        tally.envelopes += len(answer.envelopes)
        tally.size += sum(map(len, answer.envelopes))
        tally.exact &= answer.exact
        if answer.lost or not answer.exact:
            tally.lost[origin] += answer.lost

    def _sum_up(self) -> None:
        """When nothing is missing any more, log in one line what came and what was lost."""
        if self._questions or self._until:
            return
        tally, self._tally = self._tally, Tally()
        if tally.senders:
            logger.info(
                "caught up: %d envelopes, %d bytes, of %d senders",
                tally.envelopes,
                tally.size,
                len(tally.senders),
            )
        if tally.lost:
            lost = tally.lost.total()
            self._stats.gaps += len(tally.lost)
            self._stats.lost += lost
            logger.error(
                "%s%d envelopes of %d senders are lost to this node: it was, or they were, cut off for "
                "longer than envelopes are kept (buffer_bytes, buffer_seconds)",
                "" if tally.exact else "at least ",
                lost,
                len(tally.lost),
            )
