"""Log records that contain the name of their node, as text for people or as JSON lines for machines."""

from __future__ import annotations

import json
import logging.config
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import yaml

from socketio_cluster.cluster.errors import UsageError
from socketio_cluster.cluster.options import Logging

READERS: Final[dict[str, Callable[[str], Any]]] = {
    ".json": json.loads,
    ".yaml": yaml.safe_load,
    ".yml": yaml.safe_load,
}
"""What reads a file of `--log-config`, by its ending; any other is one of `logging.config.fileConfig`."""


class TextFormatter(logging.Formatter):
    """Writes lines such as `2026-11-21T10:00:00.123Z INFO  node-1 socketio_cluster.manager: text`."""

    converter = staticmethod(time.gmtime)
    default_msec_format = "%s.%03dZ"
    default_time_format = "%Y-%m-%dT%H:%M:%S"

    def __init__(self) -> None:
        super().__init__("{asctime} {levelname:<5} {node} {name}: {message}", style="{")


class JsonFormatter(TextFormatter):
    """Writes one JSON object per line: time, level, node, node_id, logger, message and, if any, exception."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line; a traceback is one string with escaped line ends."""
        line: dict[str, Any] = {
            "time": self.formatTime(record),
            "level": record.levelname.lower(),
            "node": getattr(record, "node", ""),
            "node_id": getattr(record, "node_id", ""),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def set_up(node: str, options: Logging) -> None:
    """Stamp each record with the node's name, and send it to standard error or where `log_config` says.

    Raises UsageError for a file that Python's logging cannot use.
    """
    stamp(node)
    if options.log_config is not None:
        _configure(options.log_config)
        return
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if options.log_json else TextFormatter())
    logging.basicConfig(level=options.log_level.upper(), handlers=[handler], force=True)
    if options.log_level == "info":
        # At this level uvicorn reports its start in four lines, and the supervisor does it in one.
        logging.getLogger("uvicorn.error").setLevel(logging.WARNING)


def _configure(path: Path) -> None:
    try:
        if path.suffix not in READERS:
            logging.config.fileConfig(path, disable_existing_loggers=False)
            return
        settings = READERS[path.suffix](path.read_text())
        # Python's default is to silence the loggers that exist already, which are all of ours.
        logging.config.dictConfig({"disable_existing_loggers": False, **settings})
    except Exception as error:  # of many kinds: logging raises what the user's own classes raise
        reason = error.__cause__ or error
        raise UsageError(f"--log-config {path} cannot be used: {error}: {reason}") from None


def stamp(node: str, node_id: str = "") -> None:
    """Put the node's name and id on every record made from now on, whichever handler shows it."""

    def record(*args: Any, **kwargs: Any) -> logging.LogRecord:
        made = logging.LogRecord(*args, **kwargs)
        made.node, made.node_id = node, node_id
        return made

    logging.setLogRecordFactory(record)


def take_over() -> None:
    """Remove the handlers that python-socketio has added to its loggers: each record would show twice."""
    for name in ("socketio", "engineio"):
        for side in ("server", "client"):
            logging.getLogger(f"{name}.{side}").handlers.clear()
