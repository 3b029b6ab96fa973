"""The command line; every option can also be given as an environment variable."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from socketio_cluster.cluster import values
from socketio_cluster.cluster.options import (
    DEMO_APP,
    BridgeOptions,
    HubOptions,
    Options,
    ServeOptions,
    WorkerCommand,
)

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
ADVERTISE_HELP = "how other machines call this one's internal ports (default: the internal host)"
TRUST_HELP = (
    "proxies whose X-Forwarded-For and X-Forwarded-Proto are believed: addresses and networks with commas "
    "between, or * for everybody"
)
RECOVERY_HELP = "so long a client may be away and still misses nothing"
RECOVERY_URL_HELP = "a Redis that keeps events and sessions, for a bus that does not: amqp://, nats://, kombu"
FROM_HELP = (
    "the Redis of the other cluster (redis://, rediss://, valkey://, unix://), with "
    "?adapter=python-socketio, nodejs or nodejs-sharded: docs/bridge.md"
)
ROOT_HELP = "the path in front of the application, which a proxy removes from requests, e.g. /api"
SECRET_HELP = (
    "file with the secret that signs what nodes say to each other, the same for all nodes; "  # noqa: S105
    "several, a line each, while it is changed"
)


class Parser(argparse.ArgumentParser):
    """A parser that reports a mistake in one line, without the usage."""

    def error(self, message: str) -> NoReturn:
        """End with exit code 2."""
        self.exit(2, f"{self.prog}: {message} (see {self.prog} --help)\n")

    def option(
        self,
        flag: str,
        text: str,
        *,
        convert: Callable[[str], Any] = str,
        default: str | None = None,
        **more: Any,
    ) -> None:
        """Add an option that can also be given as CLUSTER_<OPTION>."""
        variable = "CLUSTER_" + flag.strip("-").replace("-", "_").upper()

        def read(given: str) -> Any:
            try:
                return convert(given)
            except ValueError as error:
                raise argparse.ArgumentTypeError(f"{error} (set by {flag} or {variable})") from None

        text += f" [{variable}]" + (f" (default: {default})" if default else "")
        default = os.environ.get(variable, default)
        more["required"] = more.pop("required", False) and default is None
        self.add_argument(flag, type=read, default=default, help=text, **more)


def read_options(arguments: list[str] | None = None) -> Options:
    """Parse the command line (default: of this process); end the process with code 2 on a mistake."""
    given = vars(_parser().parse_args(arguments))
    options: Options = given.pop("kind")(**given)
    return options


def _parser() -> Parser:
    parser = Parser(
        prog="socketio-cluster",
        description="Run many uvicorn workers that behave as one Socket.IO server.",
        epilog="`socketio-cluster COMMAND --help` lists the options of a command; each can also be given "
        "as the environment variable named beside it.",
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_serve(commands.add_parser("serve", help="serve an application with several workers"))
    _add_demo(commands.add_parser("demo", help="serve a small chat that shows the nodes at work"))
    _add_hub(commands.add_parser("hub", help="run only the local bus, for supervisors that share a machine"))
    _add_bridge(commands.add_parser("bridge", help="join the cluster with one of another kind"))
    _add_worker(commands.add_parser("worker"))  # no help text: only the supervisor uses it
    return parser


def _add_serve(parser: Parser) -> None:
    parser.description = "Serve an ASGI application with several workers under a supervisor."
    app = os.environ.get(APP_VARIABLE)
    text = f"the ASGI application, e.g. hello:app [{APP_VARIABLE}]"
    parser.add_argument("app", metavar="module:app", nargs="?" if app else None, default=app, help=text)
    _add_serving(parser, workers=os.cpu_count() or 1, window=10)


def _add_demo(parser: Parser) -> None:
    parser.description = "Serve a small chat that shows which node does what."
    parser.set_defaults(app=DEMO_APP)
    _add_serving(parser, workers=2, window=0)


def _add_serving(parser: Parser, *, workers: int, window: float) -> None:
    parser.set_defaults(kind=ServeOptions)
    _add_addresses(parser)
    _add_cluster(parser, workers=workers)
    _add_workers(parser)
    _add_drain(parser, window=window)
    _add_limits(parser)
    _add_logging(parser)


def _add_addresses(parser: Parser) -> None:
    add = parser.option
    add("--host", "address to listen on; 0.0.0.0 for all of IPv4", default="127.0.0.1")
    add("--port", "port that all workers share; 0 for a free one", convert=values.port, default="8000")
    add("--direct-port", DIRECT_HELP, convert=values.port, metavar="PORT")
    add("--internal-port", INTERNAL_HELP, convert=values.port, metavar="PORT")
    add("--internal-host", "address that the internal ports listen on", metavar="HOST", default="127.0.0.1")
    add("--advertise", ADVERTISE_HELP, metavar="HOST")
    add("--forwarded-allow-ips", TRUST_HELP, metavar="LIST", default="127.0.0.1")
    add("--root-path", ROOT_HELP, convert=values.root_path, metavar="PATH", default="")
    add("--probe-port", PROBE_HELP, convert=values.port, metavar="PORT")
    add("--probe-host", "address that the probe port listens on", metavar="HOST", default="127.0.0.1")
    add("--probe-names", PROBE_NAMES_HELP, convert=values.names, metavar="LIST", default="")
    add("--emit-port", EMIT_HELP, convert=values.port, metavar="PORT")
    add("--emit-host", "address that the emit port listens on", metavar="HOST", default="127.0.0.1")
    add("--emit-token-file", EMIT_TOKEN_HELP, convert=Path, metavar="PATH")


def _add_cluster(parser: Parser, *, workers: int) -> None:
    add = parser.option
    add("--workers", "number of worker processes", convert=values.count, metavar="N", default=str(workers))
    named = "first part of the workers' names (NAME-1, NAME-2, …); tell machines of one cluster apart by it"
    add("--node-name", named, metavar="NAME", default="node")
    _add_bus(parser)


def _add_bus(parser: Parser) -> None:
    add = parser.option
    add("--bus", BUS_HELP, metavar="URL", default="local://")
    add("--bus-file", "file that holds the URL of the bus; instead of --bus", convert=Path, metavar="PATH")
    add("--prefix", "name of the cluster on the bus, when several share it", metavar="NAME")
    add("--recovery-seconds", RECOVERY_HELP, convert=values.number, metavar="SECONDS")
    add("--recovery-url", RECOVERY_URL_HELP, metavar="URL")
    add("--recovery-url-file", "file that holds it; instead of --recovery-url", convert=Path, metavar="PATH")
    add("--secret-file", SECRET_HELP, convert=Path, metavar="PATH")


def _add_workers(parser: Parser) -> None:
    add, seconds = parser.option, values.seconds
    stuck = "a worker whose event loop is silent for so long is killed and replaced"
    add("--stuck-after", stuck, convert=seconds, metavar="SECONDS", default="10")
    slow = "a worker that does not accept connections after so long is killed"
    add("--start-timeout", slow, convert=seconds, metavar="SECONDS", default="60")
    grace = "how long a worker may take to stop, after its drain, before it is killed"
    add("--grace", grace, convert=seconds, metavar="SECONDS", default="10")
    lane = "write to Socket.IO's WebSockets directly; off when middlewares must see each message"
    add("--lane", lane, convert=values.switch, metavar="on|off", default="on")


def _add_drain(parser: Parser, *, window: float) -> None:
    add, pause = parser.option, values.pause
    delay = "before clients are let go: so long a node that stops is unready, but still serves new ones"
    add("--drain-delay", delay, convert=pause, metavar="SECONDS", default="0")
    evenly = "a node that stops lets its clients go evenly over so long"
    add("--drain-window", evenly, convert=pause, metavar="SECONDS", default=f"{window:g}")
    age = "a connection this old, give or take a fifth, is let go and comes back: so load evens out"
    add("--max-age", age, convert=values.seconds, metavar="SECONDS")


def _add_limits(parser: Parser) -> None:
    add, number, rate = parser.option, values.number, values.rate
    add("--max-connections", "connections of one worker; more are refused", convert=number, metavar="N")
    soft = "connections of one worker; with so many it is unready"
    add("--soft-connections", soft, convert=number, metavar="N")
    add("--connects-per-second", "new connections of one worker", convert=rate, metavar="N")
    payload = "size of one message of a client (default: max_http_buffer_size of the application)"
    add("--max-payload", payload, convert=number, metavar="BYTES")
    add("--events-per-second", "events of one client", convert=rate, metavar="N")
    add("--rooms-per-client", "rooms that one client may be in", convert=number, metavar="N")


def _add_hub(parser: Parser) -> None:
    parser.description = "Run the local bus alone; supervisors join it with --bus local:///PATH."
    parser.set_defaults(kind=HubOptions)
    parser.option("--socket", "Unix socket to listen on", convert=Path, required=True, metavar="PATH")
    _add_logging(parser)


def _add_bridge(parser: Parser) -> None:
    parser.description = "Join the cluster with one of python-socketio's own servers, or of Node.js's."
    parser.set_defaults(kind=BridgeOptions)
    add = parser.option
    add("--from", FROM_HELP, dest="foreign", metavar="URL")
    add("--from-file", "file that holds this URL", convert=Path, dest="foreign_file", metavar="PATH")
    add("--node-name", "name of the bridge among the nodes", metavar="NAME", default="bridge")
    _add_bus(parser)
    serializer = f"serializer of the nodes: {' or '.join(values.SERIALIZERS)}"
    add("--serializer", serializer, convert=values.serializer, metavar="NAME", default="default")
    _add_logging(parser)


def _add_worker(parser: Parser) -> None:
    parser.description = "One worker; the supervisor starts it, and tells it the rest through a socket."
    parser.set_defaults(kind=WorkerCommand)
    parser.add_argument("node")
    parser.add_argument("lifeline", type=int)


def _add_logging(parser: Parser) -> None:
    level = f"least level that is logged: {', '.join(values.LEVELS)}"
    parser.option("--log-level", level, convert=values.level, metavar="LEVEL", default="info")
    as_json = "write log records as JSON lines instead of text"
    parser.option(
        "--log-json", as_json, convert=values.switch, nargs="?", const=True, metavar="yes|no", default="no"
    )
