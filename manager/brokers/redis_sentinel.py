"""Redis behind sentinels: a sentinel is asked for the master, and the broker connects to the master.

The URL is ``redis+sentinel://user:password@host1:26379,host2:26379/db/service``. The credentials are those of
the master, and ``?sentinel_username=`` and ``?sentinel_password=`` are those of the sentinels. A failover
ends the connections, and the next ``connect`` finds the new master.
"""

from __future__ import annotations

import logging
from urllib.parse import unquote

from socketio_cluster.manager.brokers.inbox import SEED_TIMEOUT
from socketio_cluster.manager.brokers.redis import RedisBroker
from socketio_cluster.manager.brokers.redis_line import ask_any, check_primary, opened
from socketio_cluster.manager.brokers.redis_url import Settings, read_hosts, read_settings
from socketio_cluster.manager.bus.servers_url import split_url
from socketio_cluster.manager.errors import BrokerError, SettingError, WrongServer

logger = logging.getLogger("socketio_cluster.manager")


class SentinelBroker(RedisBroker):
    """A broker of the master, which leaves it when the sentinels name another one.

    They demote the former master some 10 s after a failover. Until then it takes what is published there, and
    nodes that have come meanwhile do not hear that.
    """

    def __init__(self, url: str, master: Settings) -> None:
        super().__init__(master)
        self._url = url
        self._master = master

    async def check(self) -> None:
        """Ask for the server's role, and the sentinels for the master."""
        await super().check()
        try:
            master = await _find_master(self._url)
            if master == self._master:
                return
            async with opened(master, SEED_TIMEOUT) as line:
                await check_primary(line)
        except (BrokerError, TimeoutError) as error:
            logger.debug("the sentinels name no other master that can be reached: %s", error)
            return
        raise self.fail(WrongServer(f"the sentinels name another Redis, at {line.name}"))


async def connect(url: str) -> RedisBroker:
    """Connect to the master that the sentinels name. Raises ``BrokerError`` while there is none."""
    # A sentinel's knowledge may be out of date, so the broker asks the server itself whether it is the
    # master.
    return await SentinelBroker(url, await _find_master(url)).open()


async def _find_master(url: str) -> Settings:
    parts = split_url(url)
    db, _, service = unquote(parts.path).strip("/").rpartition("/")
    if not service:
        raise SettingError(
            f"{parts.scheme}:// needs the service's name: {parts.scheme}://host:26379/0/mymaster"
        )
    master = read_settings(parts._replace(path=f"/{db}").geturl())
    own = {key: master.pop(f"sentinel_{key}", None) for key in ("username", "password")}
    sentinel = master | own | {"db": 0}
    _, (host, port) = await ask_any(
        read_hosts(url, 26379), sentinel, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", service
    )
    return master | {"host": host.decode(), "port": int(port)}
