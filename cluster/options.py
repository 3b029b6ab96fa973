"""What each command was told, as typed values."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class ServeOptions:
    """`serve` and `demo`; the durations are in seconds."""

    command: str
    app: str
    host: str
    port: int
    direct_port: int | None
    internal_host: str
    internal_port: int | None
    advertise: str | None
    forwarded_allow_ips: str
    workers: int
    node_name: str
    bus: str
    bus_file: Path | None
    prefix: str | None
    secret_file: Path | None
    stuck_after: float
    start_timeout: float
    grace: float
    lane: bool
    probe_port: int | None
    probe_host: str
    drain_delay: float
    drain_window: float
    max_age: float | None
    max_connections: int | None
    soft_connections: int | None
    connects_per_second: float | None
    max_payload: int | None
    events_per_second: float | None
    rooms_per_client: int | None
    log_level: str
    log_json: bool


@dataclass(frozen=True, kw_only=True)
class WorkerOptions:
    """`worker`: what the supervisor tells one of its processes."""

    command: str
    app: str
    node: str
    fd: list[int]
    internal_socket: Path
    internal_host: str
    internal_port: int | None
    forwarded_allow_ips: str
    lifeline: int
    beat: float
    grace: float
    lane: bool
    status_socket: Path
    drain_delay: float
    drain_window: float
    max_age: float | None
    max_connections: int | None
    soft_connections: int | None
    connects_per_second: float | None
    max_payload: int | None
    events_per_second: float | None
    rooms_per_client: int | None
    log_level: str
    log_json: bool


@dataclass(frozen=True, kw_only=True)
class HubOptions:
    """`hub`: the bus of one machine, by itself."""

    command: str
    socket: Path
    log_level: str
    log_json: bool


Options = ServeOptions | WorkerOptions | HubOptions
