"""Emits to the other servers, as methods of the manager and of the server."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from socketio_cluster.manager.bus.query_messages import ServerEvent
from socketio_cluster.manager.checks import check_event, pack
from socketio_cluster.manager.queries.asking import Asking
from socketio_cluster.manager.queries.queries import Queries
from socketio_cluster.manager.queries.selection import aim

_answer: Final = msgspec.msgpack.Decoder(tuple[str, Any]).decode


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
            TypeError, ValueError: the data cannot be packed, or another argument is wrong.
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
    args = [] if data is None else list(data) if isinstance(data, tuple) else [data]
    return ServerEvent(check_event(event), msgspec.Raw(pack(args, f"the data of {event!r:.80}")))


def _by_node(items: list[bytes]) -> dict[str, Any]:
    return dict(map(_answer, items))
