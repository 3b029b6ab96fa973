"""``ThreadMember``: a client manager whose node runs in a thread of its own."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from socketio_cluster.manager.bus.roster import NodeInfo
from socketio_cluster.manager.clients.rooms import LocalRooms
from socketio_cluster.manager.member import Door
from socketio_cluster.manager.queries.broadcast import Calls
from socketio_cluster.manager.stats import Stats
from socketio_cluster.manager.sync.calls import BlockingClusterCalls
from socketio_cluster.manager.sync.inner_manager import InnerManager
from socketio_cluster.manager.sync.leaving import on_signals, say_goodbye
from socketio_cluster.manager.sync.node_thread import NodeThread

T = TypeVar("T")


class ThreadMember(BlockingClusterCalls):
    """Starts and ends the node, and lets other threads see it and call it."""

    leaving: bool
    """Whether this process ends and therefore refuses new connections."""
    node_thread: NodeThread
    """The thread of this process's node."""
    door: Door | None = None

    @property
    def node_id(self) -> str:
        """The node's id: the first 8 characters of its clients' sids."""
        return self._inner.node.id

    @property
    def host_id(self) -> str:
        """The node's id under the name that python-socketio uses."""
        return self.node_id

    @property
    def ready(self) -> bool:
        """Whether this node is on the bus, on all its shards, and hears the other nodes."""
        return self._inner.ready

    @property
    def away(self) -> list[str]:
        """The names of the shards that this node is not on, for people: ``the bus`` if there is only one."""
        return self._inner.away

    @property
    def hears(self) -> bool:
        """Whether this node hears which other nodes there are."""
        return self._inner.hears

    @property
    def client_count(self) -> int:
        """How many clients this node serves. A connection counts once in each namespace."""
        return self._inner.client_count

    @property
    def stats(self) -> Stats:
        """The counters of this node."""
        return self._inner.stats

    @property
    def members(self) -> LocalRooms:
        """The clients of this node. Only the thread of its event loop changes them."""
        return self._inner.members

    def nodes(self) -> dict[str, NodeInfo]:
        """Return the live nodes by id. This node is one of them."""
        return self.ask(self._inner.nodes)

    def start(self) -> None:
        """Connect to the bus. Returns when it is reached, or after five seconds; the node goes on trying."""
        self._run(self._inner.start())

    def close(self) -> None:
        """Say goodbye to the other nodes and leave the bus for good. This takes about a second at most.

        It is done automatically when the process ends.
        """
        self.leaving = True
        self.node_thread.close()

    def leave(self) -> None:
        """Close all connections, so that the clients connect to another node, and then ``close``."""
        self.leaving = True
        say_goodbye(self.server)
        self.close()

    def leave_on_signals(self) -> None:
        """Call ``leave`` when this process gets SIGTERM, SIGINT or SIGQUIT.

        After that the handler that the signal had before, such as that of gunicorn's worker, is called.
        Raises ``ValueError`` outside of the main thread.
        """
        on_signals(self.leave)

    # between the threads and the loop

    @property
    def _inner(self) -> InnerManager:
        return self.node_thread.inner

    def _run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self.node_thread.run(coroutine)

    def wait_for(self, call: Callable[[Calls], Coroutine[Any, Any, T]]) -> T:
        """Run a call of the node on its loop and wait; returns what it returns and raises what it raises."""
        return self._run(call(self._inner))

    def ask(self, function: Callable[..., T], *arguments: Any) -> T:
        """Call a function on the loop and wait; returns what it returns and raises what it raises."""
        return self.node_thread.ask(function, *arguments)
