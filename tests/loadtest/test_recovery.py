"""Scenarios whose users ask for recovery: what is still lost is counted."""

from __future__ import annotations

import pytest

from socketio_cluster.loadtest.recovery import Recovery
from tests.balancers.proxies import PROXIES
from tests.cluster.command import Command, wait_until
from tests.forward.nodes import wait_until_known
from tests.loadtest.command import USERS, scenario
from tests.loadtest.conftest import Cluster
from tests.services.redis import RedisServer

APP = "socketio_cluster.loadtest.targets.ours:app"


@pytest.fixture(scope="module")
def recovering(tmp_path_factory):
    """Three workers with recovery on a Redis that remembers, behind HAProxy."""
    folder = tmp_path_factory.mktemp("recovering")
    options = ["--port=0", "--direct-port=0", "--workers=3", "--recovery-seconds=60"]
    with (
        RedisServer(folder / "redis", "--appendonly", "yes") as bus,
        Command("serve", APP, *options, f"--bus={bus.url}") as command,
    ):
        urls = [pair[1] for _, pair in sorted(command.nodes(3).items())]
        wait_until_known(command, 3)
        with PROXIES[-1].running(urls, folder) as url:
            yield Cluster(url, bus, command)


def everything_came(result):
    """Whether all of a run's clients were recovered, and its ledger has no hole."""
    verdict, counts = result["verdict"], result["counts"]
    assert verdict["delivered"] == verdict["expected"] > 100
    assert verdict["missed_away"] == verdict["duplicated"] == verdict["reordered"] == 0
    return counts["recovered"] == counts["reconnects"] > 0


@pytest.mark.parametrize("transport", ["websocket", "polling"])
def test_jitter(recovering, tmp_path, transport):
    """What was said while a user was away is due, and comes."""
    given = ["--transport", transport, "--cut-every", "1.5", "--away", "0.7", "--rooms", "2"]
    result = scenario(tmp_path, "jitter", recovering.url, *given, seconds=5).result()
    assert everything_came(result)
    assert result["counts"]["recovered"] >= 2 * USERS


def test_jitter_without_recovery(cluster, tmp_path):
    """Where the server knows no recovery, what was said meanwhile is missed, and a limit can be set on it."""
    given = ["--cut-every", "1.5", "--away", "0.5", "--rooms", "2", "--max-missed-away", "0"]
    result = scenario(tmp_path, "jitter", cluster.url, *given).result(code=1)
    assert result["counts"]["reconnects"] > result["counts"]["recovered"] == 0
    assert result["verdict"]["missed_away"] > 0
    assert result["verdict"]["lost"] == 0
    assert [row["name"] for row in result["thresholds"] if not row["ok"]] == ["max-missed-away"]


def test_reconnect(recovering, tmp_path):
    """Users of one node that lose their connections at once miss nothing."""
    assert everything_came(scenario(tmp_path, "reconnect", recovering.url, "--cut-every", "1").result())


def test_rolling(recovering, tmp_path):
    """Users of a node that stops, and of one that is killed, miss nothing."""
    first, second, _ = recovering.pids
    disturb = f"kill -INT {first}; sleep 2; kill -KILL {second}"
    given = ["--disturb", disturb, "--disturb-after", "1", "--quiet", "30"]
    assert everything_came(scenario(tmp_path, "rolling", recovering.url, *given, seconds=6).result())
    wait_until(lambda: len(recovering.pids) == 3 and not {first, second} & set(recovering.pids))


def test_blip(recovering, tmp_path):
    """While the bus is away nobody is disconnected, and what was said meanwhile comes behind it, in order."""
    run = scenario(tmp_path, "blip", recovering.url, "--rooms", "2", "--quiet", "30", seconds=4)
    run.wait_for(" users · ")
    recovering.bus.stop()
    run.wait_for(" users · ", times=2)
    recovering.bus.start()
    result = run.result()
    assert not everything_came(result)  # nobody had to be recovered
    assert result["counts"]["disconnects"] == 0


def test_what_a_client_keeps():
    """It claims its session with the last offset, is told whether it has it, and sees no offsets."""
    recovery = Recovery()
    assert recovery.auth({"token": 1}) == {"token": 1}
    assert recovery.strip(["text"]) == ["text"]
    recovery.connected({"sid": "s", "pid": "p"})
    assert (recovery.recovered, recovery.auth(None)) == (False, {"pid": "p"})
    assert recovery.strip([1, "first"]) == [1]
    assert recovery.strip([{}]) == [{}]
    assert recovery.auth({"token": 1}) == {"pid": "p", "offset": "first", "token": 1}
    recovery.connected({"sid": "s", "pid": "p"})
    assert recovery.recovered
    recovery.connected({"sid": "t", "pid": "q"})
    assert not recovery.recovered
