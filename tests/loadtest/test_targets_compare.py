"""The comparison of servers under the same load."""

from __future__ import annotations

import subprocess
import sys

import pytest

from socketio_cluster.loadtest.compare import main
from socketio_cluster.loadtest.compare.table import Row, table
from tests.loadtest.command import ROOT

pytestmark = pytest.mark.alone


def compare(*arguments):
    command = [sys.executable, "-m", "socketio_cluster.loadtest", "compare", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)


def test_two_servers_stand_in_one_table(tmp_path):
    """The same scenario runs on each server, and the table that is printed is also written."""
    file = tmp_path / "table.md"
    load = ["-u", "10", "-r", "50", "-t", "2s", "--rate", "5", "--settle", "0.2"]
    done = compare("room", *load, "--against", "ours", "node", "--output", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    head, _, titles, _, ours, node = file.read_text().splitlines()
    assert head.startswith("`room -u 10 -r 50 -t 2s --rate 5 --settle 0.2`, 2 nodes each; ")
    assert file.read_text() in done.stdout
    names = [cell.strip() for cell in titles.strip("|").split("|")]
    for line, title in ((ours, "this cluster"), (node, "Node.js")):
        cells = dict(zip(names, (cell.strip() for cell in line.strip("|").split("|")), strict=True))
        assert cells["server"] == title
        assert cells["lost"] == cells["duplicated"] == "0"
        assert float(cells["deliveries/s"].replace(",", "")) > 0
        assert float(cells["delivery p99 ms"]) > 0
        assert float(cells["server MiB"]) > 10


def test_a_server_that_cannot_be_measured_does_not_stop_the_others():
    """On a bus that a server does not know it is named, and the exit code is 1."""
    done = compare("echo", "--against", "node", "--bus", "amqp://127.0.0.1:1//")
    assert done.returncode == 1
    assert (
        "Node.js was not measured: it has no bus for amqp://127.0.0.1:1//, only redis, rediss" in done.stdout
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "name a scenario first"),
        (["-u", "10"], "name a scenario first"),
        (["room", "--nodes", "none"], "'none' is not a number of nodes: give 1 or more"),
        (["room", "--against", "apache"], "invalid choice: 'apache'"),
    ],
)
def test_mistakes_end_with_code_2(capsys, arguments, words):
    """What cannot be compared is said in one sentence."""
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    assert words in capsys.readouterr().err


def test_a_column_without_figures_is_left_out():
    """Where nothing was delivered there is no latency of deliveries."""
    nothing = {"p50": None, "p99": None}
    run = {
        "timeline": [{"deliveries": 0, "generator_cpu": 0.5}],
        "latency_ms": {"all": nothing},
        "calls_ms": {"p50": 1.25, "p99": 1234.5},
        "connecting_ms": nothing,
        "verdict": {"lost": 0, "duplicated": 0, "reordered": 0},
    }
    lines = table("echo", 1, [Row("one", run, 1.25, 2**20), Row("two", trouble="no node")]).splitlines()
    assert lines[0].startswith("`echo`, 1 node each; ")
    assert lines[2:5] == [
        "| server | ack p50 ms | ack p99 ms | lost | duplicated | reordered "
        "| server CPU s | server MiB | generator CPU |",
        "| --- | --: | --: | --: | --: | --: | --: | --: | --: |",
        "| one | 1.2 | 1,234.5 | 0 | 0 | 0 | 1.2 | 1 | 50% |",
    ]
    assert lines[-1] == "two was not measured: no node"
