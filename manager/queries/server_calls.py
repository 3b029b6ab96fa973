"""Events between servers, as methods of the manager and of the server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, overload

import msgspec

from socketio_cluster.manager.bus.query import Recipients, ServerEvent
from socketio_cluster.manager.queries.asking import Asking
from socketio_cluster.manager.queries.queries import Queries
from socketio_cluster.manager.queries.server_events import Handler, check_event

_answer: Final = msgspec.msgpack.Decoder(tuple[str, Any]).decode


class ServerCalls(Asking):
    """Tells the other servers something; no client hears of it."""

    @overload
    def on_server(self, event: str, handler: Handler, namespace: str | None = None) -> Handler: ...
    @overload
    def on_server(
        self, event: str, handler: None = None, namespace: str | None = None
    ) -> Callable[[Handler], Handler]: ...
    def on_server(self, event: str, handler: Any = None, namespace: str | None = None) -> Any:
        """Register a handler for an event of other servers; also as a decorator, without ``handler``.

        It is called with the event's arguments, and may be a coroutine function. What it returns is the
        answer to ``server_side_emit_with_ack``. An event has one handler in a namespace: another one replaces
        it. Raises ``TypeError`` for what cannot be registered.
        """
        check_event(event)

        def register(handler: Handler) -> Handler:
            return self.cluster_manager.server_events.on(namespace or "/", event, handler)

        return register if handler is None else register(handler)

    async def server_side_emit(self, event: str, data: Any = None, *, namespace: str | None = None) -> None:
        """Emit an event to every other live node; its ``on_server`` handler runs there, if there is one.

        Args:
            event: its name.
            data: its argument: a tuple stands for several, None for no argument. It travels as MessagePack.
            namespace: "/" if None.

        Raises:
            TypeError: the data cannot be packed.
            EventTooLarge: it has more bytes than the bus takes.
        """
        message = _event(event, data)
        manager = self.cluster_manager
        await manager.start()
        manager.queries.tell(manager.queries.others(), _everybody(namespace), message)

    async def server_side_emit_with_ack(
        self, event: str, data: Any = None, *, namespace: str | None = None, timeout: float | None = None
    ) -> dict[str, Any]:
        """The same, and give what the handler of each node has returned, by the node's id.

        ``timeout`` is in seconds; None is the option ``request_seconds``. Raises ``PartialAnswer`` when a
        live node does not answer in time, has no handler, or its handler raises; and what
        ``server_side_emit`` raises.
        """
        return await self._ask(_everybody(namespace), _event(event, data), _by_node, timeout, Queries.others)


def _event(event: str, data: Any) -> ServerEvent:
    check_event(event)
    args = [] if data is None else list(data) if isinstance(data, tuple) else [data]
    return ServerEvent(event, msgspec.Raw(msgspec.msgpack.encode(args)))


def _everybody(namespace: str | None) -> Recipients:
    return Recipients(namespace or "/", None, [])


def _by_node(items: list[bytes]) -> dict[str, Any]:
    return dict(map(_answer, items))
