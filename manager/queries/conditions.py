"""Conditions on the sessions of clients. They travel as data, and each node checks its own clients."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import msgspec

from socketio_cluster.manager.bus.query_messages import Condition
from socketio_cluster.manager.checks import pack


def _one_of(value: Any, several: Any) -> bool:
    return value in several


RELATIONS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "in": _one_of,
}

_SIGNS: Final = RELATIONS.keys() - {"in"}
"""The relations that cannot be a word in the name of a field."""


def conditions(where: Mapping[str, Any] | None) -> list[Condition]:
    """Read what an application has written, such as ``{"team": "red", "level >=": 3, "user.id in": [1, 2]}``.

    Raises ``TypeError`` and ``ValueError`` for a value that is no condition or that MessagePack cannot hold.
    """
    return [] if where is None else check_where(where)


def check_where(where: object) -> list[Condition]:
    """Read a dict of conditions, as ``conditions``; None is wrong here."""
    if not isinstance(where, Mapping):
        raise TypeError(f"where is a dict of fields and values, not {where!r:.80}")
    return [_condition(key, value) for key, value in where.items()]


def fulfils(session: Any, conditions: Iterable[Condition]) -> bool:
    """Whether a session fulfils all conditions. A field that it does not have is None."""
    return all(_holds(session, one) for one in conditions)


def _condition(key: str, value: Any) -> Condition:
    if not isinstance(key, str):
        raise TypeError(f"a field of where is a text, not {key!r:.80}")
    field, _, relation = key.rpartition(" ")
    if relation not in RELATIONS:
        if not any(map(str.isalnum, relation)):
            raise ValueError(f"where has no relation {relation!r}, but {', '.join(RELATIONS)}: {key!r:.80}")
        field, relation = key, "=="
    field = field.strip()
    if _SIGNS.intersection(field.split()):
        raise ValueError(
            f"a key of where ends with its relation, and the value comes after the colon: not {key!r:.80}"
        )
    if not field or field[-1] in "=<>!":
        raise ValueError(
            f"a key of where is a field, and a space before a relation: 'level >=', not {key!r:.80}"
        )
    if relation == "in" and not isinstance(value, list | tuple | set | frozenset):
        raise TypeError(f"{key!r:.80} needs a list of values, not {value!r:.80}")
    # The value is packed here even if it stays on this node, so that it is the same on all.
    return Condition(field, relation, msgspec.msgpack.decode(pack(value, f"the value of {key!r:.80}")))


def _holds(session: Any, condition: Condition) -> bool:
    value = session
    for key in condition.field.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    try:
        return bool(RELATIONS[condition.relation](value, condition.value))
    except Exception:
        # A text and a number cannot be compared, and objects of the application may raise any error. It would
        # keep the event from all other clients.
        return False
