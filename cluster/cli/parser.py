"""The command line: its commands, and what each takes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from socketio_cluster.cluster.cli.bridge_parser import add_bridge
from socketio_cluster.cluster.cli.env_file import read_env_file
from socketio_cluster.cluster.cli.flags import Parser
from socketio_cluster.cluster.cli.options import CompletionOptions, HubOptions, Options, WorkerCommand
from socketio_cluster.cluster.cli.serve_parser import add_demo, add_logging, add_serve

SHELLS = ("bash", "zsh", "tcsh")


def read_options(arguments: list[str] | None = None) -> Options:
    """Parse the command line (default: of this process); end the process with code 2 on a mistake.

    The variables of --env-file are in the environment afterwards. Raises UsageError when it cannot be read.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    read_env_file(arguments, os.environ)  # first, because it may have the variables of other options
    given = vars(command_parser().parse_args(arguments))
    options: Options = given.pop("kind")(**given)
    return options


def command_parser() -> Parser:
    """Return the parser of all commands."""
    parser = Parser(
        prog="socketio-cluster",
        description="Run many uvicorn workers that behave as one Socket.IO server.",
        epilog="`socketio-cluster COMMAND --help` lists the options of a command; each can also be given "
        "as the environment variable named beside it.",
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    add_serve(commands.add_parser("serve", help="serve an application with several workers"))
    add_demo(commands.add_parser("demo", help="serve a small chat that shows the nodes at work"))
    _add_hub(commands.add_parser("hub", help="run only the local bus, for supervisors that share a machine"))
    add_bridge(commands.add_parser("bridge", help="join the cluster with one of another kind"))
    _add_completion(commands.add_parser("completion", help="print what lets a shell complete this command"))
    _add_worker(commands.add_parser("worker"))  # no help text: only the supervisor uses it
    return parser


def _add_hub(parser: Parser) -> None:
    parser.description = "Run the local bus alone; supervisors join it with --bus local:///PATH."
    parser.set_defaults(kind=HubOptions)
    add = parser.section("hub").option
    add("--socket", "Unix socket to listen on", convert=Path, required=True, metavar="PATH")
    add_logging(parser)


def _add_completion(parser: Parser) -> None:
    parser.description = "Print a script; docs/running.md says where each shell looks for it."
    parser.set_defaults(kind=CompletionOptions)
    parser.section("shell").argument("shell", choices=SHELLS, help="the shell that is to read it")


def _add_worker(parser: Parser) -> None:
    parser.description = "One worker; the supervisor starts it, and tells it the rest through a socket."
    parser.set_defaults(kind=WorkerCommand)
    parser.add_argument("node")
    parser.add_argument("lifeline", type=int)
