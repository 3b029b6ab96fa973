"""The command `bridge` joins the cluster with one of another kind, without clients of its own."""

from __future__ import annotations

import asyncio
import logging
import signal

from socketio_cluster.cluster import logs
from socketio_cluster.cluster.cli.options import BridgeOptions
from socketio_cluster.cluster.errors import UsageError
from socketio_cluster.cluster.supervisor.bus import OURS, check_settings, credentials, read_file, read_urls
from socketio_cluster.manager.bridge.bridge import Bridge
from socketio_cluster.manager.bridge.bridge_manager import BridgeManager
from socketio_cluster.manager.bus.registry import safe_url
from socketio_cluster.manager.errors import SettingError
from socketio_cluster.manager.foreign import Foreign, read_foreign
from socketio_cluster.manager.options import give_settings

log = logging.getLogger("socketio_cluster.cluster")


def run_bridge(options: BridgeOptions) -> int:
    """Pass messages on until SIGTERM or SIGINT; return the exit code. Raises UsageError."""
    logs.set_up(options.node_name, options)
    options = read_urls(options)
    if options.bus == OURS:
        raise UsageError("a bridge needs the bus of the nodes: --bus, or --bus-file")
    url = options.foreign or ""
    if options.foreign_file is not None:
        if url:
            raise UsageError("--from and --from-file both name the foreign cluster: give only one of them")
        url = read_file("--from-file", options.foreign_file)
    if not url:
        raise UsageError("a bridge needs the URL of the other cluster: --from, or --from-file")
    try:
        foreign = read_foreign(url)
    except SettingError as error:
        raise UsageError(f"--from: {error}") from None
    settings = credentials(options)
    check_settings(options, settings)
    give_settings(settings)
    log.info("a bridge between %s and %s", safe_url(url), safe_url(options.bus))
    asyncio.run(_run(options, foreign))
    return 0


async def _run(options: BridgeOptions, foreign: Foreign) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    try:
        manager = BridgeManager(
            options.bus,
            prefix=options.prefix,
            name=options.node_name,
            recovery_seconds=options.recovery_seconds,
        )
        bridge = Bridge(manager, *foreign, serializer=options.serializer)
        await bridge.start()
    except SettingError as error:
        raise UsageError(str(error)) from None
    try:
        await stopping.wait()
    finally:
        await bridge.close()
        log.info(
            "stopped: %d to the foreign cluster, %d from it, %d did not go across, %d lost",
            bridge.outward.total(),
            bridge.inward.total(),
            bridge.refused.total(),
            bridge.lost,
        )
