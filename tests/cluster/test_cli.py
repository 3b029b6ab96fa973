"""The command line: its help, and one clear sentence for each mistake."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys

import pytest

from tests.cluster.command import ROOT, Command, clean_environment, run

APP = "tests.cluster.app:app"
SERVING = [
    *("host", "port", "uds", "fd", "direct-port", "internal-port", "internal-host", "advertise"),
    *("forwarded-allow-ips", "root-path", "workers", "node-name", "bus", "prefix", "secret-file"),
    *("ssl-certfile", "ssl-keyfile", "ssl-keyfile-password", "ssl-ca-certs", "ssl-cert-reqs", "ssl-ciphers"),
    *("reload", "reload-dir", "reload-include", "reload-exclude"),
    *("log-config", "access-log", "ws-per-message-deflate"),
    *("recovery-seconds", "recovery-url", "recovery-url-file"),
    *("stuck-after", "start-timeout", "grace", "lane", "log-level", "log-json"),
    *("probe-port", "probe-host", "probe-names", "bus-file", "drain-delay", "drain-window", "max-age"),
    *("emit-port", "emit-host", "emit-token-file"),
    *("max-connections", "soft-connections", "connects-per-second", "max-payload"),
    *("events-per-second", "rooms-per-client"),
]

BRIDGING = [
    *("from", "from-file", "node-name", "bus", "bus-file", "prefix", "recovery-seconds", "recovery-url"),
    *("recovery-url-file", "secret-file", "serializer", "log-level", "log-json", "log-config"),
]

TITLES = [
    *("application", "server", "TLS", "workers", "cluster", "recovery", "stop and reload", "limits"),
    *("probes and metrics", "events by HTTP", "development", "logging"),
]


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("serve", [*SERVING, "app-dir", "factory", "env-file"]),
        ("demo", SERVING),
        ("hub", ["socket", "log-level", "log-json", "log-config"]),
        ("bridge", BRIDGING),
    ],
)
def test_help_lists_each_option_with_its_variable(command, options):
    """The help of a command names every option and the environment variable that stands for it."""
    text = run(command, "--help").stdout
    assert {f"--{option}" for option in options} == set(re.findall(r"^  (--[a-z-]+)", text, re.MULTILINE))
    for option in options:
        assert f"[CLUSTER_{option.replace('-', '_').upper()}]" in re.sub(r"\s+", " ", text)


def test_help_names_the_commands_but_not_the_hidden_one():
    """The overview shows all but worker, which is the supervisor's own."""
    text = run("--help").stdout
    assert re.findall(r"^    (\w+)(?: |$)", text, re.MULTILINE) == [
        "serve",
        "demo",
        "hub",
        "bridge",
        "completion",
    ]


def test_variable_is_the_default_and_the_option_wins():
    """A bad value in a variable is refused by the variable's name, unless the option is given as well."""
    env = {"CLUSTER_PORT": "tcp://10.0.0.1:80"}
    refused = run("serve", APP, env=env)
    assert (refused.returncode, "CLUSTER_PORT" in refused.stderr) == (2, True)
    assert "CLUSTER_PORT" not in run("serve", "no.such:app", "--port", "0", env=env).stderr


MISTAKES = {
    "no command": ([], "COMMAND"),
    "a bus that keeps nothing": (
        ["serve", APP, "--port=0", "--recovery-seconds=60", "--bus=amqp://localhost"],
        "recovery_seconds needs a bus that keeps events, and amqp:// keeps none: use local, redis",
    ),
    "no Redis": (
        ["serve", APP, "--port=0", "--recovery-url=amqp://localhost", "--bus=amqp://localhost"],
        "recovery_url must be a Redis that keeps events: redis",
    ),
    "a Redis beside a Redis": (
        ["serve", APP, "--port=0", "--recovery-url=redis://localhost", "--bus=redis://localhost"],
        "recovery_url is for a bus that keeps no events: redis:// keeps them itself",
    ),
    "recovery twice": (
        ["serve", APP, "--recovery-url=redis://x", "--recovery-url-file=/dev/null"],
        "give only one of them",
    ),
    "a NATS bus of shards": (["serve", APP, "--bus=nats://x?shards=2"], "shards= is for redis+cluster://"),
    "a port in a list": (["serve", APP, "--bus=redis://x:1,y:1x"], "no number up to 65535"),
    "a short secret": (["serve", APP, "--secret-file=pyproject.toml"], "at least 16 characters a line"),
    "env file": (["serve", APP, "--env-file=/no/such/file"], "/no/such/file cannot be read"),
    "app dir": (
        ["serve", "hello:app", "--app-dir=/nowhere"],
        "no module 'hello': is --app-dir /nowhere the right folder?",
    ),
    "two sockets": (["serve", APP, "--uds=/tmp/x", "--fd=3"], "give only one of them"),
    "a file in the way": (["serve", APP, "--uds=/dev/null"], "--uds /dev/null: /dev/null is no socket"),
    "no socket": (["serve", APP, "--fd=0"], "--fd 0 is no socket"),
    "no number": (["serve", APP, "--fd=x"], "not a file descriptor"),
    "key alone": (
        ["serve", APP, "--ssl-keyfile=/dev/null"],
        "--ssl-keyfile needs --ssl-certfile",
    ),
    "certificate": (["serve", APP, "--ssl-certfile=/dev/null"], "do not go together"),
    "no certificate": (["serve", APP, "--ssl-certfile=/no/such"], "--ssl-certfile /no/such cannot be read"),
    "clients": (["serve", APP, "--ssl-cert-reqs=3"], "not one of 0 (none), 1 (optional), 2 (required)"),
    "log config": (["serve", APP, "--log-config=/no/such.json"], "/no/such.json cannot be used"),
    "log config in another form": (["serve", APP, "--log-config=/dev/null"], "/dev/null cannot be used"),
    "nothing to watch": (["serve", APP, "--reload-dir=/tmp"], "nothing without --reload"),
    "nowhere to watch": (["serve", APP, "--reload", "--reload-dir=/no/such"], "/no/such is no folder"),
    "no path": (["serve", APP, "--root-path=api"], "'api' is not a path: it begins with a slash, as /api"),
    "no colon": (["serve", "tests.cluster.app"], "write module:attribute"),
    "no such module": (["serve", "nosuchmodule:app"], "no module 'nosuchmodule'"),
    "port": (["serve", APP, "--port=70000"], "not a port"),
    "direct port": (["serve", APP, "--port=0", "--direct-port=65535", "--workers=2"], "no 2 ports"),
    "workers": (["serve", APP, "--workers=0"], "not a number of workers"),
    "host": (["serve", APP, "--host=not.an.address.invalid"], "--host not.an.address.invalid"),
    "a host with two dots": (["serve", APP, "--host=127.0.0..1"], "--host 127.0.0..1 is no name of a host"),
    "bus": (["serve", APP, "--bus=carrier-pigeon://"], "carrier-pigeon"),
    "bus file": (["serve", APP, "--bus-file=/no/such/file"], "/no/such/file cannot be read"),
    "bus twice": (["serve", APP, "--bus=redis://x", "--bus-file=/dev/null"], "give only one of them"),
    "empty bus file": (["serve", APP, "--bus-file=/dev/null"], "/dev/null is empty"),
    "memory bus": (["serve", APP, "--bus=memory://x"], "memory:// is for tests in one process"),
    "probe port": (["serve", APP, "--probe-port=x"], "not a port"),
    "window": (["serve", APP, "--drain-window=-1"], "not a duration"),
    "limit": (["serve", APP, "--max-connections=0"], "not a limit"),
    "rate": (["serve", APP, "--connects-per-second=fast"], "not a rate"),
    "no application": (["serve"], "module:app"),
    "secret file": (["serve", APP, "--secret-file=/no/such/file"], "/no/such/file cannot be read"),
    "duration": (["serve", APP, "--grace=soon"], "not a duration"),
    "log level": (["serve", APP, "--log-level=loud"], "not a log level"),
    "no such option": (
        ["serve", APP, "--bsu=local://"],
        "unrecognized arguments: --bsu=local:// (see socketio-cluster serve --help)",
    ),
    "hub without a socket": (["hub"], "--socket"),
}


LATE_MISTAKES = {
    "no such submodule": (
        ["serve", "tests.nosuch:app", "--port=0"],
        "no module 'tests.nosuch'",
    ),
    "no such attribute": (["serve", "tests.cluster.app:nope", "--port=0"], "has no attribute 'nope'"),
    "not callable": (["serve", "tests.cluster.app:number", "--port=0"], "not callable but of type int"),
    "hub's socket": (["hub", "--socket=/dev/null/bus.sock"], "/dev/null"),
    "an option of no bus, found by a worker": (
        ["serve", APP, "--port=0", "--bus=redis://localhost?speed=9"],
        "a Redis URL has no option 'speed'",
    ),
    "a setting of the application": (
        ["serve", "tests.cluster.wrong_setting:app", "--port=0"],
        "tests/cluster/wrong_setting.py:9: heartbeat must be more than 0 seconds, not -1",
    ),
    "no factory": (["serve", "os:getpid", "--factory", "--port=0"], "os:getpid() returned no application"),
}
"""Mistakes that only a process sees that has been started."""


@pytest.fixture(scope="module")
def all_said():
    """The exit code and the standard error of each mistake that is seen at once."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.cluster.mistakes"],
        input=json.dumps([arguments for arguments, _ in MISTAKES.values()]),
        cwd=ROOT,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return dict(zip(MISTAKES, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake_ends_with_one_sentence_and_code_2(mistake, all_said):
    """What the user can correct is said in one line on standard error, before anything is started."""
    code, error = all_said[mistake]
    assert code == 2
    assert error.startswith("socketio-cluster")
    assert error.count("\n") == 1
    assert MISTAKES[mistake][1] in error


@pytest.mark.parametrize("mistake", LATE_MISTAKES)
def test_mistake_that_a_worker_sees_ends_with_one_sentence_too(mistake):
    """Beside the log's lines that it starts and stops, there is only the sentence on standard error."""
    arguments, words = LATE_MISTAKES[mistake]
    done = run(*arguments)
    assert done.returncode == 2, done.stderr
    lines = [line for line in done.stderr.splitlines() if " INFO " not in line]
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("socketio-cluster: ")
    assert words in lines[0]


@pytest.mark.parametrize(("host", "other"), [("127.0.0.1", "0.0.0.0"), ("::1", "::"), ("127.0.0.1", "::")])
def test_taken_port_is_named(host, other):
    """A port that another program listens on ends the command with the port's number and that program."""
    family = socket.AF_INET6 if ":" in other else socket.AF_INET
    with socket.create_server((other, 0), family=family, dualstack_ipv6=other == "::") as taken:
        port = taken.getsockname()[1]
        done = run("serve", APP, f"--host={host}", f"--port={port}")
    assert done.returncode == 2
    who = f"process {os.getpid()} (" if sys.platform == "linux" else "another program"
    assert f"port {port} on {host} is taken by {who}" in done.stderr


def test_the_user_may_have_modules_called_manager_and_cluster(tmp_path):
    """An application beside a manager.py and a cluster.py of the user's is served, and imports them."""
    (tmp_path / "manager.py").write_text("NAME = 'mine'\n")
    (tmp_path / "cluster.py").write_text("raise RuntimeError('nobody asked for this module')\n")
    (tmp_path / "shop.py").write_text(
        "import manager\nfrom tests.cluster.app import app\nassert manager.NAME == 'mine'\n"
    )
    with Command(
        *("serve", "shop:app", "--port=0", "--workers=1"), cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}
    ) as command:
        command.nodes(1)


def test_help_reads_well_on_a_narrow_terminal():
    """No line of it is longer than 80 columns, and every option is below a title that says what it is for."""
    text = run("serve", "--help", env={"COLUMNS": "80"}).stdout
    assert max(map(len, text.splitlines())) <= 80
    titles = re.findall(r"^([\w ]+):$", text, re.MULTILINE)
    assert titles == ["options", *TITLES]
    options = text.partition("\noptions:\n")[2].partition("\n\n")[0]
    assert options.split() == ["-h,", "--help", "show", "this", "help", "message", "and", "exit"]
