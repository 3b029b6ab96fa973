"""The options of each command, as typed values."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from socketio_cluster.cluster.errors import UsageError

DEMO_APP: Final = "socketio_cluster.cluster.demo.app:app"
"""The application of `demo`."""
LAST_SECONDS: Final = 5.0
"""Seconds that the goodbyes and disconnect handlers of the last clients may take after the drain window."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The limits of a worker and its clients; None is no limit."""

    max_connections: int | None = None
    """Connections at the same time."""
    connects_per_second: float | None = None
    """New connections in a second."""
    max_payload: int | None = None
    """Bytes of one message of a client; with None the application's own setting counts."""
    events_per_second: float | None = None
    """Events of one client in a second."""
    rooms_per_client: int | None = None
    """Rooms that one client may be in; with None the application's own setting counts."""


@dataclass(frozen=True, kw_only=True)
class Tls:
    """The files of TLS; without a certificate clients speak without TLS."""

    ssl_keyfile: Path | None = None
    """The private key; None when it stands in the file of the certificate."""
    ssl_certfile: Path | None = None
    """The certificate, with those between it and the root behind it."""
    ssl_keyfile_password: str | None = field(default=None, repr=False)
    ssl_ca_certs: Path | None = None
    """The authorities of which certificates of clients are accepted."""
    ssl_cert_reqs: int = 0
    """A number of ``ssl.VerifyMode``: whether clients need a certificate."""
    ssl_ciphers: str | None = None

    @property
    def scheme(self) -> str:
        """The scheme of the public addresses."""
        return "https" if self.ssl_certfile is not None else "http"


@dataclass(frozen=True, kw_only=True)
class Reloading:
    """What is watched for changes. Patterns are those of ``pathlib.PurePath.match``."""

    reload: bool = False
    reload_dir: tuple[str, ...] = ()
    reload_include: tuple[str, ...] = ()
    reload_exclude: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Logging:
    """What is logged, and how."""

    log_level: str
    log_json: bool
    log_config: Path | None = None
    """A file of Python's ``logging.config``, in the place of the other two."""


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """The cluster that a node belongs to."""

    node_name: str
    bus: str
    bus_file: Path | None
    prefix: str | None
    recovery_seconds: int | None
    recovery_url: str | None
    recovery_url_file: Path | None
    secret_file: Path | None


@dataclass(frozen=True, kw_only=True)
class ServeOptions(Cluster, Limits, Tls, Reloading, Logging):
    """The options of `serve` and `demo`; durations are in seconds.

    A running supervisor hands them over to workers of a newer release, when that was installed meanwhile. So
    an option that is added has a default here.
    """

    app: str
    app_dir: Path = Path()
    factory: bool = False
    env_file: Path | None = None
    host: str
    port: int
    uds: Path | None = None
    fd: int | None = None
    direct_port: int | None
    internal_host: str
    internal_port: int | None
    advertise: str | None
    forwarded_allow_ips: str
    root_path: str
    workers: int
    stuck_after: float
    start_timeout: float
    grace: float
    lane: bool
    access_log: bool = False
    ws_per_message_deflate: bool = False
    probe_port: int | None
    probe_host: str
    probe_names: tuple[str, ...]
    emit_port: int | None = None
    emit_host: str = "127.0.0.1"
    emit_token_file: Path | None = None
    drain_delay: float
    drain_window: float
    max_age: float | None
    soft_connections: int | None

    @property
    def uses_lane(self) -> bool:
        """Whether WebSockets get lanes, which do not compress."""
        return self.lane and not self.ws_per_message_deflate


@dataclass(frozen=True, kw_only=True)
class WorkerCommand:
    """The options of `worker`. It gets all others through the socket `lifeline`, which it inherits."""

    node: str
    lifeline: int


@dataclass(frozen=True, kw_only=True)
class HubOptions(Logging):
    """The options of `hub`."""

    socket: Path


@dataclass(frozen=True, kw_only=True)
class BridgeOptions(Cluster, Logging):
    """The options of `bridge`."""

    foreign: str | None
    foreign_file: Path | None
    serializer: str


@dataclass(frozen=True, kw_only=True)
class CompletionOptions:
    """The options of `completion`."""

    shell: str


Options = ServeOptions | WorkerCommand | HubOptions | BridgeOptions | CompletionOptions


def check_limits(options: ServeOptions) -> None:
    """Raise UsageError when a worker would be full before it is unready."""
    soft, hard = options.soft_connections, options.max_connections
    if soft is not None and hard is not None and soft > hard:
        raise UsageError(
            f"--soft-connections {soft} is above --max-connections {hard}: a worker would refuse clients "
            "while it is still ready"
        )
