"""``--swarm``: the same scenarios, judged as with ordinary users."""

from __future__ import annotations

import sys

import pytest

from socketio_cluster.loadtest.compare.contenders import CONTENDERS
from socketio_cluster.loadtest.compare.nodes import Nodes
from tests.loadtest.command import LoadTest, scenario
from tests.loadtest.test_broken import faults

pytestmark = [
    pytest.mark.alone,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a swarm needs Linux"),
]


@pytest.fixture(scope="module")
def nodes(redis_server, tmp_path_factory):
    """Two nodes of this cluster."""
    with Nodes(CONTENDERS["ours"], 2, redis_server.url, tmp_path_factory.mktemp("nodes")) as running:
        yield running


@pytest.fixture(scope="module")
def runs(nodes, tmp_path_factory):
    """The results of two crowds of 60 on both nodes at the same time: one talks, one comes and goes."""
    folder = tmp_path_factory.mktemp("runs")
    hosts = [word for url in nodes.urls for word in ("--host", url)]
    load = ["-u", "60", "-r", "60", "-t", "3s", "--rate", "5", "--settle", "0.5"]
    started = {
        name: LoadTest(folder / name, name, "--swarm", *hosts, *load, "--namespace", f"/{name}", *given)
        for name, given in (("room", ["--rooms", "6"]), ("churn", []))
    }
    return {name: run.result() for name, run in started.items()}


def test_a_crowd_is_judged_like_other_users(runs):
    """In one loop for all, every message is counted, some are timed within a node and between two."""
    result = runs["room"]
    verdict = result["verdict"]
    assert verdict["expected"] == verdict["delivered"] > 1000
    assert result["counts"]["deliveries"] >= verdict["delivered"]
    assert result["counts"]["connects"] == 60
    for kind in ("same_node", "cross_node"):
        assert 0 < result["latency_ms"][kind]["count"] < result["counts"]["deliveries"] / 4
    assert max(len(second["connections_by_node"]) for second in result["timeline"]) == 2


def test_a_crowd_may_come_and_go(runs):
    """Joins, leaves and reconnects in the swarm lose nothing that was due."""
    result = runs["churn"]
    assert result["verdict"]["expected"] > 100
    assert result["verdict"]["lost"] == result["verdict"]["leaked"] == 0
    assert result["counts"]["reconnects"] > 0


def test_a_swarm_elsewhere(tmp_path):
    """Where there is no epoll, --swarm ends with code 2 and one line that says what to do."""
    given = ("room", "--swarm", "--host", "http://127.0.0.1:1")
    run = LoadTest(tmp_path, *given, module="tests.loadtest.without_epoll")
    assert run.end() == 2
    words = f"a swarm needs Linux, this is {sys.platform}: run the scenario without --swarm"
    assert run.output == f"loadtest: {words}"


async def test_a_crowd_counts_exactly_what_was_dropped_and_repeated(broken, tmp_path):
    """The verdict of a swarm agrees with a broken server's own count of what it did wrong."""
    given = ("--swarm", "--rooms", "1", "--rate", "10", "--quiet", "4")
    started = {
        fault: scenario(tmp_path / fault, "skip", broken, *given, "--namespace", f"/{fault}")
        for fault in ("drop", "duplicate")
    }
    found = {fault: run.result(code=1)["verdict"] for fault, run in started.items()}
    dropped, _ = await faults(broken, "/drop")
    repeated, _ = await faults(broken, "/duplicate")
    assert dropped > 5
    assert repeated > 5
    assert (found["drop"]["lost"], found["drop"]["duplicated"]) == (dropped, 0)
    assert (found["duplicate"]["lost"], found["duplicate"]["duplicated"]) == (0, repeated)
