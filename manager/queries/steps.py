"""The steps by which clients are chosen, as with the ``BroadcastOperator`` of the JavaScript server."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Generic, Self, TypeVar

from socketio_cluster.manager.bus.channels import Room
from socketio_cluster.manager.checks import check_flag, check_namespace, check_steps, check_timeout
from socketio_cluster.manager.queries.conditions import check_where
from socketio_cluster.manager.queries.selection import Aim, Whom, aim

Calls = TypeVar("Calls")


@dataclass(frozen=True)
class Steps(Generic[Calls]):
    """A choice of clients. Each step returns a new one, so that any of them can be kept and used again."""

    _calls: Calls
    _namespace: str = "/"
    _rooms: tuple[Room, ...] | None = None
    _except: tuple[Room, ...] = ()
    _where: tuple[tuple[str, Any], ...] = ()
    _volatile: bool = False
    _local: bool = False
    _seconds: float | None = None

    def to(self, *rooms: Room) -> Self:
        """Add rooms or sids. A client in several of them is chosen once.

        Raises ``TypeError`` without any, which would be nobody.
        """
        if not rooms:
            raise TypeError("to() needs a room or a sid: for everybody in the namespace leave it out")
        return replace(self, _rooms=(*(self._rooms or ()), *check_steps(rooms)))

    def except_(self, *rooms: Room) -> Self:
        """Leave out who is in any of these rooms, or has one of these sids."""
        return replace(self, _except=(*self._except, *check_steps(rooms)))

    def where(self, conditions: Mapping[str, Any]) -> Self:
        """Keep only clients whose session fulfils these conditions, such as ``{"level >=": 3}``."""
        check_where(conditions)
        return replace(self, _where=(*self._where, *conditions.items()))

    def of(self, namespace: str) -> Self:
        """Choose clients of this namespace instead of "/"."""
        return replace(self, _namespace=check_namespace(namespace))

    @property
    def volatile(self) -> Self:
        """Leave out, with ``emit``, those whose connection cannot take an event at once."""
        return replace(self, _volatile=True)

    @property
    def local(self) -> Self:
        """Choose only clients of this node."""
        return replace(self, _local=True)

    def timeout(self, seconds: float) -> Self:
        """Set how many seconds answers are waited for. ``emit`` waits for none."""
        return replace(self, _seconds=check_timeout(seconds))

    def compress(self, flag: bool = True) -> Self:
        """Do nothing: whether a WebSocket is compressed is decided for the whole connection."""
        check_flag("compress", flag)
        return self

    @property
    def _whom(self) -> Whom:
        """Return the arguments, besides the room, that all calls about clients take."""
        return {
            "except_": self._except,
            "where": dict(self._where),
            "namespace": self._namespace,
            "local": self._local,
            "timeout": self._seconds,
        }

    def _aim(self, skip_sid: str | list[str] | None = None) -> Aim:
        whom = self._whom
        whom["skip_sid"] = skip_sid
        return aim(self._rooms, **whom)


Operator = TypeVar("Operator", bound=Steps[Any])


class FirstStep(ABC, Generic[Operator]):
    """Has the first steps, which begin a choice of clients."""

    @abstractmethod
    def _everybody(self) -> Operator:
        """Return the operator for everybody in "/"."""

    def to(self, *rooms: Room) -> Operator:
        """Begin with the clients in any of these rooms."""
        return self._everybody().to(*rooms)

    def except_(self, *rooms: Room) -> Operator:
        """Begin with everybody but those in any of these rooms."""
        return self._everybody().except_(*rooms)

    def where(self, conditions: Mapping[str, Any]) -> Operator:
        """Begin with everybody whose session fulfils these conditions, such as ``{"level >=": 3}``."""
        return self._everybody().where(conditions)

    def of(self, namespace: str) -> Operator:
        """Begin with everybody in a namespace."""
        return self._everybody().of(namespace)

    @property
    def volatile(self) -> Operator:
        """Begin with everybody who can take an event at once."""
        return self._everybody().volatile

    @property
    def local(self) -> Operator:
        """Begin with everybody on this node."""
        return self._everybody().local
