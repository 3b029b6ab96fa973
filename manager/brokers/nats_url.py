"""Reads the URL of a NATS bus: its servers, the credentials and the options of TLS."""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import nkeys
from nats.aio.client import RawCredentials

from socketio_cluster.manager.bus.servers_url import split_url
from socketio_cluster.manager.errors import BrokerError, SettingError

FORM: Final = "nats://user:password@host1:4222,host2:4222"
OPTIONS: Final = ("creds", "nkey", "ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "tls_first")
"""The options that may follow the ``?``. Each but ``tls_first`` is the path of a file."""

JWT: Final = re.compile(r"BEGIN NATS USER JWT-+\s+\S+")
SEED: Final = re.compile(r"BEGIN USER NKEY SEED-+\s+(\S+)")


@dataclass(frozen=True)
class Target:
    """The servers of one URL as ``host:port``, whether they must use TLS, and what each connection needs.

    ``login`` are arguments of ``nats.aio.client.Client.connect``.
    """

    servers: tuple[str, ...]
    secure: bool
    login: dict[str, Any] = field(repr=False)


def read_url(url: str) -> Target:
    """Read a URL and the files that it names. Blocks.

    Raises ``SettingError`` for a URL that cannot work, and ``BrokerError`` for a file, which may be right at
    the next try. Their texts never quote the credentials.
    """
    parts = split_url(url)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := options.keys() - set(OPTIONS):
        known = ", ".join(OPTIONS)
        raise SettingError(f"a NATS URL has no option {', '.join(sorted(unknown))}; there are {known}")
    if parts.path.strip("/"):
        raise SettingError(f"a NATS URL has no path: write {FORM}")
    secure = parts.scheme == "tls" or any(name.startswith(("ssl_", "tls_")) for name in options)
    login: dict[str, Any] = _user(parts) | _signer(options)
    if secure:
        login |= {"tls": _context(options), "tls_handshake_first": "tls_first" in options}
    return Target(_servers(parts), secure, login)


def _servers(parts: SplitResult) -> tuple[str, ...]:
    names = parts.netloc.rpartition("@")[2].split(",")
    try:
        hosts = [urlsplit(f"//{name}") for name in names]
        places = [(host.hostname or "localhost", host.port or 4222) for host in hosts]
    except ValueError:
        raise SettingError(f"the servers of a NATS URL look like those of {FORM}") from None
    return tuple(f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in places)


def _user(parts: SplitResult) -> dict[str, Any]:
    """Return the user and password, or the token, which stands alone before the ``@``."""
    user, colon, password = parts.netloc.rpartition("@")[0].partition(":")
    if colon:
        return {"user": unquote(user), "password": unquote(password)}
    return {"token": unquote(user)} if user else {}


def _signer(options: dict[str, str]) -> dict[str, Any]:
    """Return what signs the server's challenge: a file with a JWT and its key, or one with an nkey's seed.

    nats-py would read the file in the event loop, at each connection.
    """
    if path := options.get("creds"):
        text = _text(path)
        seed = SEED.search(text)
        _check(seed[1] if seed and JWT.search(text) else "", path)
        return {"user_credentials": RawCredentials(text)}
    if path := options.get("nkey"):
        seed_alone = _text(path).strip()
        _check(seed_alone, path)
        return {"nkeys_seed_str": seed_alone}
    return {}


def _text(path: str) -> str:
    try:
        return Path(path).read_text()
    except (OSError, ValueError) as error:
        raise BrokerError(f"the credentials in {path} cannot be read: {error}") from None


def _check(seed: str, path: str) -> None:
    """Raise ``BrokerError`` if this is no seed. nats-py would raise errors of many kinds."""
    try:
        nkeys.from_seed(bytearray(seed.encode())).wipe()
    except (ValueError, nkeys.NkeysError):
        raise BrokerError(f"{path} has no credentials of a NATS user") from None


def _context(options: dict[str, str]) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=options.get("ssl_ca_certs"))
        if "ssl_certfile" in options:
            context.load_cert_chain(options["ssl_certfile"], options.get("ssl_keyfile"))
    except OSError as error:
        raise BrokerError(f"a certificate that a NATS URL names cannot be read: {error}") from None
    return context
