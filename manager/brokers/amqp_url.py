"""Reads the URL of a kombu bus: the servers, the options of TLS and the kind of session."""

from __future__ import annotations

import ssl
from typing import Any
from urllib.parse import urlsplit

from kombu.connection import Connection as Client

from socketio_cluster.manager.brokers.amqp_connection import Transport
from socketio_cluster.manager.brokers.amqp_session import AmqpSession
from socketio_cluster.manager.brokers.bus_thread import Session
from socketio_cluster.manager.brokers.inbox import CONNECT_TIMEOUT
from socketio_cluster.manager.brokers.kombu_session import KombuSession
from socketio_cluster.manager.errors import SettingError

HEARTBEAT = 10
"""Seconds between AMQP's heartbeats. A side that is silent for two of them counts as gone."""


class Target:
    """The servers of one URL.

    ``name`` is for messages and holds no credentials. ``patience`` is the time to try in seconds.
    """

    def __init__(self, urls: list[str]) -> None:
        self._urls = urls
        self.name = ", ".join(map(_place, urls))
        self.patience = 2 * CONNECT_TIMEOUT * len(urls)

    def open(self, *, consume: bool) -> Session:
        """Open a session with the first server that answers. Blocks. Raises the error of the last server."""
        for url in self._urls[:-1]:
            try:
                return _open(url, consume=consume)
            except OSError:
                continue
        return _open(self._urls[-1], consume=consume)


def read_url(url: str) -> Target:
    """Read a URL. Raises ``SettingError`` for one that kombu cannot read."""
    urls = [part.removeprefix("kombu+") for part in url.split(";")]
    try:
        for part in urls:
            _client(part)
        return Target(urls)
    except (ImportError, KeyError, TypeError, ValueError) as error:
        # The texts of other errors may quote the URL, and with it the password.
        reason = (
            error.args[0] if isinstance(error, (ImportError, KeyError)) else "check host, port and options"
        )
        raise SettingError(f"kombu cannot use this {url.partition(':')[0]}:// URL: {reason}") from None


def _place(url: str) -> str:
    parts = urlsplit(url)
    port = parts.port or {"amqp": 5672, "amqps": 5671}.get(parts.scheme)
    host = f"{parts.hostname or ''}:{port}" if port else parts.hostname or ""
    return f"{parts.scheme}://{host}"


def _open(url: str, *, consume: bool) -> Session:
    client = _client(url)
    if client.transport_cls is Transport:
        return AmqpSession(client, consume=consume)
    return KombuSession(client, consume=consume)


def _client(url: str) -> Client:
    """Make a kombu connection, which is not connected yet."""
    scheme = urlsplit(url).scheme
    if scheme not in ("amqp", "amqps", "pyamqp"):
        return Client(url, connect_timeout=CONNECT_TIMEOUT)  # type: ignore[no-untyped-call]
    client: Client = Client(  # type: ignore[no-untyped-call]
        url, transport=Transport, connect_timeout=CONNECT_TIMEOUT, heartbeat=HEARTBEAT, ssl=scheme == "amqps"
    )
    if client.ssl:
        client.ssl = _tls(client.hostname, {} if client.ssl is True else client.ssl)
    return client


def _tls(host: str | None, given: dict[str, Any]) -> dict[str, Any]:
    """Return py-amqp's options for kombu's ``?ssl_…``. By default the server's certificate is checked."""
    options = {name.removeprefix("ssl_"): value for name, value in given.items()}
    check = options.pop("check_hostname", True)
    options.setdefault("cert_reqs", ssl.CERT_REQUIRED)
    if check and options["cert_reqs"] == ssl.CERT_REQUIRED:
        options["server_hostname"] = host
    return options
