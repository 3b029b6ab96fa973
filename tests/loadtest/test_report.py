"""The page of a run."""

from __future__ import annotations

from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from socketio_cluster.loadtest.report import write
from socketio_cluster.loadtest.report.axis import axis_of, stacked
from socketio_cluster.loadtest.report.charts import POINTS, charts, pieces
from socketio_cluster.loadtest.report.numbers import clock, decades, moments, short, ticks
from socketio_cluster.loadtest.report.page import page
from socketio_cluster.loadtest.report.svg import draw
from socketio_cluster.loadtest.result import summarize
from socketio_cluster.loadtest.timeline import Timeline
from socketio_cluster.loadtest.verdict import Verdict
from tests.cluster.browser import chromium

SVG = "{http://www.w3.org/2000/svg}"
NODES = ("node-1", "node-2")


def result(seconds=20, *, lost=0, slow=None, metrics=True):
    """The result of a made-up run: two nodes, 100 deliveries a second; ``slow`` is a second with 400 ms."""
    timeline = Timeline()
    for number in range(seconds):
        second = timeline.at(1_000_000 + number)
        second.counts.update(deliveries=100, connects=10 if number < 5 else 0)
        for at in range(100):
            took = 0.4 if number == slow else 0.001 + at / 20_000
            second.latencies[("same_node", "cross_node")[at % 2]].add(took)
        second.users = second.connections["node-1"] = 40
        second.connections["node-2"] = 60
        second.generator_cpu = 0.25
        if metrics:
            second.server = {name: {"cpu": 0.5, "rss": 64 * 2**20} for name in NODES}
    if lost:
        timeline.error("call say: <script>no ack</script>", 1_000_001.0)
    verdict = Verdict(expected=2000, delivered=2000 - lost, lost=lost)
    options = {"host": "http://10.0.0.5:8000", "rooms": 7, "auth": {"token": "hush"}}
    return summarize("room", options, {"max-loss": 0, "p99-ms": 250}, verdict, timeline, [])


class Reader(HTMLParser):
    """Notes the text of a page, its tags, and everything it would fetch."""

    def __init__(self):
        super().__init__()
        self.words, self.tags, self.fetched = [], [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.fetched += [value for name, value in attributes if name in ("src", "href", "data", "action")]

    def handle_data(self, data):
        self.words.append(data.strip())


def read(run):
    reader = Reader()
    reader.text = page(run, charts(run))
    reader.feed(reader.text)
    return reader


def test_the_page_needs_nothing_else():
    """The page loads no file, runs no script and imports no style."""
    reader = read(result())
    assert reader.fetched == []
    assert not {"script", "link", "iframe", "img"} & set(reader.tags)
    style = reader.text.partition("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style


def test_the_page_says_what_the_run_was():
    """Verdict, thresholds, options and charts of a good run stand in the page, the token does not."""
    reader = read(result())
    for words in ("room", "passed", "2,000", "max-loss", "holds", "7", "node-2", "Server memory, MiB"):
        assert words in reader.words
    assert reader.tags.count("svg") == 6
    assert "hush" not in reader.text


def test_a_failed_run_says_so():
    """A broken threshold, the loss and the error's text are shown, the text as text."""
    reader = read(result(lost=3))
    assert "failed" in reader.words
    assert "broken" in reader.words
    assert "1,997" in reader.words
    assert "call say: <script>no ack</script>" in reader.words
    assert "script" not in reader.tags


def test_without_metrics_the_page_says_how_to_get_them():
    """Where the servers were not asked there is no empty chart but the name of the option."""
    reader = read(result(metrics=False))
    assert "Server memory, MiB" not in reader.words
    assert "--metrics" in reader.words


@pytest.mark.parametrize("seconds", [0, 1, 20])
def test_short_runs_have_a_report(tmp_path, seconds):
    """A run of any length, none included, gives a page."""
    path = write(result(seconds), tmp_path / "new" / "folder")
    assert path.name == "report.html"
    assert "</html>" in path.read_text()


def test_each_chart_is_drawn_inside_its_frame():
    """The SVG is well-formed, every point lies inside it, and each second says its values."""
    for chart in charts(result(slow=7)):
        picture = ElementTree.fromstring(
            draw(chart).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ')
        )
        paths = [path.get("d") for path in picture.iter(f"{SVG}path")]
        assert paths
        for pair in "L".join(paths).replace("M", "").replace("Z", "").split("L"):
            x, y = map(float, pair.split())
            assert 0 <= x <= 400
            assert 0 <= y <= 210
        titles = [title.text for title in picture.iter(f"{SVG}title")]
        assert len(titles) == 20
        assert titles[3].startswith("3 s\n")


def test_a_long_run_is_drawn_with_its_worst_seconds():
    """Many seconds share a point: of latencies the highest counts, of rates the mean."""
    latency, deliveries, *_ = charts(result(3 * POINTS, slow=301))
    assert latency.points == POINTS
    assert latency.series[0].values[100] == pytest.approx(400, rel=0.02)
    assert set(deliveries.series[0].values) == {100}


def test_a_second_without_a_sample_is_a_gap():
    """What was not noted is left out of the lines, and no node seems to have lost its connections."""
    run = result()
    run["timeline"][5].update(connections_by_node={}, generator_cpu=0.0)
    del run["timeline"][6]["connections_by_node"]["node-1"]
    connections = next(chart for chart in charts(run) if chart.stacked)
    first, second = stacked(connections.series)
    assert first.values[4:8] == [40, None, 0, 40]
    assert second.values[4:8] == [100, None, 60, 100]


def test_a_line_is_broken_where_more_than_one_point_is_missing():
    """A sample that slipped by a second does not break a line, two missing ones do."""
    assert pieces([None, 1, None, 3, None, None, 6]) == [[(1, 1), (3, 3)], [(6, 6)]]
    assert pieces([None, None]) == []


def test_latencies_that_differ_much_stand_on_powers_of_ten():
    """A slow second among quick ones makes the axis logarithmic; other charts start at 0."""
    assert not axis_of(charts(result())[0]).logarithmic
    axis = axis_of(charts(result(slow=3))[0])
    assert axis.logarithmic
    assert axis.marks == [1, 10, 100, 1000]
    assert axis.place(1) == 0
    assert axis.place(1000) == 1
    assert axis.place(10) == pytest.approx(1 / 3)


def test_numbers_are_short_and_round():
    """Numbers keep three digits, axes and times have round steps."""
    assert [short(value) for value in (0, 0.0123, 3.14159, 120.4, 2500, 48_312, 2_491_200)] == [
        "0", "0.0123", "3.14", "120", "2500", "48.3k", "2.49M",
    ]  # fmt: skip
    assert [clock(seconds) for seconds in (0, 59, 200, 3600)] == ["0 s", "59 s", "3:20", "1:00:00"]
    assert ticks(47) == [0, 20, 40, 60]
    assert ticks(0) == [0, 1]
    assert ticks(0.3) == [0, 0.1, 0.2, 0.3]
    assert decades(0.8, 30) == [0.1, 1, 10, 100]
    assert decades(10, 10) == [10, 100]
    assert moments(59) == [0, 15, 30, 45]


def test_the_page_fits_a_phone_and_both_themes(tmp_path):
    """In a narrow window nothing overflows, in the dark the page is dark, the browser has no complaint."""
    html = tmp_path / "report.html"
    html.write_text(read(result(lost=3, slow=7)).text, encoding="utf-8")
    with chromium(tmp_path / "profile") as browser:
        for width, dark in ((360, False), (1280, True)):
            size = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 600}
            browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
            theme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
            browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": theme})
            browser.get(html.as_uri())
            assert browser.execute_script("return document.documentElement.scrollWidth") <= width
            assert browser.execute_script("return getComputedStyle(document.body).backgroundColor") == (
                "rgb(16, 19, 24)" if dark else "rgb(246, 247, 249)"
            )
        assert browser.get_log("browser") == []


def test_the_figures_beside_the_lines_are_the_whole_run():
    """The legend of the latency chart has the percentiles of all deliveries."""
    run = result()
    figures = [series.figure for series in charts(run)[0].series]
    assert figures == [f"{short(run['latency_ms']['all'][share])} ms" for share in ("p50", "p90", "p99")]
