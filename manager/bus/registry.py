"""Finds the broker's module for the scheme of a bus URL."""

from __future__ import annotations

import asyncio
import re
from importlib import import_module
from typing import cast

from socketio_cluster.manager.bus.broker import Broker, Connect
from socketio_cluster.manager.bus.with_redis import Keeping, WithRedis
from socketio_cluster.manager.errors import BrokerError, SettingError
from socketio_cluster.manager.extras import require_package

AMQP = "socketio_cluster.manager.brokers.amqp:connect"
"""This module also handles every ``kombu+…`` scheme. It needs kombu."""

NATS = "socketio_cluster.manager.brokers.nats:connect"
"""This module needs nats-py."""

BROKERS = {
    "local": "socketio_cluster.manager.brokers.local:connect",
    "redis": "socketio_cluster.manager.brokers.redis:connect",
    "rediss": "socketio_cluster.manager.brokers.redis:connect",
    "valkey": "socketio_cluster.manager.brokers.redis:connect",
    "unix": "socketio_cluster.manager.brokers.redis:connect",
    "redis+sentinel": "socketio_cluster.manager.brokers.redis_sentinel:connect",
    "rediss+sentinel": "socketio_cluster.manager.brokers.redis_sentinel:connect",
    "redis+cluster": "socketio_cluster.manager.brokers.redis_cluster:connect",
    "rediss+cluster": "socketio_cluster.manager.brokers.redis_cluster:connect",
    "amqp": AMQP,
    "amqps": AMQP,
    "nats": NATS,
    "tls": NATS,
    "memory": "socketio_cluster.manager.brokers.memory:connect",
}
"""``module:function`` for each scheme. A module is imported when it is first used."""


RECORDING = tuple(scheme for scheme, module in BROKERS.items() if module not in (AMQP, NATS))
"""The schemes whose brokers number and keep events and keep sessions (``store.py``)."""

BESIDE = tuple(scheme for scheme in RECORDING if scheme not in ("local", "memory"))
"""Those of them that can do it for another bus."""


async def open_broker(url: str, recovery_url: str | None = None) -> Broker:
    """Connect to the bus at ``url``, and to the Redis at ``recovery_url`` that keeps events for it.

    Raises ``SettingError`` for a URL that cannot work and ``BrokerError`` while a server cannot be reached.
    """
    bus = await _open(url)
    if recovery_url is None:
        return bus
    try:
        return WithRedis(bus, cast(Keeping, await _open(recovery_url)))
    except BaseException as error:
        await bus.close()
        if isinstance(error, BrokerError):
            error.args = (f"the bus is there, but not the Redis of recovery_url: {error}",)
        raise


async def _open(url: str) -> Broker:
    module, _, function = _find(url).partition(":")
    # It is loaded in a thread, because a client library takes 0.1 s and more, and the node serves meanwhile.
    loaded = await asyncio.to_thread(import_module, module)
    connect = cast(Connect, getattr(loaded, function))
    return await connect(url)


def check_url(url: str) -> None:
    """Raise ``SettingError`` if no broker knows the URL's scheme, or if a package for it is missing."""
    _find(url)


def check_recording(url: str | None, recovery_url: str | None) -> None:
    """Raise ``SettingError`` if nothing keeps events and sessions, which recovery needs."""
    scheme = _scheme(url)
    if scheme not in RECORDING and recovery_url is None:
        bus = f"{scheme}:// keeps none" if scheme else "this process has no bus"
        raise SettingError(
            f"recovery_seconds needs a bus that keeps events, and {bus}: use {', '.join(RECORDING)}"
            + (", or give recovery_url, a Redis that keeps them for this bus" if scheme else "")
        )


def check_recovery_url(url: str | None, recovery_url: str) -> None:
    """Raise ``SettingError`` if this is no Redis, or if the bus keeps events itself."""
    if _scheme(recovery_url) not in BESIDE:
        raise SettingError(f"recovery_url must be a Redis that keeps events: {', '.join(BESIDE)}")
    if _scheme(url) in RECORDING:
        raise SettingError(
            f"recovery_url is for a bus that keeps no events: {_scheme(url)}:// keeps them itself"
        )
    check_url(recovery_url)


def _scheme(url: str | None) -> str:
    return (url or "").partition("://")[0]


def safe_url(url: str) -> str:
    """Return the URL with masked passwords, for logs. Of an odd URL more than necessary may be masked."""
    masked = re.sub(r"^([^:/]+://[^:/@]*):.*@", r"\1:***@", url, flags=re.DOTALL)
    masked = re.sub(r"^((?:nats|tls)://)[^:/]+@", r"\1***@", masked)  # a token
    return re.sub(r"(password=)[^&]*", r"\1***", masked)


def _find(url: str) -> str:
    scheme, separator, _ = url.partition("://")
    if not separator:
        raise SettingError("the bus is named by a URL such as redis://localhost:6379/0")
    broker = AMQP if scheme.startswith("kombu+") else BROKERS.get(scheme)
    if broker is None:
        raise SettingError(f"no bus is called {scheme}://; there are {', '.join(BROKERS)} and kombu+SCHEME")
    for needed, package in ((AMQP, "kombu"), (NATS, "nats")):
        if broker == needed:
            require_package(package, what=f"{scheme}://")
    return broker
