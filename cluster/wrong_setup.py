"""What an application has set up in such a way that ``serve`` cannot make it work, and what to change."""

from __future__ import annotations

import gc
import inspect
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import socketio
from socketio.async_pubsub_manager import AsyncPubSubManager
from socketio.pubsub_manager import PubSubManager

from socketio_cluster.cluster.errors import UsageError
from socketio_cluster.cluster.supervisor.bus import OURS
from socketio_cluster.manager.bus.registry import safe_url
from socketio_cluster.manager.client_manager import ClusterManager
from socketio_cluster.manager.errors import SettingError
from socketio_cluster.manager.options import from_environment

_KINDS: Final = (socketio.AsyncServer, AsyncPubSubManager, PubSubManager)
_LIBRARIES: Final = frozenset(("importlib", "socketio", "socketio_cluster"))
"""The folders of modules that raise or pass on the errors of settings."""


def check_interface(app: Any, target: str) -> None:
    """Raise ``UsageError`` for a WSGI application. It takes two arguments, and an ASGI one three."""
    try:
        parameters = inspect.signature(app).parameters.values()
    except (TypeError, ValueError):
        return  # it is written in C, or says nothing of itself
    needed = [one for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    variadic = any(one.kind is one.VAR_POSITIONAL for one in parameters)
    if len(needed) == 2 and not variadic and not inspect.iscoroutinefunction(app):
        raise UsageError(
            f"{target} is a WSGI application, and serve runs ASGI ones: let gunicorn serve it, with a"
            " SyncClusterManager, as docs/flask.md says"
        )


def usage_error(error: SettingError) -> UsageError:
    """Return the error of a setting as one of the user, with the line of the application that causes it."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [one for one in frames if one.filename[0] != "<" and not _LIBRARIES & {*Path(one.filename).parts}]
    place = f"{own[-1].filename}:{own[-1].lineno}: " if own else ""
    return UsageError(f"{place}{error}")


def outsiders(*, several: bool) -> list[str]:
    """Return a sentence for each kind of server and manager here that takes no part in the cluster.

    Args:
        several: whether there are several workers. On one of them a server needs no manager.
    """
    found = [one for one in gc.get_objects() if issubclass(type(one), _KINDS)]
    servers = [_of_server(one, several=several) for one in found if isinstance(one, socketio.AsyncServer)]
    emitters = [_of_emitter(one) for one in found if not isinstance(one, socketio.AsyncServer)]
    return sorted({text for text in servers + emitters if text})


def own_buses(managers: Iterable[ClusterManager]) -> list[str]:
    """Return a sentence for each bus that managers name themselves, and that is not the one of ``serve``."""
    given = from_environment(None, {}).url or OURS
    same = {None, given, OURS} if given.startswith(OURS) else {None, given}  # serve gives ours with its path
    urls = {manager.options.url for manager in managers} - same
    return [
        f"the application names its bus itself: {safe_url(url)}, whatever serve says"
        for url in sorted(map(str, urls))
    ]


def _of_server(server: Any, *, several: bool) -> str:
    if isinstance(server.manager, ClusterManager):
        return ""
    kind, manager = type(server).__name__, type(server.manager).__name__
    if isinstance(server.manager, AsyncPubSubManager):
        return (
            f"the manager of this {kind} is python-socketio's {manager}, so serve cannot pass on polls to the"
            " worker of their client: write client_manager=ClusterManager(), and name the bus with --bus"
        )
    if several:
        return (
            f"this {kind} has no ClusterManager, so clients on one worker hear nothing of the others: write"
            f" {kind}(client_manager=ClusterManager(), …)"
        )
    return ""


def _of_emitter(manager: Any) -> str:
    if manager.server is not None:
        return ""
    return (
        f"nobody in this cluster hears what python-socketio's {type(manager).__name__} emits: write"
        " AsyncEmitter() or Emitter() in its place"
    )
