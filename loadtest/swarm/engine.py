"""The loop of a swarm: one epoll for all its connections."""

from __future__ import annotations

import socket
import ssl
from urllib.parse import SplitResult

from socketio_cluster.loadtest.errors import Unreachable
from socketio_cluster.loadtest.receiver import Receiver
from socketio_cluster.loadtest.recovery import Recovery
from socketio_cluster.loadtest.swarm.link import IN, OUT, Address, Link
from socketio_cluster.loadtest.swarm.meter import Meter, Sample
from socketio_cluster.loadtest.swarm.native import epoll
from socketio_cluster.loadtest.swarm.said import Reader
from socketio_cluster.loadtest.swarm.session import Door, Owner, Session

BATCH = 512
"""Sockets that are served before others may run."""
PROBE_SECONDS = 10


class Engine:
    """All connections of one process.

    Nothing happens but in ``turn``, ``connect`` and calls of sessions and links; all from one thread.

    Args:
        sample: gets sampled deliveries, see ``Meter``.
        every: one in so many chunks is sampled.
    """

    def __init__(self, sample: Sample, *, every: int = 16) -> None:
        self.meter = Meter(sample, every)
        self._epoll = epoll()
        self._links: dict[int, Link] = {}
        self._readers: dict[str, Reader] = {}
        self._addresses: dict[SplitResult, Address] = {}
        self._tls: ssl.SSLContext | None = None

    def __len__(self) -> int:
        return len(self._links)

    def fileno(self) -> int:
        """Readable when ``turn`` has something to do."""
        fd: int = self._epoll.fileno()
        return fd

    def connect(
        self, door: Door, receiver: Receiver, owner: Owner, recovery: Recovery | None = None
    ) -> tuple[Session, Link]:
        """Start a connection; the owner is told how it goes. ``recovery`` is that of the client.

        Raises:
            Unreachable: there is no such host, or no socket to be had.
        """
        reader = self._readers.setdefault(door.namespace, Reader(door.namespace))
        try:
            link = Link(self._address(door.url), self._context(door.url), self._epoll.modify)
        except OSError as error:
            raise Unreachable(f"{door.url.geturl()} cannot be reached: {error}") from error
        session = Session(door, reader, receiver, self.meter, owner, link.write, recovery)
        link.feed = session.feed
        link.lost = session.end
        self._links[link.fd] = link
        self._epoll.register(link.fd, IN | OUT)
        session.start()
        return session, link

    def drop(self, link: Link) -> None:
        """Close a connection's socket; a second time nothing happens."""
        if self._links.get(link.fd) is link:
            del self._links[link.fd]
            self._epoll.unregister(link.fd)
            link.close()

    def turn(self, timeout: float = 0) -> int:
        """Wait up to so many seconds, serve a batch of sockets; gives how many there were."""
        ready = self._epoll.poll(timeout, BATCH)
        links = self._links
        for fd, event in ready:
            link = links.get(fd)
            if link is None:
                continue
            if event == IN:
                link.read()
                continue
            if event & OUT:
                link.go_on()
            if event & ~OUT and links.get(fd) is link:
                link.read()
        return len(ready)

    def close(self) -> None:
        """End all connections at once."""
        for link in list(self._links.values()):
            self.drop(link)
        self._epoll.close()

    def _address(self, url: SplitResult) -> Address:
        if url not in self._addresses:
            port = url.port or (443 if url.scheme == "https" else 80)
            # A name may have several addresses, and not all of them a server: the first that accepts is kept.
            with socket.create_connection((url.hostname or "", port), PROBE_SECONDS) as probe:
                host, number = probe.getpeername()[:2]
                self._addresses[url] = probe.family, (host, number)
        return self._addresses[url]

    def _context(self, url: SplitResult) -> tuple[ssl.SSLContext, str] | None:
        if url.scheme != "https":
            return None
        self._tls = self._tls or ssl.create_default_context()
        return self._tls, url.hostname or ""
