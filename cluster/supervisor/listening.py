"""The sockets of a supervisor's workers, which stay open as long as it runs."""

from __future__ import annotations

import logging
import socket
from contextlib import ExitStack

from socketio_cluster.cluster.cli.options import ServeOptions
from socketio_cluster.cluster.emit.settings import emit_tokens
from socketio_cluster.cluster.errors import UsageError
from socketio_cluster.cluster.sockets.sockets import (
    after_orphans,
    listen,
    listen_after_orphans,
    listen_shared,
    url_of,
)
from socketio_cluster.cluster.sockets.unix_socket import inherit, listen_at

log = logging.getLogger("socketio_cluster.cluster")


def listen_for_workers(options: ServeOptions, stack: ExitStack) -> list[list[socket.socket]]:
    """Return the sockets of each worker, which `stack` closes.

    One is that of the address that all share. With --direct-port there is one of its own. Raises UsageError.
    """
    shared = [stack.enter_context(sock) for sock in _listen_together(options, stack)]
    if options.direct_port is None:
        return [[sock] for sock in shared]
    ports = _direct_ports(options, options.direct_port)
    direct = [stack.enter_context(listen_after_orphans(options.host, port)) for port in ports]
    return [list(pair) for pair in zip(shared, direct, strict=True)]


def _listen_together(options: ServeOptions, stack: ExitStack) -> list[socket.socket]:
    uds, fd = options.uds, options.fd
    if uds is not None and fd is not None:
        raise UsageError("--uds and --fd both say where to listen: give only one of them")
    if uds is not None:
        sock = after_orphans(lambda: listen_at(uds))
        stack.callback(uds.absolute().unlink, missing_ok=True)
        return [sock] * options.workers
    if fd is not None:
        return [inherit(fd)] * options.workers
    return listen_shared(options.host, options.port, options.workers)


def _direct_ports(options: ServeOptions, first_port: int) -> list[int]:
    if first_port + options.workers > 65536:
        raise UsageError(f"--direct-port {first_port}: there are no {options.workers} ports from there on")
    # With 0 each worker gets a free port.
    return [first_port and first_port + index for index in range(options.workers)]


def listen_for_probes(options: ServeOptions, stack: ExitStack) -> socket.socket | None:
    """Return the socket of the probe port, if there is to be one; raise UsageError."""
    if options.probe_port is None:
        return None
    sock = stack.enter_context(listen(options.probe_host, options.probe_port, option="--probe-host"))
    log.info("probes at %s", url_of(sock))
    return sock


def listen_for_emits(options: ServeOptions, stack: ExitStack) -> socket.socket | None:
    """Return the socket of the emit port, if there is to be one; raise UsageError, also without a token."""
    if options.emit_port is None:
        return None
    emit_tokens(options)
    sock = listen_after_orphans(options.emit_host, options.emit_port, option="--emit-host")
    log.info("POST /emit at %s", url_of(sock))
    return stack.enter_context(sock)
