"""The file of variables that `serve` puts into its environment."""

from __future__ import annotations

import argparse
from collections.abc import MutableMapping, Sequence
from pathlib import Path

from socketio_cluster.cluster.errors import UsageError

FLAG = "--env-file"
VARIABLE = "CLUSTER_ENV_FILE"


def read_env_file(arguments: Sequence[str], environ: MutableMapping[str, str]) -> None:
    """Add the variables of the file that a command line or the environment names, unless they are set.

    Raises UsageError when the file cannot be read.
    """
    parser = argparse.ArgumentParser(add_help=False, exit_on_error=False)
    parser.add_argument(FLAG, default=environ.get(VARIABLE))
    try:
        path = parser.parse_known_args(list(arguments))[0].env_file
    except argparse.ArgumentError:
        return  # it has no value, which the real parser says better
    if not path:
        return
    from dotenv import dotenv_values  # only who has such a file waits for its import

    try:
        with Path(path).open(encoding="utf-8") as file:
            found = dotenv_values(stream=file)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{FLAG} {path} cannot be read: {error}") from None
    for name, value in found.items():
        if value is not None:
            environ.setdefault(name, value)
