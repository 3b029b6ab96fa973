"""Latencies, clocks, shapes, thresholds and the timeline."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socketio_cluster.loadtest.clock import SAMPLES, Clock, to_next_second
from socketio_cluster.loadtest.latency import Latency
from socketio_cluster.loadtest.result import summarize
from socketio_cluster.loadtest.shapes import SHAPES, users_at
from socketio_cluster.loadtest.thresholds import check
from socketio_cluster.loadtest.timeline import Timeline
from socketio_cluster.loadtest.verdict import Verdict


@given(st.lists(st.floats(1e-4, 100), min_size=1, max_size=200), st.sampled_from([0.5, 0.9, 0.99, 1.0]))
def test_percentiles(samples, share):
    """A percentile differs by one percent at most from that of the sorted samples."""
    latency = Latency()
    for sample in samples:
        latency.add(sample)
    exact = sorted(samples)[max(0, -int(-len(samples) * share // 1) - 1)]
    assert latency.percentile(share) == pytest.approx(exact, rel=0.011)
    assert latency.longest == max(samples)


@given(st.floats(0, 2e9), st.lists(st.floats(-0.4, 0.4), min_size=1))
def test_no_second_is_left_out(now, late):
    """Who pauses from second to second is once in each, though a pause takes a little more or less."""
    seconds = [int(now)]
    for more in late:
        now += to_next_second(now) + more
        seconds.append(int(now))
    assert seconds == list(range(seconds[0], seconds[0] + len(late) + 1))


def test_no_samples():
    """Without samples there is no percentile and no zero that looks like one."""
    assert Latency().summary() == {"p50": None, "p90": None, "p99": None, "max": None, "count": 0}


def test_negative_latency_is_not_zero():
    """What clocks make negative counts as the shortest latency."""
    latency = Latency()
    latency.add(-0.5)
    assert latency.percentile(0.5) > 0


def test_clock_takes_the_quickest_answer_of_the_first_node():
    """The offset is that of the node whose name sorts first, from its quickest answer."""
    clock = Clock()
    assert clock.offset == 0
    clock.add("b", 100, 500.0, 100.1)
    clock.add("a", 100, 107.5, 101)
    clock.add("a", 200, 207.0, 200.2)
    assert clock.offset == pytest.approx(6.9)
    assert clock.error == pytest.approx(0.1)
    assert clock.spread == pytest.approx(399.95 - 0.05 - 7.0)


def test_clock_asks_each_node_a_few_times():
    """A node that has answered often enough is not asked again."""
    clock = Clock()
    for _ in range(SAMPLES):
        assert clock.wants("a")
        clock.add("a", 0, 0, 0)
    assert not clock.wants("a")
    assert clock.wants("b")


@pytest.mark.parametrize("shape", SHAPES)
@given(second=st.floats(0, 59.9), users=st.integers(1, 1000))
def test_shapes_stay_within_bounds(shape, second, users):
    """Every shape has one user at least, never more than asked for, and an end."""
    assert 1 <= users_at(shape, second, users, 60) <= users
    assert users_at(shape, 60, users, 60) is None


def test_shapes_do_what_they_are_called():
    """Each shape goes as its name says."""
    course = {
        shape: [users_at(shape, second, 100, 100) for second in (0, 19, 45, 75, 99)] for shape in SHAPES
    }
    assert course["ramp"] == [1, 19, 45, 75, 99]
    assert course["steps"] == [20, 20, 60, 80, 100]
    assert course["spike"] == [10, 10, 100, 10, 10]
    assert course["soak"] == [1, 100, 100, 100, 100]
    assert course["sawtooth"] == [10, 96, 33, 78, 96]


def test_thresholds():
    """A limit holds up to its value; a figure that was not measured does not hold it."""
    figures = {"lost": 2, "expected": 5, "p99_ms": None, "p50_ms": 3.0}
    limits = {"max-loss": 2, "min-expected": 6, "p99-ms": 250, "p50-ms": 2.5, "max-errors": None}
    assert {row["name"]: row["ok"] for row in check(figures, limits)} == {
        "max-loss": True,
        "min-expected": False,
        "p99-ms": False,
        "p50-ms": False,
    }


def test_timeline_of_workers_adds_up():
    """What two workers report in parts is what one would have seen."""
    whole, master = Timeline(), Timeline()
    for worker in range(2):
        part = Timeline()
        for now in (100.2, 101.0, 101.5, 103.9):
            for timeline in (whole, part):
                timeline.count("deliveries", now)
                timeline.time("same_node", 0.001 * now + worker, now)
                timeline.error(f"error of {worker}", now)
            part.at(now).users = 5
            whole.at(now).users = 10
            if now == 101.5:
                master.merge(part.take())
                part.at(now).users = 0
        master.merge(part.take())
        assert part.take() == [[], {}]
    whole.at(101).users = master.at(101).users = 10
    assert master.records() == whole.records()
    assert master.errors == whole.errors
    assert [record["deliveries"] for record in master.records()] == [2, 4, 0, 2]


@pytest.mark.parametrize(("cpu", "warnings"), [(0.8, 0), (0.95, 1)])
def test_busy_generator_is_told(cpu, warnings):
    """Above 85 % of a core the result warns that the generator may be what was measured."""
    timeline = Timeline()
    for second in range(100, 110):
        timeline.at(second).generator_cpu = cpu
    result = summarize("room", {"host": "http://a,http://b"}, {}, Verdict(), timeline, [])
    assert len(result["warnings"]) == warnings
    assert result["hosts"] == ["http://a", "http://b"]
    assert result["seconds"] == 10


def test_secrets_are_not_written():
    """Tokens and headers are not in the result, only that there were some."""
    options = {"auth": {"token": "t0p"}, "headers": {"Cookie": "t0p"}, "rate": 2.0}
    result = summarize("room", options, {}, Verdict(), Timeline(), [])
    assert "t0p" not in str(result)
    assert result["options"] == {"auth": "set", "headers": "set", "rate": 2.0}
