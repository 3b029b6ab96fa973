"""Tracks: what came, whatever the order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from socketio_cluster.loadtest.track import Track

arrivals = st.lists(st.integers(1, 40), max_size=80)


@given(arrivals, st.integers(0, 42), st.integers(0, 42))
def test_track_counts_as_a_list_would(seqs, first, last):
    """Totals, ranges, duplicates and late arrivals are those of the plain list of numbers."""
    track = Track()
    for seq in seqs:
        track.arrive(seq)
    assert track.total == len(set(seqs))
    assert track.count(first, last) == sum(first <= seq <= last for seq in set(seqs))
    assert track.duplicates == len(seqs) - len(set(seqs))
    new = [seq for at, seq in enumerate(seqs) if seq not in seqs[:at]]
    assert track.reordered == sum(seq < max(new[:at], default=0) for at, seq in enumerate(new))


@given(arrivals)
def test_track_keeps_as_few_runs_as_there_are(seqs):
    """Runs are in order and never touch, so a stream without gaps is one run."""
    track = Track()
    for seq in seqs:
        track.arrive(seq)
    assert all(first <= last for first, last in track.runs)
    assert all(one[1] + 1 < next_[0] for one, next_ in zip(track.runs, track.runs[1:], strict=False))


@given(arrivals)
def test_track_survives_the_wire(seqs):
    """A dumped and loaded track is the same."""
    track = Track()
    for seq in seqs:
        track.arrive(seq)
    again = Track.load(track.dump())
    assert (again.runs, again.duplicates, again.reordered) == (track.runs, track.duplicates, track.reordered)
