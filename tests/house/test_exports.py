"""What ``socketio_cluster`` offers is there when it is asked for, not before, and says what it is."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

import socketio_cluster
from socketio_cluster import testing


def test_names():
    """Every name of ``__all__`` is there and has a place; any other is an error that names it."""
    assert sorted(socketio_cluster.__all__) == list(socketio_cluster.__all__)
    assert socketio_cluster._MODULES.keys() == set(socketio_cluster.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        socketio_cluster.Nothing  # noqa: B018


@pytest.mark.parametrize("module", ["cluster", "cluster.hub", "cluster.supervisor.supervisor"])
def test_cheap(module):
    """The package itself, the hub and the supervisor import nothing of Socket.IO, which takes a second."""
    program = f"import socketio_cluster.{module}, sys; sys.exit('socketio' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], timeout=30).returncode == 0


def test_types(tmp_path):
    """A type checker knows every public name in a program that lies elsewhere."""
    lines = [f"reveal_type(socketio_cluster.{name})" for name in socketio_cluster.__all__]
    (tmp_path / "shop.py").write_text("\n".join(["import socketio_cluster", *lines]))
    mypy = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", tmp_path / "cache", "shop.py"]
    done = subprocess.run(mypy, cwd=tmp_path, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("Revealed type is") == len(lines)
    assert 'is "Any"' not in done.stdout


def test_everything_is_documented():
    """Each public name, and each public method of it, has a docstring of its own."""
    missing = []
    public = [(name, getattr(socketio_cluster, name)) for name in socketio_cluster.__all__]
    public += [(name, getattr(testing, name)) for name in testing.__all__]
    for name, thing in public:
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
        emitter = [name for name in emitter if name != "chosen"]  # which clients of these get it: ours alone
        assert emitter == [name for name in server if name not in ("callback", "ignore_queue")]
