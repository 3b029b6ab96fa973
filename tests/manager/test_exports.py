"""What ``manager`` offers is there, and says what it is."""

from __future__ import annotations

import inspect

import socketio_cluster


def test_all_is_everything():
    """``__all__`` is sorted and names exactly the public things of the package."""
    public = [
        name
        for name, value in vars(manager).items()
        if not name.startswith("_") and not inspect.ismodule(value)
    ]
    assert sorted(public) == list(manager.__all__)


def test_everything_is_documented():
    """Each public name, and each public method of it, has a docstring of its own."""
    missing = []
    for name in manager.__all__:
        thing = getattr(manager, name)
        missing += [name] if not inspect.getdoc(thing) else []
        for method, value in vars(thing).items() if inspect.isclass(thing) else ():
            if inspect.isfunction(value) and not method.startswith("_") and not value.__doc__:
                missing.append(f"{name}.{method}")
    assert missing == []


def test_emitters_are_alike():
    """``Emitter`` and ``AsyncEmitter`` have the same calls with the same arguments."""
    ours = ("emit", "send", "enter_room", "leave_room", "close_room", "disconnect", "close", "__init__")
    for method in ours:
        blocking, awaited = (
            getattr(kind, method) for kind in (socketio_cluster.Emitter, socketio_cluster.AsyncEmitter)
        )
        assert inspect.signature(blocking) == inspect.signature(awaited), method


def test_emitters_are_like_the_server():
    """An emitter's calls take what ``AsyncServer``'s take, in the same order; callbacks are for servers."""
    from socketio import AsyncServer

    for method in ("emit", "send", "enter_room", "leave_room", "close_room", "disconnect"):
        server = list(inspect.signature(getattr(AsyncServer, method)).parameters)
        emitter = list(inspect.signature(getattr(socketio_cluster.AsyncEmitter, method)).parameters)
        assert emitter == [name for name in server if name not in ("callback", "ignore_queue")]
