"""The options of `bridge`, as the command line has them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from socketio_cluster.cluster.cli import values
from socketio_cluster.cluster.cli.flags import Parser
from socketio_cluster.cluster.cli.options import BridgeOptions
from socketio_cluster.cluster.cli.serve_parser import add_bus, add_logging, add_recovery

FROM_HELP: Final = (
    "the Redis of the other cluster (redis://, rediss://, valkey://, unix://), with "
    "?adapter=python-socketio, nodejs or nodejs-sharded: docs/bridge.md"
)


def add_bridge(parser: Parser) -> None:
    """Add what `bridge` takes."""
    parser.description = "Join the cluster with one of python-socketio's own servers, or of Node.js's."
    parser.set_defaults(kind=BridgeOptions)
    other = parser.section("the other cluster").option
    other("--from", FROM_HELP, dest="foreign", metavar="URL")
    other("--from-file", "file that holds this URL", convert=Path, dest="foreign_file", metavar="PATH")
    section = parser.section("our cluster")
    section.option("--node-name", "name of the bridge among the nodes", metavar="NAME", default="bridge")
    add_bus(section)
    serializer = f"serializer of the nodes: {' or '.join(values.SERIALIZERS)}"
    section.option("--serializer", serializer, convert=values.serializer, metavar="NAME", default="default")
    add_recovery(parser)
    add_logging(parser)
