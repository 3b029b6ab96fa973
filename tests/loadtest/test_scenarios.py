"""Every scenario against three nodes on Redis behind a balancer: nothing is lost."""

from __future__ import annotations

import shlex
import sys

import pytest

from tests.cluster.command import wait_until
from tests.loadtest.command import ROOT, USERS, LoadTest, scenario
from tests.services.process import free_port

TALKING = ("room", "broadcast", "skip", "direct", "churn", "slow", "mix")
SILENT = ("connect", "idle", "echo")


@pytest.fixture(scope="module")
def peaceful(cluster, tmp_path_factory):
    """The scenarios that do not hurt each other, run at the same time in namespaces of their own."""
    folder = tmp_path_factory.mktemp("peaceful")
    names = (*TALKING, *SILENT)
    given = ("--rooms", "2", "--namespace")
    runs = {name: scenario(folder / name, name, cluster.url, *given, f"/{name}") for name in names}
    return {name: run.result() for name, run in runs.items()}


@pytest.mark.parametrize("name", TALKING)
def test_messages_arrive(peaceful, name):
    """Deliveries are due, all of them come, once and in order, and to nobody else."""
    result = peaceful[name]
    assert result["verdict"]["expected"] > 50
    assert result["verdict"]["delivered"] == result["verdict"]["expected"]
    assert all(not result["verdict"][wrong] for wrong in ("lost", "duplicated", "reordered", "leaked"))
    assert result["counts"]["errors"] == 0
    assert result["counts"]["deliveries"] >= result["verdict"]["delivered"]


@pytest.mark.parametrize("name", TALKING)
def test_nodes_are_told_apart(peaceful, name):
    """Latencies within a node and between nodes have figures of their own, and none is zero."""
    latency = peaceful[name]["latency_ms"]
    assert latency["cross_node"]["count"] > 0
    assert latency["all"]["count"] == latency["same_node"]["count"] + latency["cross_node"]["count"]
    assert (
        0 < latency["all"]["p50"] <= latency["all"]["p90"] <= latency["all"]["p99"] <= latency["all"]["max"]
    )


def test_connections_spread_over_the_nodes(peaceful):
    """The timeline shows every user's connection, on three nodes."""
    fullest = max(
        peaceful["idle"]["timeline"], key=lambda record: sum(record["connections_by_node"].values())
    )
    assert len(fullest["connections_by_node"]) == 3
    assert sum(fullest["connections_by_node"].values()) == fullest["users"] == USERS


def test_connect_and_echo_are_timed(peaceful):
    """New connections all the time and acks are both timed, and none of them fails."""
    connect, echo = peaceful["connect"], peaceful["echo"]
    assert connect["counts"]["reconnects"] > USERS * 5
    assert connect["connecting_ms"]["p50"] > 0
    assert echo["calls_ms"]["count"] > USERS * 10
    assert connect["counts"]["errors"] == echo["counts"]["errors"] == 0


def test_churn_moves_users(peaceful):
    """In churn users connect anew without an error, and what fell between is undecided."""
    assert peaceful["churn"]["counts"]["reconnects"] > 0
    assert peaceful["churn"]["verdict"]["undecided"] > 0
    assert peaceful["churn"]["verdict"]["missed_away"] == 0


def test_workers_judge_together(cluster, tmp_path):
    """With two worker processes senders and receivers meet across them, and the numbers are of all users."""
    port = str(free_port())
    ports = ["--master-bind-port", port, "--master-port", port, "--master-bind-host", "127.0.0.1"]
    result = scenario(tmp_path, "room", cluster.url, "--processes", "2", "--rooms", "2", *ports).result()
    verdict = result["verdict"]
    # Two rooms of six: if a worker only knew its own streams, half of these would be foreign.
    assert verdict["expected"] > USERS * 6 * 5
    assert verdict["delivered"] == verdict["expected"]
    assert verdict["foreign"] == verdict["leaked"] == 0
    assert max(record["users"] for record in result["timeline"]) == USERS


def test_locustfile(cluster, tmp_path):
    """`locust -f loadtest/locustfile.py Room` gives the same verdict, with options from the environment."""
    file = str(ROOT / "loadtest" / "locustfile.py")
    given = ["-f", file, "Room", "--headless", "-u", "6", "-r", "20", "-t", "2s", "--host", cluster.url]
    run = LoadTest(tmp_path, *given, module="locust", env={"LOADTEST_RATE": "5", "LOADTEST_ROOMS": "1"})
    verdict = run.result()["verdict"]
    assert verdict["expected"] == verdict["delivered"] > 6 * 6 * 5


def test_reconnect(cluster, tmp_path):
    """Clients that lose their connection all at once come back, and nothing counts as lost."""
    result = scenario(tmp_path, "reconnect", cluster.url, "--cut-every", "1").result()
    assert result["counts"]["reconnects"] > 0
    assert result["verdict"]["missed_away"] > 0
    assert result["verdict"]["expected"] == result["verdict"]["delivered"] > 100


def test_blip(cluster, tmp_path):
    """While the bus is away messages between nodes wait, and then all of them arrive."""
    run = scenario(tmp_path, "blip", cluster.url, "--rooms", "2", seconds=4)
    run.wait_for(" users · ")
    cluster.bus.stop()
    run.wait_for(" users · ", times=2)
    cluster.bus.start()
    result = run.result()
    assert result["latency_ms"]["cross_node"]["max"] > 1000
    assert result["latency_ms"]["same_node"]["max"] < 1000
    assert result["verdict"]["expected"] == result["verdict"]["delivered"] > 100


def test_rolling(cluster, tmp_path):
    """While one node stops and another dies, and both start again, clients come back and no error is left."""
    first, second, _ = cluster.pids
    disturb = f"kill -INT {first}; sleep 2; kill -KILL {second}"
    result = scenario(
        tmp_path, "rolling", cluster.url, "--disturb", disturb, "--disturb-after", "1", seconds=5
    ).result()
    assert result["counts"]["disconnects"] >= 2
    assert result["counts"]["reconnects"] >= 2
    assert result["verdict"]["expected"] == result["verdict"]["delivered"] > 100
    wait_until(lambda: not {first, second} & set(cluster.pids))


def test_disturbance_that_fails(cluster, tmp_path):
    """A command that fails is an error of the run, which says so."""
    command = f"{shlex.quote(sys.executable)} -c 'exit(3)'"
    run = scenario(tmp_path, "idle", cluster.url, "--disturb", command, "--disturb-after", "0.5", seconds=2)
    assert "disturb: the command ended with code 3" in run.result(code=1)["errors"]
