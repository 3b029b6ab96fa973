"""Which module speaks to which bus, by the scheme of the bus's URL."""

from __future__ import annotations

import asyncio
import re
from importlib import import_module
from typing import cast

from socketio_cluster.manager.bus.broker import Broker, Connect
from socketio_cluster.manager.errors import SettingError
from socketio_cluster.manager.extras import require_package

AMQP = "socketio_cluster.manager.brokers.amqp:connect"
"""Also where every ``kombu+…`` scheme goes; needs kombu."""

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
}
"""``module:function`` of each scheme, imported when first used: nobody pays for a bus of others."""


async def open_broker(url: str) -> Broker:
    """Connect to the bus at ``url``.

    Raises ``SettingError`` for a URL that cannot work and ``BrokerError`` while the bus cannot be reached.
    """
    module, _, function = _find(url).partition(":")
    # In a thread, because a client library takes 0.1 s and more to load and the node serves meanwhile.
    loaded = await asyncio.to_thread(import_module, module)
    connect = cast(Connect, getattr(loaded, function))
    return await connect(url)


def check_url(url: str) -> None:
    """Raise ``SettingError`` when no broker knows the URL's scheme, or its broker needs what is missing."""
    _find(url)


def safe_url(url: str) -> str:
    """Give the URL for logs, with passwords masked; of an odd URL rather too much than too little."""
    masked = re.sub(r"^([^:/]+://[^:/@]*):.*@", r"\1:***@", url, flags=re.DOTALL)
    return re.sub(r"(password=)[^&]*", r"\1***", masked)


def _find(url: str) -> str:
    scheme, separator, _ = url.partition("://")
    if not separator:
        raise SettingError("the bus is named by a URL such as redis://localhost:6379/0")
    broker = AMQP if scheme.startswith("kombu+") else BROKERS.get(scheme)
    if broker is None:
        raise SettingError(f"no bus is called {scheme}://; there are {', '.join(BROKERS)} and kombu+SCHEME")
    if broker == AMQP:
        require_package("kombu", what=f"{scheme}://")
    return broker
