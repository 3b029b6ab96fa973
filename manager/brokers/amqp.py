"""The AMQP broker, which uses kombu: for RabbitMQ and for kombu's other transports (``kombu+SCHEME://``).

There is one direct exchange, and a queue for each node. 64 routing keys stand for all rooms. One thread
receives and binds, and another one publishes, each with a connection of its own. For a server that slows
publishers down stops reading their connection, and deliveries must not wait behind that.
"""

from __future__ import annotations

import asyncio
import functools
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from socketio_cluster.manager.brokers.amqp_url import Target, read_url
from socketio_cluster.manager.brokers.bus_thread import BusThread, Command, Done, Session, explain
from socketio_cluster.manager.brokers.inbox import REPLY_TIMEOUT, Inbox
from socketio_cluster.manager.bus.broker import Delivery, Publication
from socketio_cluster.manager.bus.channels import routing_key
from socketio_cluster.manager.errors import BrokerError, PublishError, PublishRefused

IN_FLIGHT = 64
"""The most batches that the publishing thread has at once. Further calls to ``publish`` wait their turn."""


class Receipt:
    """One batch on its way, and the numbers that the session gave to its messages."""

    def __init__(self, batch: Sequence[Publication]) -> None:
        self._batch = batch

    def send(self, session: Session) -> int:
        """Send the batch. Called in the session's thread."""
        self._session, self._before = session, session.published
        return session.publish(self._batch)

    def refused(self) -> dict[int, str]:
        """Return a reason for each publication that the server has refused, by index.

        Called after the server has answered for all messages of the batch.
        """
        if not self._session.refused:
            return {}
        keys = [dict.fromkeys(map(routing_key, each.channels)) for each in self._batch]
        owners = [index for index, names in enumerate(keys) for _ in names]
        numbers = {self._before + 1 + at: index for at, index in enumerate(owners)}
        mine = self._session.refused & numbers.keys()
        self._session.refused.difference_update(mine)
        return dict.fromkeys((numbers[number] for number in mine), "a queue does not take it (nack)")


class AmqpBroker:
    """A broker with two threads, each with its session. It maps the node's channels to routing keys."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self.limit: int | None = None
        self._inbox = Inbox()
        self._calls: set[Done] = set()
        self._turns = asyncio.Semaphore(IN_FLIGHT)
        self._taken: set[str] = set()
        self._members: Counter[str] = Counter()  # the number of subscribed channels of each routing key
        # The keys that the server has bound for certain, and those that it may have bound. They differ while
        # a bind is on its way, and after the caller of one was cancelled.
        self._bound: set[str] = set()
        self._maybe_bound: set[str] = set()
        self._binding = asyncio.Lock()
        self._consumer = self._start("amqp-consumer", consume=True)
        self._publisher = self._start("amqp-publisher", consume=False)

    async def open(self) -> AmqpBroker:
        """Wait until both connections are open. Raises ``BrokerError``."""
        try:
            for thread in (self._consumer, self._publisher):
                await self._call(thread, lambda session: 0, self._target.patience)
        except BaseException:
            await self.close()
            raise
        return self

    async def subscribe(self, channels: Iterable[str]) -> None:
        """Subscribe to these channels. Returns when their routing keys are bound."""
        fresh = set(channels) - self._taken
        self._taken |= fresh
        self._members.update(map(routing_key, fresh))
        await self._bind()

    async def unsubscribe(self, channels: Iterable[str]) -> None:
        """Unsubscribe from these channels. A routing key is unbound with its last channel."""
        stale = self._taken.intersection(channels)
        self._taken -= stale
        self._members.subtract(map(routing_key, stale))
        self._members = +self._members  # drops the zeros
        await self._bind()

    async def publish(self, batch: Sequence[Publication]) -> None:
        """Send the batch.

        Returns when the server has confirmed each message; for other transports, at once.
        """
        receipt = Receipt(batch)
        async with self._turns:
            await self._call(self._publisher, receipt.send)
        if reasons := receipt.refused():
            raise PublishRefused(reasons)

    async def receive(self) -> list[Delivery]:
        """Return all deliveries that have arrived. Waits for at least one. Cancelling loses nothing."""
        return await self._inbox.take()

    async def check(self) -> None:
        """Do nothing: every server of a RabbitMQ cluster reaches all the others."""

    async def close(self) -> None:
        """End both threads. The server deletes the queue when its connection ends."""
        self._fail(BrokerError("closed"))
        threads = (self._consumer, self._publisher)
        for thread in threads:
            thread.stop()
        try:
            await asyncio.gather(*(asyncio.to_thread(thread.join) for thread in threads))
        except RuntimeError:  # The interpreter ends and starts no more threads, so blocking does no harm.
            for thread in threads:
                thread.join()

    def _start(self, name: str, *, consume: bool) -> BusThread:
        open_session = functools.partial(self._target.open, consume=consume)
        fail = self._on_error if consume else self._on_publish_error
        return BusThread(name, open_session, self._report, fail)

    async def _bind(self) -> None:
        """Bind and unbind routing keys, so that they are those of the subscribed channels."""
        # Only one caller does this at a time. The next one then does the work for all that have come
        # meanwhile.
        async with self._binding:
            self._inbox.check()
            missing = sorted(self._members.keys() - self._bound)
            extra = sorted(self._maybe_bound - self._members.keys())
            if not missing and not extra:
                return
            self._maybe_bound.update(missing)
            self._bound.difference_update(extra)
            await self._call(self._consumer, functools.partial(_rebind, missing=missing, extra=extra))
            self._bound.update(missing)
            self._maybe_bound.difference_update(extra)

    async def _call(self, thread: BusThread, command: Command, seconds: float = REPLY_TIMEOUT) -> None:
        """Let a thread run the command and wait for it.

        A large batch takes its time: the server is silent when it confirms nothing for ``seconds``. Raises
        ``BrokerError`` if the broker ends meanwhile.
        """
        self._inbox.check()
        done: Done = asyncio.get_running_loop().create_future()
        self._calls.add(done)
        thread.submit(command, done)
        try:
            while not done.done():
                before = thread.confirmed
                await asyncio.wait((done,), timeout=seconds)
                if not done.done() and thread.confirmed == before:
                    self._on_error(TimeoutError())
        finally:
            self._calls.discard(done)
        self._inbox.check()

    def _report(self, deliveries: list[Delivery], finished: list[Done]) -> None:
        for done in finished:
            if not done.done():
                done.set_result(None)
        try:
            self._inbox.put(deliveries)
        except BrokerError as error:
            self._fail(error)

    def _on_error(self, error: Exception) -> None:
        self._fail_with(explain(error, self._target.name), error)

    def _on_publish_error(self, error: Exception) -> None:
        explained = explain(error, self._target.name)
        if not isinstance(error, TimeoutError):
            explained = PublishError(str(explained), _limit_in(error))
        self._fail_with(explained, error)

    def _fail_with(self, explained: BrokerError, cause: Exception) -> None:
        explained.__cause__ = cause
        self._fail(explained)

    def _fail(self, error: BrokerError) -> None:
        """End the broker. All calls that wait go on, and find the error in the inbox."""
        self._inbox.fail(error)
        for done in self._calls:
            if not done.done():
                done.set_result(None)


def _limit_in(error: Exception) -> int | None:
    """Return the size of the largest message, or None.

    RabbitMQ tells it only after a larger message, in its error 406 (PRECONDITION_FAILED).
    """
    found = re.search(r"larger than (?:configured )?max size (\d+)", str(error))
    return int(found[1]) if found else None


def _rebind(session: Session, *, missing: list[str], extra: list[str]) -> int:
    session.bind(missing)
    session.unbind(extra)
    return 0


async def connect(url: str) -> AmqpBroker:
    """Connect to ``amqp://``, ``amqps://`` (TLS) or ``kombu+SCHEME://``.

    Several servers are given as whole URLs with ``;`` between them, and are tried in that order. The options
    after ``?`` are those of kombu: ``heartbeat`` in seconds, ``ssl_ca_certs``, ``ssl_certfile``,
    ``ssl_keyfile``. Raises ``SettingError`` for a URL that kombu cannot read, and ``BrokerError`` if no
    server answers.
    """
    # In a thread, because kombu imports the URL's transport and searches the installed packages for it.
    return await AmqpBroker(await asyncio.to_thread(read_url, url)).open()
