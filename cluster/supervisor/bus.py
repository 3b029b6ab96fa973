"""The bus of a supervisor's workers: the local bus that it serves itself, or one that runs elsewhere."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from socketio_cluster.cluster.errors import UsageError
from socketio_cluster.cluster.options import ServeOptions
from socketio_cluster.manager.brokers.hub import Hub
from socketio_cluster.manager.bus.registry import check_recording, check_url
from socketio_cluster.manager.errors import SettingError

OURS = "local://"


@asynccontextmanager
async def provide_bus(url: str, folder: Path) -> AsyncIterator[Mapping[str, str]]:
    """Serve the bus `local://` while this context lasts, at a socket in `folder`; another bus is not touched.

    Yields the environment variables by which workers, and programs that they start, find the local bus.
    """
    if url != OURS:
        yield {}
        return
    path = folder / "bus.sock"
    async with open_hub(path):
        yield {"CLUSTER_BUS": f"local://{path}", "CLUSTER_LOCAL_SOCKET": str(path)}


@asynccontextmanager
async def open_hub(path: Path) -> AsyncIterator[None]:
    """Serve the local bus at `path`; raise UsageError when the path cannot be used."""
    hub = Hub(path)
    try:
        await hub.start()
    except SettingError as error:
        raise UsageError(str(error)) from None
    try:
        yield
    finally:
        await hub.close()


def read_bus(options: ServeOptions) -> ServeOptions:
    """Return the options with the URL in --bus-file; raise UsageError when the file has none."""
    path = options.bus_file
    if path is None:
        return options
    if options.bus != OURS:
        raise UsageError("--bus and --bus-file both name the bus: give only one of them")
    try:
        url = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--bus-file {path} cannot be read: {error}") from None
    if not url:
        raise UsageError(f"--bus-file {path} is empty")
    return replace(options, bus=url)


def check_bus(url: str, *, recovery: bool = False) -> None:
    """Raise UsageError when the URL is not that of a bus, or the bus keeps no events for recovery."""
    if url == OURS:
        return
    try:
        check_url(url)
        if recovery:
            check_recording(url)
    except SettingError as error:
        raise UsageError(f"--bus: {error}") from None


SECRETS: Final = ("CLUSTER_BUS", "CLUSTER_SECRET")
"""The variables that workers get in private; programs that they start do not inherit them."""


def credentials(options: ServeOptions) -> dict[str, str]:
    """Return the private settings of the workers' managers.

    Raise UsageError when --secret-file is unusable.
    """
    settings = {} if options.bus == OURS else {"CLUSTER_BUS": options.bus}
    if options.secret_file:
        try:
            settings["CLUSTER_SECRET"] = options.secret_file.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"--secret-file {options.secret_file} cannot be read: {error}") from None
        if not settings["CLUSTER_SECRET"]:
            raise UsageError(f"--secret-file {options.secret_file} is empty")
    elif secret := os.environ.get("CLUSTER_SECRET"):
        settings["CLUSTER_SECRET"] = secret
    return settings
