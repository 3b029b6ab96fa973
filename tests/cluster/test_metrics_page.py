"""The metrics page: what it lists, how the texts of several workers become one, what docs/metrics.md says."""

from __future__ import annotations

import re
import urllib.request
from collections import Counter

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from socketio_cluster.cluster.metrics import CONTENT_TYPE, merge
from socketio_cluster.cluster.metrics.families import FAMILIES
from tests.cluster.command import ROOT, Command
from tests.cluster.measured import knock, measured
from tests.harness import eventually

NODE_1 = (("node", "node-1"),)
ONE = b"""# HELP a_total What a is.
# TYPE a_total counter
a_total{node="1"} 1.0
# HELP b Has no value here.
# TYPE b gauge
"""
TWO = b"""# HELP b Has no value here.
# TYPE b gauge
b{node="2"} 5.0
# HELP a_total What a is.
# TYPE a_total counter
a_total{node="2",why="x # HELP y"} 2.0
"""


def test_merge():
    """Families of several texts are put together: HELP and TYPE once, and every sample."""
    assert merge([ONE, TWO]).decode().splitlines() == [
        "# HELP a_total What a is.",
        "# TYPE a_total counter",
        'a_total{node="1"} 1.0',
        'a_total{node="2",why="x # HELP y"} 2.0',
        "# HELP b Has no value here.",
        "# TYPE b gauge",
        'b{node="2"} 5.0',
    ]


def test_merge_of_little():
    """One text stays as it is, and no text gives an empty page."""
    assert (merge([ONE]), merge([])) == (ONE, b"")


async def test_page_has_every_family():
    """A node lists every family from its start, with its kind and its labels."""
    async with measured() as node:
        page = node.metrics.exposition().decode()
    assert re.findall(r"^# TYPE (\S+) (\S+)$", page, re.MULTILINE) == [(f.name, f.kind) for f in FAMILIES]
    labels = {family.name: {"node", *family.labels} for family in FAMILIES}
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            name = re.sub("_(bucket|sum|count)$", "", sample.name)
            assert set(sample.labels) - {"le"} == labels[name], sample


def test_document_has_every_family():
    """docs/metrics.md names every metric with its kind and labels, and no other."""
    text = (ROOT / "docs" / "metrics.md").read_text()
    rows = re.findall(r"^\| `(\w+)`(?: by (`[\w`, ]+))? \| (\w+) \|", text, re.MULTILINE)
    told = {name: (kind, re.findall(r"\w+", labels)) for name, labels, kind in rows}
    assert told == {family.name: (family.kind, list(family.labels)) for family in FAMILIES}
    assert len(rows) == len(FAMILIES)


def get(url):
    """The content type and the text of a page of the supervisor."""
    with urllib.request.urlopen(url, timeout=5) as answer:
        return answer.headers["Content-Type"], answer.read().decode()


def scrape(probes):
    """The page of a running node, by sample name and labels."""
    kind, page = get(f"{probes}/metrics")
    assert kind == CONTENT_TYPE
    heads = Counter(re.findall(r"^# (\w+ \S+)", page, re.MULTILINE))
    assert set(heads.values()) == {1}
    assert len(heads) == 2 * len(FAMILIES)
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


@pytest.fixture
def limited():
    """Two workers with all limits, each with an address of its own."""
    where = ("--probe-port=0", "--port=0", "--direct-port=0", "--workers=2")
    connections = ("--max-connections=2", "--soft-connections=1", "--connects-per-second=50")
    clients = ("--max-payload=5000", "--events-per-second=5", "--rooms-per-client=3")
    with Command("serve", "tests.cluster.limited_app:app", *where, *connections, *clients) as command:
        nodes = command.nodes(2)
        probes = command.wait_for(r"probes at (\S+)")[0][1]
        yield probes, nodes["node-1"][1], nodes["node-2"][1]


async def test_serve(limited):
    """`socketio-cluster serve` gives its workers the limits it is told, and one page for all of them."""
    probes, one, two = limited
    samples = scrape(probes)
    assert {dict(labels)["node"] for _, labels in samples} == {"node-1", "node-2"}
    async with aiohttp.ClientSession() as http:
        async with http.get(f"{one}/socket.io/?EIO=4&transport=polling") as answer:
            opened = await answer.text()
        assert '"maxPayload":5000' in opened
        # The other node passes the poll on to the session's.
        sid = opened.partition('"sid":"')[2].partition('"')[0]
        session = f"/socket.io/?EIO=4&transport=polling&sid={sid}"
        async with http.post(two + session, data="40") as answer:
            assert answer.status == 200
        _, _, ws = await knock(one, "websocket", http)
        await eventually(lambda: scrape(probes)["socketio_clients", NODE_1] == 1)
        samples = scrape(probes)
        forwarded = "socketio_forwarded_requests_total"
        assert samples[forwarded, (("direction", "out"), ("node", "node-2"))] == 1
        assert samples[forwarded, (("direction", "in"), ("node", "node-1"))] == 1
        status, headers, _ = await knock(one, "websocket", http)
        assert (status, headers["Retry-After"]) == (503, "10")
        refused = "socketio_connections_refused_total", (("node", "node-1"), ("reason", "full"))
        assert scrape(probes)[refused] == 1
        for number in range(12):
            await ws.send_str(f'42{number}["join",{number}]' if number else "40")
        answers = [await ws.receive_str() for _ in range(13)]
        assert "431[]" in answers  # the rooms 1 to 3
        assert sum("is in 3 rooms, the limit" in answer for answer in answers) == 8
        page = scrape(probes)
        assert page["socketio_rooms_refused_total", NODE_1] == 8
        assert page["socketio_rate_limited_total", NODE_1] >= 1
        assert page["socketio_handler_seconds_count", (("event", "join"), *NODE_1)] == 11
        assert "--soft-connections is 1" in get(f"{probes}/readyz")[1]
        await ws.close()
