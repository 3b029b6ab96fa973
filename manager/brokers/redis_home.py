"""Tells one run of a Redis server from the next, and whether the server has forgotten anything in between."""

from __future__ import annotations

from typing import NamedTuple

from socketio_cluster.manager.brokers.redis_line import RedisLine


class Home(NamedTuple):
    """A run of a server.

    ``run`` is its random id, or empty if the server does not tell. ``remembers`` is 1 if a new run of the
    same server knows every write of the last one that was confirmed, and 0 if some may be lost.
    """

    run: str
    remembers: int


async def find_home(line: RedisLine) -> Home:
    """Ask a server. Raises ``BrokerError``.

    A server without an append-only file loses what it has not saved yet when it ends. A replica that has
    become the primary may never have got the last writes of the former one; it names that one's replication
    id as its second.
    """
    server = _fields(await line.try_ask("INFO", "server"))
    persistence = _fields(await line.try_ask("INFO", "persistence"))
    replication = _fields(await line.try_ask("INFO", "replication"))
    promoted = replication.get("master_replid2", "").strip("0") != ""
    remembers = persistence.get("aof_enabled") == "1" and not promoted
    return Home(server.get("run_id", ""), int(remembers))


def _fields(reply: bytes | None) -> dict[str, str]:
    """Return the fields of a section of INFO."""
    lines = (reply or b"").decode(errors="replace").splitlines()
    return {name: value for name, found, value in (line.partition(":") for line in lines) if found}
