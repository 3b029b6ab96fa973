"""Events between servers, as methods of the manager and of the server."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, cast, overload

import msgspec

from socketio_cluster.manager.bus.query_messages import ServerEvent
from socketio_cluster.manager.queries.asking import Asking
from socketio_cluster.manager.queries.queries import Queries
from socketio_cluster.manager.queries.selection import aim
from socketio_cluster.manager.queries.server_events import Handler, check_event

if TYPE_CHECKING:
    from socketio_cluster.manager.member import ClusterMember

_answer: Final = msgspec.msgpack.Decoder(tuple[str, Any]).decode


class ServerHandlers(Asking):
    """Has the handlers for events of other servers."""

    @overload
    def on_server(self, event: str, handler: Handler, namespace: str | None = None) -> Handler: ...
    @overload
    def on_server(
        self, event: str, handler: None = None, namespace: str | None = None
    ) -> Callable[[Handler], Handler]: ...
    def on_server(self, event: str, handler: Any = None, namespace: str | None = None) -> Any:
        """Register a handler for an event of other servers. Without ``handler`` it is a decorator.

        It is called with the event's arguments, and may be a coroutine function. What it returns is the
        answer to ``server_side_emit_with_ack``. An event has one handler in a namespace: another one replaces
        it. Raises ``TypeError`` for what cannot be registered.
        """
        check_event(event)

        def register(handler: Handler) -> Handler:
            member = cast("ClusterMember", self.cluster_manager)
            return member.server_events.on(namespace or "/", event, handler)

        return register if handler is None else register(handler)


class ServerEmits(Asking):
    """Emits events to the other servers. Clients do not get them."""

    async def server_side_emit(self, event: str, data: Any = None, *, namespace: str | None = None) -> None:
        """Emit an event to every other node on the bus; its ``on_server`` handler runs there, if it has one.

        A server without the bus keeps the event until it is back, as long as ``buffer_seconds``.

        Args:
            event: its name.
            data: its argument: a tuple stands for several, None for no argument. It travels as MessagePack.
            namespace: "/" if None.

        Raises:
            TypeError: the data cannot be packed.
            EventTooLarge: it has more bytes than the bus takes.
        """
        message, whom = _event(event, data), aim(namespace=namespace).recipients
        asker = self.cluster_manager
        await asker.publish(lambda: asker.queries.tell(whom, message))

    async def server_side_emit_with_ack(
        self, event: str, data: Any = None, *, namespace: str | None = None, timeout: float | None = None
    ) -> dict[str, Any]:
        """Emit as ``server_side_emit``, and return the result of each node's handler, by its id.

        ``timeout`` is in seconds; None is the option ``request_seconds``. Raises ``PartialAnswer`` when a
        live node does not answer in time, has no handler, or its handler raises; and what
        ``server_side_emit`` raises.
        """
        target = aim(namespace=namespace, timeout=timeout)
        return await self._ask(target, _event(event, data), _by_node, Queries.others)


def _event(event: str, data: Any) -> ServerEvent:
    check_event(event)
    args = [] if data is None else list(data) if isinstance(data, tuple) else [data]
    return ServerEvent(event, msgspec.Raw(msgspec.msgpack.encode(args)))


def _by_node(items: list[bytes]) -> dict[str, Any]:
    return dict(map(_answer, items))
