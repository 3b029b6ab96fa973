"""The command `hub` serves the local bus of one machine, without workers."""

from __future__ import annotations

import asyncio
import logging
import signal

from socketio_cluster.cluster import logs
from socketio_cluster.cluster.cli.options import HubOptions
from socketio_cluster.cluster.supervisor.bus import open_hub

log = logging.getLogger("socketio_cluster.cluster")


def run_hub(options: HubOptions) -> int:
    """Serve the bus until SIGTERM or SIGINT; return the exit code. Raises UsageError for a bad path."""
    logs.set_up("hub", options)
    asyncio.run(_serve(options))
    return 0


async def _serve(options: HubOptions) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with open_hub(options.socket):
        log.info("nodes of this machine find it as --bus local://%s", options.socket.absolute())
        await stopping.wait()
