"""The clients that a question is about: as an application names them, and as clients of this node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict

from socketio_cluster.manager.bus.channels import Room
from socketio_cluster.manager.bus.query_messages import Recipients
from socketio_cluster.manager.checks import check_flag, check_namespace, check_timeout, room_list, skip_list
from socketio_cluster.manager.clients.client import Client
from socketio_cluster.manager.queries.conditions import conditions, fulfils

if TYPE_CHECKING:
    from socketio_cluster.manager.member import ClusterMember

Rooms = Room | list[Room] | tuple[Room, ...] | set[Room] | frozenset[Room]
"""A room or a sid, or several."""


class Whom(TypedDict, total=False):
    """The arguments, besides the room, by which all calls about clients choose the clients."""

    to: Rooms | None
    """python-socketio's other name for the room."""
    skip_sid: str | list[str] | None
    """Sids that are left out."""
    except_: Rooms | None
    """Rooms whose members are left out, and sids."""
    where: Mapping[str, Any] | None
    """Conditions on the session: ``{"team": "red", "level >=": 3}``. Each node checks its own clients.

    A key is the name of a field, with dots for nested dicts, and perhaps one of ``== != < <= > >= in`` behind
    it. A field that a session does not have is None.
    """
    namespace: str | None
    """None stands for "/"."""
    local: bool
    """Whether this node alone is meant."""
    ignore_queue: bool
    """python-socketio's other name for ``local``."""
    timeout: float | None
    """How many seconds answers are waited for; None is the option ``request_seconds``."""


class Chosen(TypedDict, total=False):
    """The arguments by which ``emit`` and ``send`` choose clients, beside those of python-socketio."""

    except_: Rooms | None
    """Rooms whose members do not get the event, on whichever node, and sids."""
    where: Mapping[str, Any] | None
    """Conditions on the session, as in ``Whom``."""
    volatile: bool
    """Whether clients whose connection cannot take the event at once do not get it."""
    local: bool
    """Whether only clients of this node get it: another name for python-socketio's ``ignore_queue``."""


class Aim(NamedTuple):
    """The checked values of a ``Whom``."""

    recipients: Recipients
    local: bool = False
    timeout: float | None = None


def aim(
    room: Rooms | None = None,
    *,
    to: Rooms | None = None,
    skip_sid: str | list[str] | None = None,
    except_: Rooms | None = None,
    where: Mapping[str, Any] | None = None,
    namespace: str | None = None,
    local: bool = False,
    ignore_queue: bool = False,
    timeout: float | None = None,
) -> Aim:
    """Check a room and a ``Whom``.

    Raises ``TypeError`` and ``ValueError``, as ``checks.py``, for what cannot be.
    """
    without = (room_list(except_) or []) + skip_list(skip_sid)
    rooms = room_list(room if to is None else to)
    here = check_flag("local", local) | check_flag("ignore_queue", ignore_queue)
    whom = Recipients(check_namespace(namespace), rooms, without, conditions(where))
    return Aim(whom, here, check_timeout(timeout))


def choose(
    room: Rooms | None,
    skip_sid: str | list[str] | None,
    namespace: str | None,
    ignore_queue: bool = False,
    *,
    except_: Rooms | None = None,
    where: Mapping[str, Any] | None = None,
    volatile: bool = False,
    local: bool = False,
) -> tuple[Aim, bool]:
    """Check the arguments of an emit with a ``Chosen``. Returns also whether it is volatile."""
    whom: Whom = {"skip_sid": skip_sid, "except_": except_, "where": where, "namespace": namespace}
    whom["local"], whom["ignore_queue"] = local, ignore_queue
    return aim(room, **whom), check_flag("volatile", volatile)


def select(manager: ClusterMember, whom: Recipients) -> Sequence[Client]:
    """Return the clients of this node that are meant, also those that are still connecting.

    ``where`` is not checked here: ``is_meant`` does that for each client.
    """
    clients = manager.members.members(whom.namespace, whom.rooms)
    if not whom.except_:
        return clients
    others = {client.sid for client in manager.members.members(whom.namespace, whom.except_)}
    return [client for client in clients if client.sid not in others]


def is_meant(manager: ClusterMember, client: Client, whom: Recipients) -> bool:
    """Whether the session of a client fulfils the conditions."""
    if not whom.where:
        return True
    connection = manager.host.connection(client.eio_sid)
    return connection is not None and fulfils(connection.sessions.get(client.namespace), whom.where)
