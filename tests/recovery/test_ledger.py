"""The ledger: a hundred clients that are cut off again and again get each event once, in order."""

from __future__ import annotations

import pytest

from tests.cluster.command import Command
from tests.loadtest.command import LoadTest

APP = "socketio_cluster.loadtest.targets.ours:app"
USERS = 100
CUTS = 3
RIGHT = {"lost": 0, "duplicated": 0, "reordered": 0, "leaked": 0, "missed_away": 0, "foreign": 0}


@pytest.fixture
def urls(serving):
    """The ports of three workers with recovery."""
    with Command("serve", APP, *serving) as command:
        yield [pair[1] for _, pair in sorted(command.nodes(3).items())]


def test_cuts_of_two_seconds(urls, tmp_path):
    """Each is cut off for two seconds three times, while 20 events a second are for it: all of them come."""
    hosts = [word for url in urls for word in ("--host", url)]
    load = ["-u", str(USERS), "-r", "50", "--rooms", str(USERS // 20), "--rate", "1", "--swarm"]
    cuts = ["--cut-every", "3", "--away", "2", "--quiet", "30", "--max-missed-away", "0", "-t", "14s"]
    result = LoadTest(tmp_path, "jitter", *hosts, *load, *cuts).result()
    verdict, counts = result["verdict"], result["counts"]
    assert {name: verdict[name] for name in RIGHT} == RIGHT
    assert counts["recovered"] == counts["reconnects"] >= USERS * CUTS
    # A busy machine emits half of what is asked.
    assert verdict["delivered"] == verdict["expected"] > USERS * 50
