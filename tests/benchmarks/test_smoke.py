"""The benchmark runs; its figures are not judged here."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[2]
ROWS = ["fanout", "pairs", "echo", "idle"]
NAMES = ["ours", "recovery", "stock"]

pytestmark = [
    pytest.mark.alone,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the load generator needs Linux"),
    pytest.mark.skipif(shutil.which("cc") is None, reason="the load generator needs a C compiler"),
]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """The folder that a very small run has written into."""
    folder = tmp_path_factory.mktemp("benchmarks")
    size = ["--quick", "--clients", "40", "--seconds", "0.1", "--output", str(folder)]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *size, "--against", *NAMES, "--only", *ROWS],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_everything_is_measured_and_nothing_is_lost(results):
    """Each contender has figures in each row, and every message reached every client it was for."""
    outcomes = json.loads((results / "benchmarks.json").read_text())["outcomes"]
    assert {(each["row"], each["contender"]) for each in outcomes} == {
        (row, name) for row in ROWS for name in NAMES
    }
    for outcome in outcomes:
        assert outcome["trouble"] == ""
        (figures,) = outcome["figures"]
        assert figures["deliveries"] == figures["expected"]
        assert figures["gone"] == 0
        assert figures["cpu_s"] > 0 or outcome["row"] == "idle"


def test_rows_of_other_kinds(tmp_path):
    """Nothing is lost of clients that poll, in very many rooms, and as those of a killed node come back."""
    size = ["--quick", "--clients", "20", "--seconds", "0.2", "--output", str(tmp_path)]
    rows = ["polling", "membership", "avalanche5"]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *size, "--against", "ours", "--only", *rows],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    outcomes = json.loads((tmp_path / "benchmarks.json").read_text())["outcomes"]
    polling, membership, avalanche = [figures for each in outcomes for figures in each["figures"]]
    for figures in (polling, membership, avalanche):
        assert 0 < figures["deliveries"] == figures["expected"]
    assert membership["joined"] == 20 * 200
    assert avalanche["clients"] == 100
    assert 0 < avalanche["storm_s"] < 60


def test_the_table_has_a_line_for_each_row(results):
    """The page names each row, the machine and the versions."""
    page = (results / "benchmarks.md").read_text()
    for words in (
        "**Fan-out flat out**",
        "**Pairs across two nodes, 32 loops**",
        "**Echo:",
        "**Idle",
        "cores",
        "python-socketio 5.",
    ):
        assert words in page


def test_the_picture_has_a_bar_for_each_figure(results):
    """The SVG is well-formed and draws three bars for each of the four rows."""
    picture = ElementTree.parse(results / "benchmarks.svg")
    assert len(picture.findall(".//{http://www.w3.org/2000/svg}rect")) == len(NAMES) * len(ROWS)
