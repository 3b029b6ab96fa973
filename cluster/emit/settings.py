"""Who may emit by HTTP, and where: read by the supervisor, handed over to its workers."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Final

from socketio_cluster.cluster.cli.options import ServeOptions
from socketio_cluster.cluster.emit.tokens import read_tokens
from socketio_cluster.cluster.errors import UsageError

TOKEN_VARIABLE: Final = "CLUSTER_EMIT_TOKEN"  # noqa: S105


@dataclass(frozen=True)
class EmitSettings:
    """The emit port of a worker: its listening socket and the tokens."""

    fd: int
    tokens: list[str] = field(repr=False)


def emit_tokens(options: ServeOptions) -> list[str]:
    """Return the tokens of --emit-token-file or CLUSTER_EMIT_TOKEN; raise UsageError when there are none."""
    path = options.emit_token_file
    try:
        text = path.read_text() if path is not None else os.environ.get(TOKEN_VARIABLE, "")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--emit-token-file {path} cannot be read: {error}") from None
    try:
        return read_tokens(text)
    except ValueError as error:
        place = TOKEN_VARIABLE if path is None else str(path)
        raise UsageError(
            f"--emit-port needs a token, in --emit-token-file or {TOKEN_VARIABLE}: in {place} {error}"
        ) from None
