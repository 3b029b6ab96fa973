"""The servers of a bus URL, and the prefix that the channels have on each of them.

Most URLs stand for one place. Two kinds stand for several *shards*, over which rooms are spread:

* plain servers, such as ``redis://user:password@a:6379,b:6379,c:6379/0``;
* parts of one Redis Cluster, such as ``redis+cluster://a:7000,b:7000?shards=16``. All channels of a shard
  have one hash tag, so they are on one server of the cluster.
"""

from __future__ import annotations

import itertools
from binascii import crc_hqx
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from socketio_cluster.manager.bus.servers_url import split_url
from socketio_cluster.manager.errors import SettingError

PLAIN: Final = ("redis", "rediss", "valkey")
CLUSTER: Final = ("redis+cluster", "rediss+cluster")
PATHS: Final = ("local", "unix")
"""Schemes of which the URL names a file."""
SHARDS: Final = "shards"
OPTION: Final = f"{SHARDS}="
MOST: Final = 64
"""The most shards. Each costs two connections of every node, and heartbeats of every node to every other."""
SLOTS: Final = 16384
"""The hash slots of a Redis Cluster."""


class Place(NamedTuple):
    """One shard: its URL (None without a bus) and the prefix of its channels."""

    url: str | None
    prefix: str


def places_of(url: str | None, prefix: str) -> list[Place]:
    """Return the shards of a bus, in their order. The first one has the prefix of the cluster.

    Raises ``SettingError`` for a list of servers or a number of shards that cannot work.
    """
    scheme = (url or "").partition("://")[0]
    if url is not None and scheme in PLAIN:
        urls = _servers(url)
        return [Place(each, _prefix(prefix, shard, len(urls))) for shard, each in enumerate(urls)]
    if url is not None and scheme in CLUSTER:
        url, count = _without_shards(url)
        tags = [prefix, *(_spread(prefix, shard, count) for shard in range(1, count))]
        return [Place(url, tag) for tag in tags]
    return [Place(url, prefix)]


def check_places(url: str | None, prefix: str, *, recovery: bool) -> None:
    """Raise ``SettingError`` for servers or shards that cannot work, or with which rooms cannot be recovered.

    The texts do not quote the URL, because what stands at the place of a port may be a part of a password.
    """
    if url is not None:
        _check_ports(url)
        _check_options(url)
    if len(places_of(url, prefix)) > 1 and recovery:
        raise SettingError(
            "recovery_seconds and a bus of several shards do not go together: a client that comes back says "
            "how far it was in the one order of all events, and each shard has an order of its own. Name one "
            f"server, without {OPTION}, or leave recovery out"
        )


def _check_ports(url: str) -> None:
    scheme = url.partition("://")[0]
    if scheme in PATHS or scheme.startswith("kombu+"):
        return
    for part in url.split(";"):  # several brokers of AMQP
        for server in split_url(part).netloc.rpartition("@")[2].split(","):
            try:
                urlsplit(f"//{server}").port  # noqa: B018  # it raises
            except ValueError:
                raise SettingError(
                    f"a server of the {scheme}:// URL has a port that is no number up to 65535; special "
                    "characters in a password are written as %-escapes"
                ) from None


def _check_options(url: str) -> None:
    """Refuse the number of shards where it means nothing, and where it stands twice."""
    parts = split_url(url)
    names = [option.partition("=")[0] for option in parts.query.split("&")]
    meant = [name for name in names if name.lower() == SHARDS]
    if meant and parts.scheme not in CLUSTER:
        several = f"; several servers are {parts.scheme}://host1,host2/0" if parts.scheme in PLAIN else ""
        raise SettingError(f"{OPTION} is for redis+cluster://, not for {parts.scheme}://{several}")
    if set(meant) - {SHARDS}:
        raise SettingError(f"the URL of the bus has {meant[0]}=, which is written {OPTION}")
    if len(meant) > 1:
        raise SettingError(f"{OPTION} stands twice in the URL of the bus")


def _servers(url: str) -> list[str]:
    """Return one URL for each host of a URL."""
    parts = split_url(url)
    credentials, at, hosts = parts.netloc.rpartition("@")
    names = hosts.split(",")
    if len(names) > 1 and not all(name and name == name.strip() for name in names):
        raise SettingError(f"the servers of a {parts.scheme}:// URL look like host1:6379,host2:6379")
    if "@" in credentials and "," in parts.netloc:
        raise SettingError(
            f"several servers have one name and password: {parts.scheme}://user:password@host1,host2/0"
        )
    if len(set(names)) < len(names):
        raise SettingError(f"a server stands twice in the {parts.scheme}:// URL, so it would be two shards")
    _check(len(names))
    return [parts._replace(netloc=credentials + at + name).geturl() for name in names]


def _without_shards(url: str) -> tuple[str, int]:
    """Take the option ``shards`` out of a URL. Returns its number, 1 if it is missing."""
    parts = split_url(url)
    options = parts.query.split("&")
    numbers = [option.removeprefix(OPTION) for option in options if option.startswith(OPTION)]
    rest = "&".join(option for option in options if not option.startswith(OPTION))
    if not numbers:
        return url, 1
    if not numbers[-1].isdecimal():
        raise SettingError(f"{OPTION} in the URL of the bus must be a number, not {numbers[-1]!r}")
    _check(int(numbers[-1]))
    return parts._replace(query=rest).geturl(), int(numbers[-1])


def _check(count: int) -> None:
    if not 1 <= count <= MOST:
        raise SettingError(f"a bus has 1 to {MOST} shards, not {count}")


def _prefix(prefix: str, shard: int, count: int) -> str:
    """Return the prefix of a shard.

    It contains the number of shards, so that nodes which spread rooms in another way never share a room's
    channel. Users' prefixes have no colon, so it is never that of another cluster.
    """
    return f"{prefix}:{shard}/{count}" if shard else prefix


def _spread(prefix: str, shard: int, count: int) -> str:
    """Return a prefix whose slot is in this shard's part of all slots, counted from the first shard's slot.

    The servers of a Redis Cluster have ranges of slots. So each of them gets about as many shards as others.
    """
    for number in itertools.count():
        tag = f"{_prefix(prefix, shard, count)}:{number}"
        if (_slot(tag) - _slot(prefix)) % SLOTS * count // SLOTS == shard:
            return tag
    raise AssertionError("unreachable")


def _slot(tag: str) -> int:
    """Return the slot of the channels with this hash tag: the CRC16 of the Redis Cluster specification."""
    return crc_hqx(tag.encode(), 0) % SLOTS
