"""Log records that contain the name of their node, as text for people or as JSON lines for machines."""

from __future__ import annotations

import json
import logging.config
import time
from pathlib import Path
from typing import Any

from socketio_cluster.cluster.cli.options import Logging
from socketio_cluster.cluster.errors import UsageError


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


def set_up(node: str, options: Logging, *, requests: bool = False) -> None:
    """Stamp each record with the node's name, and send it to standard error or where `log_config` says.

    `requests` are logged too if asked for. Raises UsageError for a file that Python's logging cannot use.
    """
    stamp(node)
    if options.log_config is not None:
        _configure(options.log_config)
    else:
        handler = logging.StreamHandler()
        handler.setFormatter(JsonFormatter() if options.log_json else TextFormatter())
        logging.basicConfig(level=options.log_level.upper(), handlers=[handler], force=True)
    uvicorn = logging.getLogger("uvicorn.error")
    if uvicorn.getEffectiveLevel() == logging.INFO:
        # At this level uvicorn names each WebSocket, and reports its start, which the supervisor does better.
        uvicorn.setLevel(logging.INFO if requests else logging.WARNING)
        uvicorn.addFilter(lambda record: record.levelno > logging.INFO or "WebSocket" in str(record.msg))


def _configure(path: Path) -> None:
    """Take the settings of a file; by its ending it is JSON, YAML, or of the form of `fileConfig`."""
    try:
        if path.suffix not in (".json", ".yaml", ".yml"):
            logging.config.fileConfig(path, disable_existing_loggers=False)
            return
        settings = _read(path)
        # Python's default is to silence the loggers that exist already, which are all of ours.
        logging.config.dictConfig({"disable_existing_loggers": False, **settings})
    except Exception as error:  # of many kinds: logging raises what the user's own classes raise
        reason = f": {error.__cause__}" if error.__cause__ else ""
        raise UsageError(f"--log-config {path} cannot be used: {error}{reason}") from None


def _read(path: Path) -> Any:
    if path.suffix == ".json":
        return json.loads(path.read_text())
    import yaml  # only who has such a file waits for its import

    return yaml.safe_load(path.read_text())


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
