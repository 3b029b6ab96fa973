"""A look before the run: whether each host is there and speaks what a load test needs."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import gevent
from gevent.event import AsyncResult

from loadtest.address import Address, address_of, hosts_of
from loadtest.client import Client
from loadtest.errors import LoadTestError, NotSocketIO


def check_hosts(hosts: str | None, options: Any) -> None:
    """Connect to each host (separated by commas) and wait for its welcome; raises a LoadTestError."""
    if not hosts_of(hosts):
        raise LoadTestError("no host: say which server to load with --host http://…")
    for host in hosts_of(hosts):
        parts = urlsplit(host)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise LoadTestError(f"{host!r} is no address of a server: write http://… or https://…")
        for transport in ("websocket", "polling") if options.transport == "both" else (options.transport,):
            _check(address_of(host, transport, options))


def _check(address: Address) -> None:
    welcome = AsyncResult()

    def on_event(event: str, args: list[Any], namespace: str) -> None:
        if event == "welcome":
            welcome.set(args)

    client = Client(address, on_event, lambda reason: welcome.set(None))
    try:
        if not welcome.get(timeout=address.timeout):
            raise NotSocketIO(f"{address.url} closed the connection before its 'welcome'")
    except gevent.Timeout:
        words = (
            "speaks Socket.IO but sends no 'welcome': see docs/loadtest-protocol.md for what it must answer"
        )
        raise NotSocketIO(f"{address.url} {words}") from None
    finally:
        client.disconnect()
