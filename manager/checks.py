"""Checks of the arguments with which an application asks and tells the cluster.

What is wrong raises ``TypeError`` or ``ValueError`` before anything is done. The text says what to write.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import isfinite
from typing import Any

import msgspec

from socketio_cluster.manager.bus.channels import Room, check_room
from socketio_cluster.manager.errors import NO_EVENT


def check_event(event: object) -> str:
    """Return the name of an event."""
    if isinstance(event, str):
        if not event:
            raise ValueError(NO_EVENT)
        return event
    raise TypeError(f"an event is named by a text, not {event!r:.80}: its data comes second")


def check_namespace(namespace: object) -> str:
    """Return a namespace; None stands for "/"."""
    if namespace is None:
        return "/"
    if not isinstance(namespace, str):
        raise TypeError(f"a namespace is a text such as '/chat', not {namespace!r:.80}")
    if not namespace.startswith("/"):
        raise ValueError(f"a namespace begins with '/': {'/' + namespace!r:.80}, not {namespace!r:.80}")
    if "," in namespace:
        raise ValueError(f"no client can join a namespace with a comma: {namespace!r:.80}")
    return str(check_room(namespace))


def plain_namespace(namespace: str | None) -> str:
    """Return a namespace as a plain str: an enum's member would be another text in the name of a channel."""
    return namespace if type(namespace) is str and namespace else check_namespace(namespace)


def check_timeout(seconds: object) -> float | None:
    """Return a number of seconds; None stands for the usual one."""
    if seconds is None:
        return None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise TypeError(f"timeout is a number of seconds, not {seconds!r:.80}")
    if not (seconds > 0 and isfinite(seconds)):
        raise ValueError(f"timeout must be more than 0 seconds, and finite, not {seconds}")
    return seconds


def check_flag(name: str, flag: object) -> bool:
    """Return an argument that is True or False."""
    if isinstance(flag, bool):
        return flag
    raise TypeError(f"{name} is True or False, not {flag!r:.80}")


def check_sid(sid: object, what: str = "a client") -> str:
    """Return the sid of one client. ``what`` names it in the text of the error."""
    if isinstance(sid, str):
        return str(check_room(sid))
    raise TypeError(f"{what} is named by its sid, a text, not {sid!r:.80}")


def room_list(room: Any) -> list[Room] | None:
    """Return a room, or several rooms, as a list. None, which means everybody, stays None.

    Raises ``TypeError`` and ``ValueError`` as ``check_room``.
    """
    if room is None:
        return None
    if type(room) is str:  # the usual case, which this makes faster
        return [check_room(room)]
    if isinstance(room, list | tuple | set | frozenset):
        return [check_room(one) for one in room]
    return [check_room(room)]


def skip_list(skip_sid: Any) -> list[str]:
    """Return the sids that an emit leaves out, which may be given as one, several or none, as a list.

    Raises ``TypeError`` for a value that is no sid, and ``ValueError`` for a text that no bus can carry.
    """
    if skip_sid is None:
        return []
    if isinstance(skip_sid, str):
        skip_sid = [skip_sid]
    elif isinstance(skip_sid, bytes | dict) or not isinstance(skip_sid, Iterable):
        raise TypeError(f"skip_sid is a sid or several, not {skip_sid!r:.80}")
    return [check_sid(sid, "a client of skip_sid") for sid in skip_sid if sid is not None]


def check_rooms(rooms: object) -> list[Room]:
    """Return one room or several as a list."""
    checked = room_list(rooms)
    if checked is None:
        raise TypeError("the first argument is a room or a list of rooms, not None")
    return checked


def check_steps(rooms: tuple[Any, ...]) -> tuple[Room, ...]:
    """Return rooms that were given one by one, as ``to("red", "blue")``."""
    for room in rooms:
        if isinstance(room, list | tuple | set | frozenset):
            raise TypeError(f"rooms are given one by one here: write *{room!r:.80}")
    return tuple(map(check_room, rooms))


def check_callback(callback: object) -> None:
    """Raise ``TypeError`` for a value that cannot be called with a client's answer."""
    if callback is not None and not callable(callback):
        raise TypeError(f"callback is a function, not {callback!r:.80}")


def pack(value: object, what: str) -> bytes:
    """Return a value as MessagePack. ``what`` names it in the text of the error."""
    try:
        return msgspec.msgpack.encode(value)
    except TypeError as exc:
        raise TypeError(f"{what} cannot travel as MessagePack: {exc}") from exc
    except (ValueError, ArithmeticError, RecursionError) as exc:
        raise ValueError(f"{what} cannot travel as MessagePack: {exc}") from exc
