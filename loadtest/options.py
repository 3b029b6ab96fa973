"""The options of the load test; each can also be set by the environment, as LOADTEST_ and its name."""

from __future__ import annotations

import argparse
import json
from typing import Any

import configargparse

from socketio_cluster.loadtest.shapes import SHAPES
from socketio_cluster.loadtest.thresholds import THRESHOLDS

TRANSPORTS = ("websocket", "polling", "both")

NOT_ON_THE_PAGE = ("shape", "auth", "headers", "verdict-file", "report", "metrics")
"""Options that Locust's web page cannot set, or should not show."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options to a parser of configargparse, such as Locust's."""
    _add_connection(parser.add_argument_group("connection"))
    _add_load(parser.add_argument_group("load"))
    _add_verdict(parser.add_argument_group("verdict"))
    _add_output(parser.add_argument_group("output"))


def _add_connection(connection: Any) -> None:
    _add(connection, "transport", choices=TRANSPORTS, default="websocket", help="both: by turns")
    _add(connection, "namespace", default="/", help="the namespace of all users")
    _add(connection, "path", default="socket.io", help="the path of Socket.IO at each host")
    _add(
        connection,
        "auth",
        type=_json,
        metavar="JSON",
        help="what clients send with connect: '{\"token\": …}'",
    )
    _add(connection, "headers", type=_headers, metavar="JSON", help="headers of each request, as an object")
    _add(
        connection, "timeout", type=_positive, default=10.0, metavar="SECONDS", help="for a connect or an ack"
    )


def _add_load(load: Any) -> None:
    _add(load, "rooms", type=_count, default=10, metavar="N", help="how many rooms the users share")
    _add(load, "rooms-per-user", type=_count, default=1, metavar="N", help="in how many of them each user is")
    _add(
        load, "rate", type=_positive, default=1.0, metavar="N", help="turns per second of each user that acts"
    )
    _add(load, "senders", type=_count, metavar="N", help="how many users send (default: all; broadcast: 5)")
    _add(load, "size", type=_size, default=100, metavar="BYTES", help="filler in each message")
    _add(
        load,
        "slow-share",
        type=_share,
        default=0.01,
        metavar="SHARE",
        help="of the users in slow (at least one)",
    )
    _add(
        load,
        "cut-every",
        type=_positive,
        default=10.0,
        metavar="SECONDS",
        help="how often reconnect cuts a node off, and jitter each client",
    )
    _add(
        load, "away", type=_positive, default=2.0, metavar="SECONDS", help="how long jitter cuts a client off"
    )
    _add(
        load, "disturb", metavar="COMMAND", help="a shell command run once during the test, such as a restart"
    )
    _add(load, "disturb-after", type=_positive, default=5.0, metavar="SECONDS", help="when it is run")
    _add(
        load,
        "shape",
        choices=list(SHAPES),
        help="how the number of users goes (default: up to --users, then level)",
    )


def _add_verdict(judging: Any) -> None:
    _add(judging, "settle", type=_positive, default=2.0, metavar="SECONDS",
         help="how long a message may travel: around joins and reconnects nothing is expected")  # fmt: skip
    _add(judging, "quiet", type=_positive, default=10.0, metavar="SECONDS",
         help="how long receivers wait at the end, at most, for what is due or still comes")  # fmt: skip
    _add(
        judging,
        "clock",
        choices=("own", "server"),
        default="own",
        help="server: generators on several machines",
    )
    for threshold in THRESHOLDS.values():
        _add(
            judging,
            threshold.option,
            type=_limit,
            default=threshold.default,
            metavar="N",
            help=threshold.help,
        )


def _add_output(output: Any) -> None:
    _add(
        output,
        "verdict-file",
        metavar="FILE",
        help="write the verdict as JSON (python -m socketio_cluster.loadtest: --json)",
    )
    _add(output, "report", metavar="FOLDER", help="write a page about the run")
    _add(
        output,
        "metrics",
        action="append",
        metavar="URL",
        help="a /metrics address of the servers; repeatable",
    )


def names() -> set[str]:
    """The names of our options, as attributes of what a parser gives."""
    return {action.dest for action in _actions()}


def tidy(options: argparse.Namespace) -> None:
    """Make values of what Locust's web page leaves as text, where no default tells it the type.

    Raises:
        argparse.ArgumentTypeError: a text is no value of its option.
    """
    for action in _actions():
        value = getattr(options, action.dest)
        if value == "":
            setattr(options, action.dest, action.default)
        elif isinstance(value, str) and callable(action.type):
            setattr(options, action.dest, action.type(value))


def _actions() -> list[argparse.Action]:
    parser = configargparse.ArgumentParser(add_help=False)
    add_options(parser)
    return list(parser._actions)


def _add(group: Any, name: str, **how: Any) -> None:
    variable = "LOADTEST_" + name.upper().replace("-", "_")
    default = how.get("default")
    if default is not None:
        how["help"] += f" (default: {default if isinstance(default, str) else f'{default:g}'})"
    action = group.add_argument(f"--{name}", env_var=variable, **how)
    # What Locust's own parser notes about each option, for its web page; a group does not.
    action.include_in_web_ui = name not in NOT_ON_THE_PAGE
    action.is_secret = action.is_required = action.is_multiple = False


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None


def _positive(text: str) -> float:
    if (value := _number(text)) <= 0:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return value


def _limit(text: str) -> float:
    if (value := _number(text)) < 0:
        raise argparse.ArgumentTypeError(f"{text} is below 0")
    return value


def _share(text: str) -> float:
    if not 0 < (value := _number(text)) <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not a share between 0 and 1")
    return value


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1")
    return int(text)


def _size(text: str) -> int:
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of bytes")
    return int(text)


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not JSON: {error}") from None


def _headers(text: str) -> dict[str, str]:
    value = _json(text)
    if not (isinstance(value, dict) and all(isinstance(one, str) for one in value.values())):
        raise argparse.ArgumentTypeError(f"{text!r} is not an object of texts")
    return value
