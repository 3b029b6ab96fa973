"""The options of `serve` and `demo`, as the command line has them; `options` has them as values."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Any

from socketio_cluster.cluster.cli import values
from socketio_cluster.cluster.cli.flags import Parser, Section
from socketio_cluster.cluster.cli.options import DEMO_APP, ServeOptions

APP_VARIABLE = "CLUSTER_APP"
BUS_HELP = (
    "the bus between nodes: local:// (this supervisor provides it), local:///PATH (a running "
    "`socketio-cluster hub`), redis://, rediss://, redis+sentinel://, redis+cluster://, "
    "amqp://, amqps://, nats://, tls://, kombu+SCHEME://"
)
DIRECT_HELP = (
    "worker i (from 0) also listens alone on PORT + i, for balancers that choose the worker themselves"
)
INTERNAL_HELP = (
    "worker i (from 0) listens on PORT + i for nodes of other machines, which pass on what belongs to its "
    "clients; needs --secret-file. Workers of one machine use Unix sockets and need no port"
)
PROBE_HELP = "serve /livez, /readyz, /metrics and POST /drain for all workers there; 0 for a free port"
PROBE_NAMES_HELP = (
    "names with commas between by which the probe port may be asked, * for all; addresses and names that "
    "public DNS does not have need none"
)
EMIT_HELP = (
    "take events by POST /emit there, for the clients of all nodes; needs a token; 0 for a free port: "
    "docs/emitting.md"
)
EMIT_TOKEN_HELP = (
    "file with the token that programs send, or several, a line each; without it CLUSTER_EMIT_TOKEN counts"  # noqa: S105
)
ADVERTISE_HELP = "how other machines call this one's internal ports"
TRUST_HELP = (
    "proxies whose X-Forwarded-For and X-Forwarded-Proto are believed: addresses and networks with commas "
    "between, or * for everybody"
)
RECOVERY_URL_HELP = "a Redis that keeps events and sessions, for a bus that does not: amqp://, nats://, kombu"
ROOT_HELP = "the path in front of the application, which a proxy removes from requests, e.g. /api"
ENV_HELP = (
    "file of variables (NAME=value) for the application; those of options count too. What the environment "
    "has already wins"
)
SECRET_HELP = (
    "file with the secret that signs what nodes say to each other, the same for all nodes; "  # noqa: S105
    "several, a line each, while it is changed"
)
INCLUDE_HELP = "further files that are watched, such as *.html; *.py are watched unless excluded"
EXCLUDE_HELP = "files or folders that are not watched; .*, .py[cod], .sw.* and ~* are not, unless included"
DEFLATE_HELP = (
    "compress messages for WebSocket clients that read it (permessage-deflate), without the fast lane"
)


def add_serve(parser: Parser) -> None:
    """Add what `serve` takes."""
    parser.description = "Serve an ASGI application with several workers under a supervisor."
    parser.usage = f"{parser.prog} module:app [OPTION ...]"
    app = os.environ.get(APP_VARIABLE)
    section = parser.section("application")
    text = f"the ASGI application, e.g. hello:app [{APP_VARIABLE}]"
    section.argument("app", metavar="module:app", nargs="?" if app else None, default=app, help=text)
    section.switch("--factory", "module:app is a function without arguments that returns the application")
    folder = "folder in which Python finds the application"
    section.option("--app-dir", folder, convert=Path, metavar="DIR", default=".")
    section.option("--env-file", ENV_HELP, convert=Path, metavar="PATH")
    count = os.cpu_count() or 1
    _add_serving(parser, count, "one per core; 1 with --reload", 10)


def add_demo(parser: Parser) -> None:
    """Add what `demo` takes."""
    parser.description = "Serve a small chat that shows which node does what."
    parser.usage = f"{parser.prog} [OPTION ...]"
    parser.set_defaults(app=DEMO_APP, factory=False, app_dir=Path("."), env_file=None)
    _add_serving(parser, 2, "2; 1 with --reload", 0)


def _add_serving(parser: Parser, workers: int, shown_workers: str, window: float) -> None:
    parser.set_defaults(kind=partial(_serve_options, workers, window))
    _add_server(parser)
    _add_tls(parser)
    _add_workers(parser, shown_workers)
    _add_cluster(parser)
    add_recovery(parser)
    _add_drain(parser, window)
    _add_limits(parser)
    _add_probes(parser)
    _add_emits(parser)
    _add_reloading(parser)
    add_logging(parser)


def _serve_options(
    default_workers: int,
    default_window: float,
    *,
    workers: int | None,
    drain_window: float | None,
    **given: Any,
) -> ServeOptions:
    """Make options; somebody who develops has one worker and no drain, unless told otherwise."""
    if given["reload"]:
        default_workers, default_window = 1, 0.0
    return ServeOptions(
        workers=default_workers if workers is None else workers,
        drain_window=default_window if drain_window is None else drain_window,
        **given,
    )


def _add_server(parser: Parser) -> None:
    section = parser.section("server")
    add = section.option
    add("--host", "address to listen on; 0.0.0.0 for all of IPv4", default="127.0.0.1")
    add("--port", "port that all workers share; 0 for a free one", convert=values.port, default="8000")
    add("--uds", "listen on a Unix socket instead, which all workers share", convert=Path, metavar="PATH")
    inherited = "listen on an open socket instead, such as one that systemd or supervisord hands over"
    add("--fd", inherited, convert=values.descriptor, metavar="NUMBER")
    add("--direct-port", DIRECT_HELP, convert=values.port, metavar="PORT")
    add("--root-path", ROOT_HELP, convert=values.root_path, metavar="PATH", default="")
    add("--forwarded-allow-ips", TRUST_HELP, metavar="LIST", default="127.0.0.1")
    lane = "write to Socket.IO's WebSockets directly; off when middlewares must see each message"
    add("--lane", lane, convert=values.switch, metavar="on|off", default="on")
    add("--ws-per-message-deflate", DEFLATE_HELP, convert=values.switch, metavar="on|off", default="off")
    section.switch("--access-log", "log each HTTP request and WebSocket")


def _add_tls(parser: Parser) -> None:
    add = parser.section("TLS", "SIGHUP reads the files anew.").option
    add("--ssl-certfile", "certificate, and those between it and the root", convert=Path, metavar="PATH")
    add("--ssl-keyfile", "private key, unless it is in the same file", convert=Path, metavar="PATH")
    add("--ssl-keyfile-password", "password of the key; better given by its variable", metavar="TEXT")
    ca = "authorities whose certificates clients may have"
    add("--ssl-ca-certs", ca, convert=Path, metavar="PATH")
    needed = "whether clients need a certificate: 0 (none), 1 (optional), 2 (required)"
    add("--ssl-cert-reqs", needed, convert=values.cert_reqs, metavar="NUMBER", default="0")
    add("--ssl-ciphers", "ciphers of TLS 1.2, as OpenSSL writes them", metavar="LIST", shown="OpenSSL's")


def _add_workers(parser: Parser, shown: str) -> None:
    add, seconds = parser.section("workers").option, values.seconds
    add("--workers", "number of worker processes", convert=values.count, metavar="N", shown=shown)
    stuck = "a worker whose event loop is silent for so long is killed and replaced"
    add("--stuck-after", stuck, convert=seconds, metavar="SECONDS", default="10")
    slow = "a worker that does not accept connections after so long is killed"
    add("--start-timeout", slow, convert=seconds, metavar="SECONDS", default="60")
    grace = "how long a worker may take to stop, after its drain, before it is killed"
    add("--grace", grace, convert=seconds, metavar="SECONDS", default="10")


def _add_cluster(parser: Parser) -> None:
    section = parser.section("cluster")
    add = section.option
    named = "first part of the workers' names (NAME-1, NAME-2, …); tell machines of one cluster apart by it"
    add("--node-name", named, metavar="NAME", default="node")
    add_bus(section)
    add("--internal-port", INTERNAL_HELP, convert=values.port, metavar="PORT")
    add("--internal-host", "address that the internal ports listen on", metavar="HOST", default="127.0.0.1")
    add("--advertise", ADVERTISE_HELP, metavar="HOST", shown="the internal host")


def add_bus(section: Section) -> None:
    """Add what finds the bus, and the cluster on it."""
    add = section.option
    add("--bus", BUS_HELP, metavar="URL", default="local://")
    add("--bus-file", "file that holds the URL of the bus; instead of --bus", convert=Path, metavar="PATH")
    add("--prefix", "name of the cluster on the bus, when several share it", metavar="NAME")
    add("--secret-file", SECRET_HELP, convert=Path, metavar="PATH")


def add_recovery(parser: Parser) -> None:
    """Add what nodes that let clients come back have in common."""
    add = parser.section("recovery").option
    away = "so long a client may be away and still misses nothing"
    add("--recovery-seconds", away, convert=values.number, metavar="SECONDS")
    add("--recovery-url", RECOVERY_URL_HELP, metavar="URL")
    add("--recovery-url-file", "file that holds it; instead of --recovery-url", convert=Path, metavar="PATH")


def _add_drain(parser: Parser, window: float) -> None:
    add, pause = parser.section("stop and reload").option, values.pause
    delay = "before clients are let go: so long a node that stops is unready, but still serves new ones"
    add("--drain-delay", delay, convert=pause, metavar="SECONDS", default="0")
    evenly = "a node that stops lets its clients go evenly over so long"
    shown = f"{window:g}; 0 with --reload" if window else "0"
    add("--drain-window", evenly, convert=pause, metavar="SECONDS", shown=shown)
    age = "a connection this old, give or take a fifth, is let go and comes back: so load evens out"
    add("--max-age", age, convert=values.seconds, metavar="SECONDS")


def _add_limits(parser: Parser) -> None:
    add, number, rate = parser.section("limits").option, values.number, values.rate
    add("--max-connections", "connections of one worker; more are refused", convert=number, metavar="N")
    soft = "connections of one worker; with so many it is unready"
    add("--soft-connections", soft, convert=number, metavar="N")
    add("--connects-per-second", "new connections of one worker", convert=rate, metavar="N")
    own = "max_http_buffer_size of the application"
    add("--max-payload", "size of one message of a client", convert=number, metavar="BYTES", shown=own)
    add("--events-per-second", "events of one client", convert=rate, metavar="N")
    add("--rooms-per-client", "rooms that one client may be in", convert=number, metavar="N")


def _add_probes(parser: Parser) -> None:
    add = parser.section("probes and metrics").option
    add("--probe-port", PROBE_HELP, convert=values.port, metavar="PORT")
    add("--probe-host", "address that the probe port listens on", metavar="HOST", default="127.0.0.1")
    add("--probe-names", PROBE_NAMES_HELP, convert=values.names, metavar="LIST", default="")


def _add_emits(parser: Parser) -> None:
    add = parser.section("events by HTTP").option
    add("--emit-port", EMIT_HELP, convert=values.port, metavar="PORT")
    add("--emit-host", "address that the emit port listens on", metavar="HOST", default="127.0.0.1")
    add("--emit-token-file", EMIT_TOKEN_HELP, convert=Path, metavar="PATH")


def _add_reloading(parser: Parser) -> None:
    section = parser.section("development")
    section.switch("--reload", "replace the workers, without a drain, when a file of the application changes")
    folders = "folder that is watched, with all below it; may be given several times"
    section.several("--reload-dir", folders, metavar="DIR", shown="--app-dir")
    section.several("--reload-include", INCLUDE_HELP, metavar="PATTERN")
    section.several("--reload-exclude", EXCLUDE_HELP, metavar="PATTERN")


def add_logging(parser: Parser) -> None:
    """Add what every command that runs takes."""
    section = parser.section("logging")
    level = f"least level that is logged: {', '.join(values.LEVELS)}"
    section.option("--log-level", level, convert=values.level, metavar="LEVEL", default="info")
    section.switch("--log-json", "write log records as JSON lines instead of text")
    file = "settings of Python's logging (.json, .yaml or .ini), in the place of the two above"
    section.option("--log-config", file, convert=Path, metavar="PATH")
