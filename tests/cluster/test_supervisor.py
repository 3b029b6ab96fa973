"""The supervisor with real worker processes."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time
import urllib.request
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime
from urllib.parse import urlsplit

import pytest
import socketio

from tests.cluster.command import Command, alive, run, wait_until

SERVE = ("serve", "tests.cluster.app:app", "--port=0", "--direct-port=0", "--workers=2")


def fetch(url: str, path: str = "/who", *, timeout: float = 10) -> str:
    """The text that a GET gives."""
    with urllib.request.urlopen(url + path, timeout=timeout) as response:
        return response.read().decode()


def pids(nodes: dict[str, list[str]]) -> dict[str, int]:
    """Ask each worker for its process id, at its own address."""
    return {node: int(fetch(urls[-1]).split()[1]) for node, urls in nodes.items()}


@contextmanager
def blocked(url: str):
    """Block the event loop of the worker at this address."""

    def request() -> None:
        with suppress(OSError):
            fetch(url, "/block", timeout=60)

    with ThreadPoolExecutor(1) as pool:
        pool.submit(request)
        yield


@pytest.fixture
def diary(tmp_path):
    return tmp_path / "diary"


@pytest.fixture
def temporary(tmp_path):
    """The folder where the supervisor makes its temporary ones."""
    folder = tmp_path / "t"
    folder.mkdir()
    return folder


def test_workers_share_one_address_and_have_one_each():
    """The shared port reaches some worker, each direct port always the same one."""
    with Command(*SERVE) as command:
        nodes = command.nodes(2)
        shared = {urls[0] for urls in nodes.values()}
        assert len(shared) == 1
        assert fetch(shared.pop()).split()[0] in nodes
        for node, urls in nodes.items():
            assert {fetch(urls[1]).split()[0] for _ in range(5)} == {node}


@pytest.mark.skipif(sys.platform != "linux", reason="other kernels do not deal connections out")
def test_shared_address_deals_connections_out_evenly():
    """Of 200 connections one after the other each of three workers gets at least 36, 4.6 sigma below 67."""
    with Command("serve", "tests.cluster.app:app", "--port=0", "--workers=3") as command:
        nodes = command.nodes(3)
        served = Counter(fetch(nodes["node-1"][0]).split()[0] for _ in range(200))
    assert min(served[node] for node in nodes) >= 36


def test_killed_worker_is_replaced_at_its_address():
    """A worker that is killed gets a successor; the other one stays as it is."""
    with Command(*SERVE) as command:
        nodes = command.nodes(2)
        before = pids(nodes)
        os.kill(before["node-1"], signal.SIGKILL)
        command.wait_for("node-1 was killed by SIGKILL")
        command.wait_for(r"node-1 \(.* serves", times=2)
        after = pids(nodes)
        assert after["node-1"] != before["node-1"]
        assert after["node-2"] == before["node-2"]


def test_worker_that_is_told_to_stop_is_replaced():
    """A worker that gets SIGTERM from somebody else than its supervisor drains and is replaced."""
    with Command(*SERVE) as command:
        nodes = command.nodes(2)
        before = pids(nodes)
        os.kill(before["node-1"], signal.SIGTERM)
        command.wait_for("node-1 ended with code 0")
        command.wait_for(r"node-1 \(.* serves", times=2)
        assert pids(nodes)["node-1"] != before["node-1"]


@pytest.mark.parametrize("given", ["files", "environment"])
def test_secrets_are_not_in_the_environment_of_workers(tmp_path, given):
    """A worker knows the secret and the servers, and shows none in its environment or command line."""
    secrets = {
        "SECRET": "open sesame, open sesame",
        "BUS": "nats://ali:swordfish@127.0.0.1:1",
        "RECOVERY_URL": "redis://baba:swordfish@127.0.0.1:1",
    }
    files, env = [], {}
    for name, value in secrets.items():
        env[f"CLUSTER_{name}"] = value
        (tmp_path / name).write_text(f"{value}\n")
        files.append(f"--{name.lower().replace('_', '-')}-file={tmp_path / name}")
    given_by = {"env": env} if given == "environment" else {}
    with Command(*SERVE, *([] if given_by else files), "--prefix=cave", **given_by) as command:
        told = json.loads(fetch(command.nodes(2)["node-2"][1], "/settings"))
    assert [told[name] for name in ("secret", "url", "recovery_url")] == list(secrets.values())
    assert told["prefix"] == "cave"
    assert not [text for text in told["seen"] if "swordfish" in text or "sesame" in text]


def test_backoff_doubles():
    """A worker that dies again and again is started again after 0.5, 1 and 2 seconds."""
    with Command(*SERVE) as command:
        nodes = command.nodes(2)
        for deaths in (1, 2, 3):
            os.kill(pids(nodes)["node-1"], signal.SIGKILL)
            delays = command.wait_for(r"node-1 is started again in (\S+) s", times=deaths)
            command.wait_for(r"node-1 \(.* serves", times=deaths + 1)
        assert [match[1] for match in delays] == ["0.5", "1", "2"]


def test_worker_with_a_blocked_loop_is_replaced():
    """An event loop that is silent for --stuck-after seconds ends its worker, and a new one serves."""
    with Command(*SERVE, "--stuck-after=1") as command:
        nodes = command.nodes(2)
        before = pids(nodes)
        with blocked(nodes["node-2"][1]):
            command.wait_for("node-2 was stuck for 1 s and was killed")
        command.wait_for(r"node-2 \(.* serves", times=2)
        after = pids(nodes)
        assert after["node-2"] != before["node-2"]
        assert after["node-1"] == before["node-1"]


def test_paused_supervisor_does_not_blame_its_workers():
    """After Ctrl-Z and fg the same workers serve, though it heard nothing of them for longer than allowed."""
    with Command(*SERVE, "--stuck-after=1", "--probe-port=0") as command:
        nodes = command.nodes(2)
        probes = command.wait_for(r"probes at (\S+)")[0][1]
        before = pids(nodes)
        command.process.send_signal(signal.SIGSTOP)
        time.sleep(2.5)  # the pause is what is tested
        command.process.send_signal(signal.SIGCONT)
        fetch(probes, "/livez")  # it goes on, and has looked at the time
        assert pids(nodes) == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_stops_cleanly_and_leaves_nothing(number, diary, temporary):
    """Workers run their shutdown, clients are let go, the code is 0, no process or file is left."""
    with Command(*SERVE, env={"TEST_DIARY": str(diary), "TMPDIR": str(temporary)}) as command:
        nodes = command.nodes(2)
        workers = pids(nodes)
        with socketio.SimpleClient() as client:
            client.connect(nodes["node-1"][1], transports=["websocket"])
            assert list(temporary.iterdir())
            command.process.send_signal(number)
            assert command.process.wait(10) == 0
    steps = [line.split()[:2] for line in diary.read_text().splitlines()]
    for node in nodes:
        assert [step for step, who in steps if who == node] == ["import", "start", "stop"]
    assert not [pid for pid in workers.values() if alive(pid)]
    assert not list(temporary.iterdir())


def test_worker_that_does_not_stop_is_killed_after_the_grace():
    """A shutdown that hangs costs --grace seconds and no more; the code is still 0."""
    with Command(*SERVE, "--grace=1", env={"TEST_LIFESPAN": "hang"}) as command:
        workers = pids(command.nodes(2))
        command.process.terminate()
        assert command.process.wait(8) == 0
    assert not [pid for pid in workers.values() if alive(pid)]


def test_second_signal_kills_at_once(diary):
    """Who asks twice does not wait for the grace of a minute."""
    with Command(*SERVE, "--grace=60", env={"TEST_LIFESPAN": "hang", "TEST_DIARY": str(diary)}) as command:
        workers = pids(command.nodes(2))
        command.process.terminate()
        wait_until(lambda: diary.read_text().count("stop") == 2)
        command.process.terminate()
        assert command.process.wait(30) == 0
    assert not [pid for pid in workers.values() if alive(pid)]


def test_third_signal_kills_at_once(diary):
    """Who asks three times does not wait for anything."""
    with Command(*SERVE, "--grace=60", env={"TEST_LIFESPAN": "hang", "TEST_DIARY": str(diary)}) as command:
        workers = pids(command.nodes(2))
        command.process.terminate()
        wait_until(lambda: diary.read_text().count("stop") == 2)
        command.process.terminate()
        command.wait_for("stopping$", times=2)
        command.process.terminate()
        assert command.process.wait(10) == 0
    *_, asked, stopped = (datetime.fromisoformat(line.split()[0]) for line in command.lines[-3:])
    assert (stopped - asked).total_seconds() < 2  # the second signal alone waits for 3
    assert not [pid for pid in workers.values() if alive(pid)]


def test_workers_of_a_killed_supervisor_stop(temporary):
    """Without a supervisor the workers end, even one whose loop is blocked, and take the bus socket along."""
    with Command(*SERVE, "--grace=1", "--stuck-after=60", env={"TMPDIR": str(temporary)}) as command:
        nodes = command.nodes(2)
        workers = pids(nodes)
        with blocked(nodes["node-2"][1]):
            command.process.kill()
            wait_until(lambda: not any(alive(pid) for pid in workers.values()))
    assert not list(temporary.iterdir())


def test_port_can_be_used_again_at_once():
    """A connection that a stop has left in FIN_WAIT or TIME_WAIT keeps the port from nobody."""
    with Command("serve", "tests.cluster.app:app", "--port=0", "--workers=2") as command:
        [url] = {urls[0] for urls in command.nodes(2).values()}
        address = urlsplit(url).hostname, urlsplit(url).port
        client = socket.create_connection(address)
        client.sendall(b"GET /who HTTP/1.1\r\nHost: x\r\n\r\n")
        client.recv(4096)
    with client, Command("serve", "tests.cluster.app:app", f"--port={address[1]}", "--workers=2") as again:
        assert {urls[0] for urls in again.nodes(2).values()} == {url}


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody sees who holds a port")
def test_next_supervisor_waits_for_the_workers_of_a_killed_one():
    """While they still stop it says so, and serves at their port when they are gone."""
    with Command(*SERVE, "--grace=8", "--stuck-after=60") as killed:
        nodes = killed.nodes(2)
        workers = pids(nodes)
        [url] = {urls[0] for urls in nodes.values()}
        port = urlsplit(url).port
        with blocked(nodes["node-2"][1]):
            killed.process.kill()
            with Command("serve", "tests.cluster.app:app", f"--port={port}", "--workers=2") as command:
                [told] = command.wait_for(
                    f"workers of a killed supervisor stop, and hold port {port} on .*: (.*);"
                )
                assert str(workers["node-2"]) in told[1]
                assert {urls[0] for urls in command.nodes(2).values()} == {url}
                assert not alive(workers["node-2"])


@pytest.mark.parametrize(
    ("app", "env", "words"),
    [
        ("tests.cluster.broken:app", {}, "RuntimeError: the database is not configured"),
        ("tests.cluster.app:app", {"TEST_LIFESPAN": "fail"}, "no database"),
    ],
)
def test_application_that_cannot_start_ends_everything(app, env, words):
    """The first start fails: its reason is shown once, the code is 3, and nothing is tried again."""
    done = run("serve", app, "--port=0", "--workers=3", env=env)
    assert done.returncode == 3
    assert done.stderr.count(words) == 1
    assert "started again" not in done.stderr


def test_json_records_name_their_node():
    """With --log-json every line is an object with time, level, node, logger and message."""
    with Command(*SERVE, "--log-json") as command:
        worker = pids(command.nodes(2))["node-1"]
        os.kill(worker, signal.SIGKILL)
        command.wait_for("started again")
    records = [json.loads(line) for line in command.lines]
    assert all(record.keys() >= {"time", "level", "node", "logger", "message"} for record in records)
    assert {"supervisor"} <= {record["node"] for record in records}


def test_text_records_have_time_level_node_and_logger():
    """A line of text is `time LEVEL node logger: message`."""
    with Command(*SERVE) as command:
        command.nodes(2)
    command.wait_for(
        r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z INFO  supervisor "
        r"socketio_cluster\.cluster: node-1 \(\S{8}\) serves"
    )
