"""The environ of a connection, which is made when somebody looks into it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

READING: Final = (
    *("__contains__", "__delitem__", "__eq__", "__ior__", "__iter__", "__len__", "__ne__", "__or__"),
    *("__repr__", "__reversed__", "__ror__", "clear", "copy", "items", "keys", "pop", "popitem"),
    *("setdefault", "update", "values"),
)
"""The methods of a dict that see all that is in it."""


class LazyEnviron(dict[str, Any]):
    """An environ as python-engineio makes it, but later: most connect handlers look only at ``auth``.

    Args:
        early: what is there from the beginning: the query and, if the request names one, the user agent.
        make: makes the whole environ. It is called once at most.
    """

    __slots__ = ("_make",)

    def __init__(self, early: dict[str, Any], make: Callable[[], dict[str, Any]]) -> None:
        super().__init__(early)
        self._make: Callable[[], dict[str, Any]] | None = make

    def fill(self) -> None:
        """Make the environ, if that was not done before. What was set meanwhile stays."""
        make, self._make = self._make, None
        if make is not None:
            for name, value in make().items():
                if not dict.__contains__(self, name):
                    dict.__setitem__(self, name, value)

    def __missing__(self, name: str) -> Any:
        if self._make is None:
            raise KeyError(name)
        self.fill()
        return self[name]

    def get(self, name: str, default: Any = None) -> Any:
        """Return a value, or the default."""
        try:
            return self[name]
        except KeyError:
            return default

    def __reduce__(self) -> tuple[Any, ...]:
        """Be copied and pickled as a plain dict."""
        return dict, (dict(self.items()),)

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return self.__reduce__()


def _filled(name: str) -> Callable[..., Any]:
    plain = getattr(dict, name)

    def method(self: LazyEnviron, *args: Any, **named: Any) -> Any:
        self.fill()
        return plain(self, *args, **named)

    method.__name__ = name
    return method


for _name in READING:
    setattr(LazyEnviron, _name, _filled(_name))
