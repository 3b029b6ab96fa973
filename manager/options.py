"""The settings of a cluster manager, with their defaults and checks."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, get_args, get_type_hints

from socketio_cluster.manager.bus.envelope import SHORTEST, secrets_in
from socketio_cluster.manager.bus.places import check_places
from socketio_cluster.manager.bus.registry import check_recording, check_recovery_url, check_url
from socketio_cluster.manager.errors import SettingError

MEBIBYTE = 1024 * 1024
_TIMES = (
    "heartbeat",
    "buffer_seconds",
    "request_seconds",
    "ack_seconds",
    "slow_seconds",
    "connect_seconds",
)


@dataclass(frozen=True, kw_only=True)
class Options:
    """The settings of one node. Times are in seconds, sizes in bytes.

    Raises ``SettingError`` (a ``ValueError``) for a value that cannot work.
    """

    url: str | None = None
    """The URL of the bus. None means that this process is alone."""
    prefix: str = "sio"
    """Keeps clusters apart that share a bus."""
    secret: str | None = None
    """With a secret every envelope is signed, and envelopes without a valid signature are refused."""
    name: str = ""
    """A name of this node for people. If it is empty, the node id is shown."""
    address: str = ""
    """Where other nodes can reach this one: ``host:port``. They are told, but the manager does not use it."""
    heartbeat: float = 2.0
    """How often a node says that it is alive."""
    dead_after: float = 8.0
    """After so long without a message a node counts as dead."""
    buffer_bytes: int = 32 * MEBIBYTE
    """The most bytes of envelopes that are kept while the bus is away, and for nodes that were cut off."""
    buffer_seconds: float = 60.0
    """How long an envelope is kept."""
    settle_seconds: float = 1.0
    """How long a node waits for the others after an outage, before it publishes the envelopes that waited."""
    request_seconds: float = 5.0
    """How long enter_room, leave_room, close_room, disconnect and questions wait for other nodes."""
    ack_seconds: float = 300.0
    """How long the callback of an emit to a room is kept, as several clients may answer."""
    client_bytes: int = 4 * MEBIBYTE
    """A client is behind while more bytes wait for it. Emits to it alone then wait a little."""
    slow_seconds: float = 5.0
    """A client that is behind is disconnected if its queue has not shrunk for so long."""
    handlers_per_client: int = 1000
    """The most event handlers that run for one client. At this limit nothing more is read from the client."""
    connect_seconds: float = 45.0
    """A connection that has not joined a namespace after this time is closed."""
    recovery_seconds: float | None = None
    """How long a client may be away and still get its session back, with what it missed. None: not at all."""
    recovery_url: str | None = None
    """The URL of a Redis that keeps events and sessions, for a bus that does not: RabbitMQ, NATS, kombu."""
    recovery_bytes: int = 64 * MEBIBYTE
    """The most bytes of events that the bus keeps for clients that are away, of the whole cluster."""
    presence_grace: float = 5.0
    """How long a client stays present after its connection was lost, because it may come back."""
    rooms_per_client: int | None = None
    """The most rooms that a client can be in. Its own room does not count. None means no limit."""

    def __post_init__(self) -> None:
        for name, kind in _KINDS.items():
            _check_type(name, kind, getattr(self, name))
        if self.url is not None:
            check_url(self.url)
            check_places(self.url, self.prefix, recovery=self.recovery_seconds is not None)
        if not self.prefix or set(self.prefix) & set("{}:,"):
            raise SettingError(f"prefix must be some letters without braces, ':' or ',', not {self.prefix!r}")
        if self.secret is not None and min(map(len, secrets_in(self.secret)), default=0) < SHORTEST:
            raise SettingError(f"secret (CLUSTER_SECRET) must have at least {SHORTEST} characters a line")
        for setting in _TIMES:
            if getattr(self, setting) <= 0:
                raise SettingError(f"{setting} must be more than 0 seconds, not {getattr(self, setting)}")
        if self.settle_seconds < 0:
            raise SettingError(f"settle_seconds must be at least 0, not {self.settle_seconds}")
        if self.recovery_url is not None:
            check_recovery_url(self.url, self.recovery_url)
            check_places(self.recovery_url, self.prefix, recovery=True)
        if self.recovery_seconds is not None:
            check_recording(self.url, self.recovery_url)
            if self.recovery_seconds < 1:
                raise SettingError(f"recovery_seconds must be at least 1, not {self.recovery_seconds}")
        if self.presence_grace < 0:
            raise SettingError(f"presence_grace must be at least 0 seconds, not {self.presence_grace}")
        for setting in ("buffer_bytes", "client_bytes", "recovery_bytes"):
            if getattr(self, setting) < 64 * 1024:
                raise SettingError(f"{setting} must be at least 65536 bytes, not {getattr(self, setting)}")
        if self.rooms_per_client is not None and self.rooms_per_client < 1:
            raise SettingError(f"rooms_per_client must be at least 1, not {self.rooms_per_client}")
        if self.handlers_per_client < 1:
            raise SettingError(f"handlers_per_client must be at least 1, not {self.handlers_per_client}")
        if self.dead_after < 2 * self.heartbeat:
            raise SettingError(
                f"dead_after ({self.dead_after} s) must be at least twice heartbeat ({self.heartbeat} s)"
            )

    @property
    def deaf_after(self) -> float:
        """After so long without its own heartbeat a node counts as deaf, and its link connects again."""
        return 2.5 * self.heartbeat


_KINDS: Final[dict[str, Any]] = get_type_hints(Options)
_WORDS: Final = {str: "a text", int: "a whole number", float: "a number"}
_FORMER: Final = {
    "channel": "it is called prefix here",
    "redis_options": "they are in the URL, redis://host/0?ssl_ca_certs=…",
    "write_only": "a process that only emits has an Emitter or an AsyncEmitter",
    "logger": "it logs by logging.getLogger('socketio_cluster.manager'), whose level you can set",
    "json": "it is that of the server",
    "serializer": "it is that of the server",
}
"""What python-socketio's own managers take, and what there is here."""
_PRIVATE: Final = ("url", "secret", "recovery_url")


def _check_type(name: str, kind: Any, value: object) -> None:
    """Raise ``SettingError`` if the value of an option is not of its kind, such as ``float | None``."""
    kinds = get_args(kind) or (kind,)
    if value is None and type(None) in kinds:
        return
    wanted = next(one for one in _WORDS if one in kinds)
    fits = isinstance(value, int | float if wanted is float else wanted) and not isinstance(value, bool)
    if not fits or value != value:  # the second is so for NaN alone
        shown = f"of type {type(value).__name__}" if name in _PRIVATE else f"{value!r:.80}"
        raise SettingError(f"{name} must be {_WORDS[wanted]}, not {shown}")


_given: dict[str, str] = {}


def give_settings(settings: Mapping[str, str]) -> None:
    """Set ``CLUSTER_…`` settings of this process. They take precedence over its environment.

    Unlike environment variables they are not inherited by programs that the process starts, and other
    processes cannot see them.
    """
    _given.update(settings)


_imposed: ContextVar[Mapping[str, object]] = ContextVar("imposed")


@contextmanager
def impose(options: Mapping[str, object]) -> Iterator[None]:
    """Give these options to every manager that is made meanwhile, whatever its application has asked for.

    That is for tests. Tasks that are started meanwhile go on with it.
    """
    token = _imposed.set(options)
    try:
        yield
    finally:
        _imposed.reset(token)


def from_environment(url: str | None, values: Mapping[str, object]) -> Options:
    """Make options from the caller's values. Missing values are taken from the ``CLUSTER_…`` settings.

    These settings are ``CLUSTER_BUS``, ``CLUSTER_PREFIX``, ``CLUSTER_SECRET`` or ``CLUSTER_SECRET_FILE``,
    ``CLUSTER_NODE_NAME``, ``CLUSTER_NODE_ADDRESS``, ``CLUSTER_ROOMS_PER_CLIENT``,
    ``CLUSTER_RECOVERY_SECONDS``, ``CLUSTER_RECOVERY_URL`` and ``CLUSTER_RECOVERY_BYTES``. Their values are
    those given to ``give_settings``, or else environment variables.

    Raises ``SettingError``, and ``TypeError`` for an option that there is not.
    """
    _check_names(values)
    defaults = {
        "url": _setting("CLUSTER_BUS") or None,
        "prefix": _setting("CLUSTER_PREFIX"),
        "secret": _secret(),
        "name": _setting("CLUSTER_NODE_NAME"),
        "address": _setting("CLUSTER_NODE_ADDRESS"),
        "rooms_per_client": _number("CLUSTER_ROOMS_PER_CLIENT"),
        "recovery_seconds": _number("CLUSTER_RECOVERY_SECONDS") or None,
        "recovery_url": _setting("CLUSTER_RECOVERY_URL") or None,
        "recovery_bytes": _number("CLUSTER_RECOVERY_BYTES"),
    }
    given = {"url": url, **values}
    merged = {**defaults, **{key: value for key, value in given.items() if value is not None}}
    merged.update(_imposed.get({}))
    return Options(**{key: value for key, value in merged.items() if value is not None})  # type: ignore[arg-type]


def _check_names(values: Mapping[str, object]) -> None:
    for name in values:
        if name not in _KINDS:
            hint = _FORMER.get(name)
            raise TypeError(f"there is no option {name!r}" + (f": {hint}" if hint else ""))


def _setting(name: str) -> str | None:
    return _given.get(name, os.environ.get(name))


def _number(name: str) -> int | None:
    text = _setting(name)
    if not text:
        return None
    if not text.isdecimal():
        raise SettingError(f"{name} must be a number, not {text!r}")
    return int(text)


def _secret() -> str | None:
    path = os.environ.get("CLUSTER_SECRET_FILE")
    if path is None or "CLUSTER_SECRET" in _given:
        return _setting("CLUSTER_SECRET") or None
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as exc:
        raise SettingError(f"CLUSTER_SECRET_FILE cannot be read: {exc}") from exc
