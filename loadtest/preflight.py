"""A look before the run: whether what was asked can be done, and each host speaks what a load test needs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import gevent
from gevent.event import AsyncResult

from socketio_cluster.loadtest.address import Address, address_of, hosts_of
from socketio_cluster.loadtest.client import Client
from socketio_cluster.loadtest.errors import LoadTestError, NotSocketIO
from socketio_cluster.loadtest.report.scrape import Scraper


def check_options(options: Any) -> None:
    """See whether there are users, and whether the results can be had; raises a LoadTestError."""
    if options.num_users is not None and options.num_users < 1:
        raise LoadTestError(f"--users: {options.num_users} is not a number from 1")
    for option, file in (("--json", options.verdict_file), ("--report", options.report)):
        if file:
            _check_place(option, Path(file), folder=file == options.report)
    try:
        Scraper(options.metrics or ())
    except ValueError as error:
        raise LoadTestError(f"--metrics: {error}") from None


def _check_place(option: str, place: Path, *, folder: bool) -> None:
    """See whether a file, or a folder with files, can be written there; nothing is written yet."""
    if place.exists() and place.is_dir() != folder:
        raise LoadTestError(f"{option}: {place} is {'no' if folder else 'a'} folder")
    existing = next(one for one in (place, *place.absolute().parents) if one.exists())
    if not os.access(existing, os.W_OK) or (not folder and not place.absolute().parent.is_dir()):
        raise LoadTestError(f"{option}: {place} cannot be written")


def check_hosts(hosts: str | None, options: Any) -> None:
    """Connect to each host (separated by commas) and wait for its welcome; raises a LoadTestError."""
    if not hosts_of(hosts):
        raise LoadTestError("no host: say which server to load with --host http://…")
    for host in hosts_of(hosts):
        if not _is_address(host):
            raise LoadTestError(f"{host!r} is no address of a server: write http://HOST:PORT or https://HOST")
        for transport in ("websocket", "polling") if options.transport == "both" else (options.transport,):
            _check(address_of(host, transport, options))


def _is_address(host: str) -> bool:
    try:
        parts = urlsplit(host)
        (parts.hostname or "").encode("idna")  # as a socket does, which takes no name such as 10.0.0..1
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # of brackets, of a port, or of a name
        return False


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
