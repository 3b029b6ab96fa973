"""The command line: its help, and one clear sentence for each mistake."""

from __future__ import annotations

import os
import re
import socket
import sys

import pytest

from tests.cluster.command import ROOT, Command, run

APP = "tests.cluster.app:app"
SERVING = [
    *("host", "port", "direct-port", "internal-port", "internal-host", "advertise"),
    *("forwarded-allow-ips", "root-path", "workers", "node-name", "bus", "prefix", "secret-file"),
    *("recovery-seconds", "recovery-url", "recovery-url-file"),
    *("stuck-after", "start-timeout", "grace", "lane", "log-level", "log-json"),
    *("probe-port", "probe-host", "probe-names", "bus-file", "drain-delay", "drain-window", "max-age"),
    *("emit-port", "emit-host", "emit-token-file"),
    *("max-connections", "soft-connections", "connects-per-second", "max-payload"),
    *("events-per-second", "rooms-per-client"),
]

BRIDGING = [
    *("from", "from-file", "node-name", "bus", "bus-file", "prefix", "recovery-seconds", "recovery-url"),
    *("recovery-url-file", "secret-file", "serializer", "log-level", "log-json"),
]


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("serve", SERVING),
        ("demo", SERVING),
        ("hub", ["socket", "log-level", "log-json"]),
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
    """The overview shows serve, demo, hub and bridge; worker is the supervisor's own."""
    text = run("--help").stdout
    assert re.findall(r"^    (\w+) ", text, re.MULTILINE) == ["serve", "demo", "hub", "bridge"]


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
    "no path": (["serve", APP, "--root-path=api"], "'api' is not a path: it begins with a slash, as /api"),
    "no colon": (["serve", "tests.cluster.app"], "write module:attribute"),
    "no such module": (["serve", "nosuchmodule:app"], "no module 'nosuchmodule'"),
    "no such submodule": (
        ["serve", "tests.nosuch:app", "--port=0"],
        "no module 'tests.nosuch'",
    ),
    "no such attribute": (["serve", "tests.cluster.app:nope", "--port=0"], "has no attribute 'nope'"),
    "not callable": (["serve", "tests.cluster.app:number", "--port=0"], "not callable but of type int"),
    "port": (["serve", APP, "--port=70000"], "not a port"),
    "direct port": (["serve", APP, "--port=0", "--direct-port=65535", "--workers=2"], "no 2 ports"),
    "workers": (["serve", APP, "--workers=0"], "not a number of workers"),
    "host": (["serve", APP, "--host=not.an.address.invalid"], "--host not.an.address.invalid"),
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
    "hub without a socket": (["hub"], "--socket"),
    "hub's socket": (["hub", "--socket=/dev/null/bus.sock"], "/dev/null"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake_ends_with_one_sentence_and_code_2(mistake):
    """What the user can correct is said in one line on standard error, without a traceback."""
    arguments, words = MISTAKES[mistake]
    done = run(*arguments)
    assert done.returncode == 2, done.stderr
    said = [line for line in done.stderr.splitlines() if line.startswith("socketio-cluster")]
    assert len(said) == 1
    assert words in said[0]
    assert "Traceback" not in done.stderr


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
