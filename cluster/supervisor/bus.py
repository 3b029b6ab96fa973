"""The bus of a supervisor's workers: the local bus that it serves itself, or one that runs elsewhere."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeVar

from socketio_cluster.cluster.cli.options import Cluster
from socketio_cluster.cluster.emit.settings import TOKEN_VARIABLE
from socketio_cluster.cluster.errors import UsageError
from socketio_cluster.manager.brokers.hub import Hub
from socketio_cluster.manager.errors import SettingError
from socketio_cluster.manager.options import Options

OURS = "local://"

Given = TypeVar("Given", bound=Cluster)


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


def read_urls(options: Given) -> Given:
    """Return the options with the URLs that --bus-file and --recovery-url-file hold; raise UsageError."""
    if options.bus_file is not None:
        if options.bus != OURS:
            raise UsageError("--bus and --bus-file both name the bus: give only one of them")
        options = replace(options, bus=read_file("--bus-file", options.bus_file))
    if options.recovery_url_file is not None:
        if options.recovery_url is not None:
            raise UsageError("--recovery-url and --recovery-url-file are the same: give only one of them")
        options = replace(options, recovery_url=read_file("--recovery-url-file", options.recovery_url_file))
    return options


def read_file(option: str, path: Path) -> str:
    """Return what is in a file; raise UsageError when there is nothing."""
    try:
        text = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{option} {path} cannot be read: {error}") from None
    if not text:
        raise UsageError(f"{option} {path} is empty")
    return text


def check_settings(options: Cluster, private: Mapping[str, str]) -> None:
    """Raise UsageError for settings of which no worker could make a manager.

    `private` are those that `credentials` returns.
    """
    if options.bus.startswith("memory://"):
        raise UsageError("--bus: memory:// is for tests in one process; workers of one machine have local://")
    try:
        Options(
            url=options.bus,
            prefix=options.prefix or Options.prefix,
            secret=private.get("CLUSTER_SECRET"),
            recovery_seconds=options.recovery_seconds,
            recovery_url=options.recovery_url,
        )
    except SettingError as error:
        raise UsageError(str(error)) from None


SECRETS: Final = (
    "CLUSTER_BUS",
    "CLUSTER_RECOVERY_URL",
    "CLUSTER_SECRET",
    "CLUSTER_SSL_KEYFILE_PASSWORD",
    TOKEN_VARIABLE,
)
"""The variables that workers get in private; programs that they start do not inherit them."""


def credentials(options: Cluster) -> dict[str, str]:
    """Return the private settings of the workers' managers.

    Raise UsageError when --secret-file is unusable.
    """
    settings = {} if options.bus == OURS else {"CLUSTER_BUS": options.bus}
    if options.recovery_url is not None:
        settings["CLUSTER_RECOVERY_URL"] = options.recovery_url
    if options.secret_file:
        settings["CLUSTER_SECRET"] = read_file("--secret-file", options.secret_file)
    elif secret := os.environ.get("CLUSTER_SECRET"):
        settings["CLUSTER_SECRET"] = secret
    return settings
