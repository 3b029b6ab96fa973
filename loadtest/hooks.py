"""The hooks that give Locust our options and a ``Run`` for each test. Importing this installs them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from locust import events, runners
from locust.runners import MasterRunner, WorkerRunner

from socketio_cluster.loadtest.distributed import Master, Worker
from socketio_cluster.loadtest.errors import LoadTestError
from socketio_cluster.loadtest.options import add_options
from socketio_cluster.loadtest.preflight import check_hosts, check_options
from socketio_cluster.loadtest.run import Run
from socketio_cluster.loadtest.shaping import Shape
from socketio_cluster.loadtest.swarm.native import epoll
from socketio_cluster.loadtest.swarm.user import SwarmUser


def _init(environment: Any, runner: Any, **_: Any) -> None:
    kinds: dict[type[Any], type[Run]] = {MasterRunner: Master, WorkerRunner: Worker}
    environment.loadtest = kinds.get(type(runner), Run)(environment)
    options = environment.parsed_options
    if any(issubclass(one, SwarmUser) for one in environment.user_classes):
        _or_end(lambda: epoll().close())
    if isinstance(runner, WorkerRunner):
        return
    _or_end(lambda: check_options(options))
    if options.shape:
        environment.shape_class = Shape(options)
        environment.shape_class.runner = runner
    if options.headless:
        _or_end(lambda: check_hosts(environment.host, options))


def _or_end(check: Callable[[], None]) -> None:
    """Check something that a test needs. If it is wrong, print why and end with the exit code 2."""
    try:
        check()
    except LoadTestError as error:
        print(f"loadtest: {error}", file=sys.stderr, flush=True)
        sys.exit(2)


def _test_start(environment: Any, **_: Any) -> None:
    environment.loadtest.start()


def _test_stopping(environment: Any, **_: Any) -> None:
    if environment.loadtest.active:
        environment.loadtest.stopping()


def _test_stop(environment: Any, **_: Any) -> None:
    if environment.loadtest.active:
        environment.loadtest.stop()


def _user_error(user_instance: Any, exception: Exception, **_: Any) -> None:
    """Count an error that a scenario raises, so that the run fails as it does for an error of the server."""
    recorder = user_instance.environment.loadtest.recorder
    recorder.timeline.error(f"{type(user_instance).__name__}: {exception!r}", recorder.now())


def _quitting(environment: Any, **_: Any) -> None:
    """Give a verdict also when Ctrl-C or SIGTERM ends the run."""
    if environment.loadtest.active and not isinstance(environment.runner, WorkerRunner):
        environment.runner.stop()


PATIENCE = 20
"""How many heartbeats, one a second, a worker may miss. A worker at its limit sends them late."""


def _install(hooks: Any) -> None:
    runners.HEARTBEAT_LIVENESS = PATIENCE
    hooks.init_command_line_parser.add_listener(add_options)
    hooks.init.add_listener(_init)
    hooks.test_start.add_listener(_test_start)
    hooks.test_stopping.add_listener(_test_stopping)
    hooks.test_stop.add_listener(_test_stop)
    hooks.user_error.add_listener(_user_error)
    hooks.quitting.add_listener(_quitting)


_install(events)
