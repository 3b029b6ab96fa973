"""The command line: our own options and Locust's, handed to Locust."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from pathlib import Path
from typing import Any

import configargparse
from locust import events
from locust.main import main as locust_main

from socketio_cluster.loadtest.options import add_options
from socketio_cluster.loadtest.scenarios import SCENARIOS
from socketio_cluster.loadtest.scenarios.swarms import ALONE, SWARMS

LOCUSTFILE = Path(__file__).with_name("locustfile.py")

COMMON = (
    ("-u", "users", "10", "how many users"),
    ("-r", "spawn-rate", "50", "how many of them start per second"),
    ("-t", "run-time", "30s", "how long: 90s, 20m, 1h30m"),
)
"""Locust's own, which would otherwise run one user for ever."""


EPILOG = """\
Options from "connection" on can also be set by the environment: --rooms-per-user as LOADTEST_ROOMS_PER_USER.
Locust's options work too: --processes, --master, --worker, --expect-workers, --csv, --html, and all that
`locust --help` shows. Several servers under the same load: python -m socketio_cluster.loadtest compare --help
"""


def run(arguments: list[str]) -> int:
    """Run a scenario with Locust, and give the exit code."""
    parser = _parser()
    given, rest = parser.parse_known_args(arguments)
    known = SWARMS if given.swarm else SCENARIOS
    if given.scenario not in known:
        parser.error(
            f"{given.scenario} does not run with --swarm: {ALONE[given.scenario]}; leave --swarm out"
        )
    hooks: Any = events
    hooks.init.add_listener(_silence)
    sys.argv = ["loadtest", known[given.scenario].__name__, *_for_locust(given, rest)]
    start: Any = locust_main
    start()  # ends with sys.exit and the code of the run
    return 0


def _for_locust(given: argparse.Namespace, rest: list[str]) -> list[str]:
    """Change what Locust would not understand: several hosts, and our --json. The rest stays as it is."""
    words = ["-f", str(LOCUSTFILE), "--loglevel", "WARNING", *rest]
    words += ["--users", given.users, "--spawn-rate", given.spawn_rate, "--run-time", given.run_time]
    if given.host:
        words += ["--host", ",".join(given.host)]
    if given.json:
        words += ["--verdict-file", given.json]
    if not given.web:
        words += ["--headless", "--only-summary"]
    return words


def _silence(**_: Any) -> None:
    """Locust's own summary says less than ours."""
    logging.getLogger("locust.stats_logger").setLevel(logging.CRITICAL)


def _parser() -> argparse.ArgumentParser:
    first = _Front(prog="python -m socketio_cluster.loadtest", add_help=False, allow_abbrev=False)
    first.add_argument("scenario", choices=SCENARIOS, metavar="SCENARIO", help=argparse.SUPPRESS)
    first.add_argument(
        "-H", "--host", action="append", metavar="URL", help="a server; repeatable, users take turns"
    )
    for short, option, default, what in COMMON:
        value = os.environ.get("LOCUST_" + option.upper().replace("-", "_"), default)
        first.add_argument(short, f"--{option}", default=value, help=f"{what} (default: {value})")
    first.add_argument(
        "--swarm", action="store_true", help="for thousands of users per process, all with WebSockets"
    )
    first.add_argument("--json", metavar="FILE", help="write the result as JSON")
    first.add_argument(
        "--web", action="store_true", help="Locust's page in the browser, instead of running at once"
    )
    first.add_argument("-h", "--help", action=_Help, nargs=0, help="show this and exit")
    return first


class _Front(argparse.ArgumentParser):
    def error(self, message: str) -> Any:
        self.exit(2, f"loadtest: {message}\nTry python -m socketio_cluster.loadtest --help\n")


class _Help(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        whole = configargparse.ArgumentParser(
            prog=parser.prog,
            usage="%(prog)s SCENARIO --host URL [--host URL …] [-u N] [-r N] [-t TIME] [options]",
            parents=[parser],
            add_help=False,
            add_env_var_help=False,
            formatter_class=configargparse.RawDescriptionHelpFormatter,
            description="\n".join(f"  {name:<10} {_purpose(one)}" for name, one in SCENARIOS.items()),
            epilog=EPILOG,
        )
        add_options(whole)
        print(whole.format_help())
        sys.exit(0)


def _purpose(scenario: type[Any]) -> str:
    module = sys.modules[scenario.__module__]
    return str(module.__doc__).strip().partition(": ")[2].rstrip(".")
