"""Reads pickles that hold nothing but plain data. The module ``pickle`` is never used.

A pickle is a program, and ``pickle.loads`` runs it: whoever can write to the bus could run anything here
(CVE-2025-61765). python-socketio up to 5.13 writes its messages as pickles. They are made of a few
instructions, which build numbers, texts, bytes, lists, tuples and dicts. Only these are carried out here; any
other instruction, such as one that imports or calls something, is refused.

The instructions are those of CPython's ``pickletools``, which reads them without carrying them out.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from typing import Any, Final

LEAST_BUDGET: Final = 100_000
"""So many values any pickle may hold. One with more has to have a byte for each of them.

A short pickle may name one list many times in another one, and that one many times again, so that it takes no
memory here, but all of it as soon as it is written as JSON.
"""

_VALUES: Final[dict[str, Any]] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_MAKES: Final[dict[str, Callable[[], Any]]] = {
    "EMPTY_LIST": list,
    "EMPTY_DICT": dict,
    "EMPTY_TUPLE": tuple,
    "EMPTY_SET": set,
}
_NUMBERS: Final = frozenset(
    ("INT", "LONG", "LONG1", "LONG4", "BININT", "BININT1", "BININT2", "FLOAT", "BINFLOAT")
)
_TEXTS: Final = frozenset(("UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"))
_BYTES: Final = frozenset(("SHORT_BINBYTES", "BINBYTES", "BINBYTES8", "BYTEARRAY8"))
_ARGUMENTS: Final = _NUMBERS | _TEXTS | _BYTES
"""Instructions that put their argument on the stack."""
_TUPLES: Final = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_IGNORED: Final = frozenset(("PROTO", "FRAME", "STOP"))
_MARK: Final = object()


def read_pickle(raw: bytes) -> Any:
    """Return the value in a pickle. Raises ``ValueError`` for one that is broken or holds more than data."""
    machine = _Machine()
    try:
        for opcode, argument, _ in pickletools.genops(raw):
            machine.step(opcode.name, argument)
        (value,) = machine.stack
    except (ValueError, IndexError, KeyError, TypeError, AttributeError, OverflowError) as exc:
        raise ValueError(f"not a pickle of plain data: {exc}") from None
    _check_size(value, max(LEAST_BUDGET, len(raw)))
    return value


class _Machine:
    """The stack and the memo, as the protocol of pickles has them."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def step(self, name: str, argument: Any) -> None:
        stack = self.stack
        if name in _ARGUMENTS:
            stack.append(argument)
        elif name in _VALUES:
            stack.append(_VALUES[name])
        elif name in _MAKES:
            stack.append(_MAKES[name]())
        elif name in _TUPLES:
            count = _TUPLES[name]
            stack[-count:] = [tuple(stack[-count:])]
        elif name == "MARK":
            stack.append(_MARK)
        elif name == "MEMOIZE":
            self._memo[len(self._memo)] = stack[-1]
        elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
            self._memo[argument] = stack[-1]
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            stack.append(self._memo[argument])
        elif name not in _IGNORED:
            self._fill(name)

    def _fill(self, name: str) -> None:
        """Carry out an instruction that takes values from the stack."""
        if name == "APPEND":
            value = self.stack.pop()
            self._last(list).append(value)
        elif name == "SETITEM":
            value, key = self.stack.pop(), self.stack.pop()
            self._last(dict)[key] = value
        elif name == "TUPLE":
            self.stack.append(tuple(self._marked()))
        elif name == "LIST":
            self.stack.append(self._marked())
        elif name == "APPENDS":
            values = self._marked()
            self._last(list).extend(values)
        elif name == "ADDITEMS":
            values = self._marked()
            self._last(set).update(values)
        elif name == "SETITEMS":
            values = self._marked()
            self._last(dict).update(zip(values[::2], values[1::2], strict=True))
        elif name == "DICT":
            values = self._marked()
            self.stack.append(dict(zip(values[::2], values[1::2], strict=True)))
        else:
            raise ValueError(f"the instruction {name} is none for data")

    def _last(self, kind: type) -> Any:
        if type(self.stack[-1]) is not kind:
            raise TypeError(f"no {kind.__name__} to fill")
        return self.stack[-1]

    def _marked(self) -> list[Any]:
        """Take the values off the stack that are above the last mark, and the mark."""
        at = len(self.stack) - 1
        while self.stack[at] is not _MARK:
            at -= 1
            if at < 0:
                raise ValueError("a mark is missing")
        values = self.stack[at + 1 :]
        del self.stack[at:]
        return values


def _check_size(value: Any, budget: int) -> None:
    """Raise ``ValueError`` for a value that has more parts than this, when each is counted wherever it is."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if part is _MARK:
            raise ValueError("not a pickle of plain data: a mark is left")
        if isinstance(part, dict):
            inside = [*part.keys(), *part.values()]
        elif isinstance(part, list | tuple | set):
            inside = list(part)
        else:
            continue
        budget -= len(inside)
        if budget < 0:
            raise ValueError("not a pickle of plain data: it grows when it is read")
        waiting += inside
