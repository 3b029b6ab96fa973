"""What a server may use as its threads: real ones, or gevent's greenlets in their place."""

from __future__ import annotations

import sys

from socketio_cluster.manager.errors import SettingError


def check_threads(async_mode: str) -> None:
    """Raise ``SettingError`` for a server whose threads the node cannot share.

    With gevent's monkey-patching every thread is a greenlet, so ``gevent`` and ``threading`` are the same. A
    greenlet beside real threads would block all others whenever it waits for one.
    """
    if async_mode == "threading" or (async_mode == "gevent" and _patched()):
        return
    if async_mode == "gevent":
        raise SettingError(
            "async_mode='gevent' needs gevent.monkey.patch_all() before all other imports,"
            " as gunicorn -k gevent does by itself"
        )
    raise SettingError(
        f"SyncClusterManager works with threads and gevent, not with {async_mode}: give the server"
        " async_mode='threading', and gunicorn --threads 100 or -k gevent instead of -k eventlet"
    )


def _patched() -> bool:
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_module_patched("threading"))
