"""The foreign cluster that a URL names: its bus, and its dialect.

The URL is that of a Redis, and more options in it say what uses that Redis:

    redis://host:6379/0                                       python-socketio's AsyncRedisManager
    redis://host:6379/0?channel=chat&pickle=yes               … with a channel, of version 5.13 or older
    redis://host:6379/0?adapter=nodejs&namespaces=/,/chat     @socket.io/redis-adapter and -emitter
    redis://host:6379/0?adapter=nodejs-sharded&key=chat       its sharded adapter, with a channelPrefix
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit

from socketio_cluster.manager.bridge.dialect import Dialect
from socketio_cluster.manager.bridge.nodejs.classic import Classic
from socketio_cluster.manager.bridge.nodejs.sharded import Sharded, room_channels
from socketio_cluster.manager.bridge.stock.stock import Stock
from socketio_cluster.manager.brokers.redis_foreign import connect
from socketio_cluster.manager.brokers.redis_line import RedisLine
from socketio_cluster.manager.brokers.redis_url import read_settings
from socketio_cluster.manager.bus.broker import Broker
from socketio_cluster.manager.checks import check_namespace
from socketio_cluster.manager.errors import SettingError

logger = logging.getLogger("socketio_cluster.manager")

SCHEMES: Final = ("redis", "rediss", "valkey", "unix")
STOCK: Final = "python-socketio"
NODEJS: Final[dict[str, type[Classic] | type[Sharded]]] = {"nodejs": Classic, "nodejs-sharded": Sharded}
ADAPTERS: Final = (STOCK, *NODEJS)


class Foreign(NamedTuple):
    """A cluster of another kind: ``connect`` makes a broker of its bus, ``make_dialect`` its dialect."""

    connect: Callable[[], Awaitable[Broker]]
    make_dialect: Callable[[str, Callable[[str], bool]], Dialect]


def read_foreign(url: str) -> Foreign:
    """Return the cluster of a URL. Raises ``SettingError``, whose text holds no password."""
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES:
        raise SettingError(f"a foreign cluster is named by the URL of a Redis: {', '.join(SCHEMES)}")
    options = dict(parse_qsl(parts.query))
    adapter, namespaces, key = options.pop("adapter", STOCK), ["/"], "socket.io"
    if adapter in NODEJS:
        namespaces = _namespaces(options.pop("namespaces", "/"))
        kind, key = NODEJS[adapter], options.pop("key", key)

        def make(node: str, is_peer: Callable[[str], bool]) -> Dialect:
            return kind(node, is_peer, namespaces, key)
    elif adapter == STOCK:
        channel, old = options.pop("channel", "socketio"), options.pop("pickle", "no") == "yes"

        def make(node: str, is_peer: Callable[[str], bool]) -> Dialect:
            return Stock(node, is_peer, channel, old=old)
    else:
        raise SettingError(f"adapter={adapter} is not known: use one of {', '.join(ADAPTERS)}")
    look = _Modes(key, namespaces).look if adapter == "nodejs-sharded" else None
    place = parts._replace(query=urlencode(options)).geturl()
    RedisLine(read_settings(place))  # An option that cannot be is refused now, not at the first connection.
    return Foreign(partial(connect, place, sharded=look is not None, look=look), make)


class _Modes:
    """Says once when Node.js's servers send events where a bridge does not hear them."""

    def __init__(self, key: str, namespaces: Sequence[str]) -> None:
        self._key = key
        self._namespaces = namespaces
        self._said = False

    def look(self, channels: Sequence[str]) -> None:
        """Look at the channels that somebody reads."""
        rooms = room_channels(self._key, self._namespaces, channels)
        if rooms and not self._said:
            self._said = True
            logger.error(
                "a Node.js server reads %s: give its createShardedAdapter subscriptionMode: 'static',"
                " or its events for single rooms do not go across",
                rooms[0],
            )


def _namespaces(text: str) -> list[str]:
    try:
        return [check_namespace(name.strip()) for name in text.split(",")]
    except (TypeError, ValueError) as error:
        raise SettingError(f"namespaces={text}: {error}") from None
