"""Finds the broker's module for the scheme of a bus URL."""

from __future__ import annotations

import asyncio
import re
from importlib import import_module
from typing import cast

from socketio_cluster.manager.bus.broker import Broker, Connect
from socketio_cluster.manager.errors import SettingError
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
}
"""``module:function`` for each scheme. A module is imported when it is first used."""


RECORDING = tuple(scheme for scheme, module in BROKERS.items() if module not in (AMQP, NATS))
"""The schemes whose brokers number and keep events and keep sessions (``store.py``)."""


async def open_broker(url: str) -> Broker:
    """Connect to the bus at ``url``.

    Raises ``SettingError`` for a URL that cannot work and ``BrokerError`` while the bus cannot be reached.
    """
    module, _, function = _find(url).partition(":")
    # It is loaded in a thread, because a client library takes 0.1 s and more, and the node serves meanwhile.
    loaded = await asyncio.to_thread(import_module, module)
    connect = cast(Connect, getattr(loaded, function))
    return await connect(url)


def check_url(url: str) -> None:
    """Raise ``SettingError`` if no broker knows the URL's scheme, or if a package for it is missing."""
    _find(url)


def check_recording(url: str | None) -> None:
    """Raise ``SettingError`` for a bus that cannot keep events and sessions, which recovery needs."""
    scheme = (url or "").partition("://")[0]
    if scheme not in RECORDING:
        bus = f"{scheme}:// keeps none" if scheme else "this process has no bus"
        raise SettingError(
            f"recovery_seconds needs a bus that keeps events, and {bus}: use {', '.join(RECORDING)}"
        )


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
