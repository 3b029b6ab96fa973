"""A track: which messages of one stream came to one receiver."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any


class Track:
    """Runs of sequence numbers that arrived, and how many came twice or late.

    As long as nothing is lost there is one run, and a message only moves its end.
    """

    __slots__ = ("duplicates", "reordered", "runs")

    def __init__(self) -> None:
        self.runs: list[list[int]] = []
        self.duplicates = 0
        self.reordered = 0

    def arrive(self, seq: int) -> None:
        """Note one message."""
        runs = self.runs
        if runs and runs[-1][1] + 1 == seq:
            runs[-1][1] = seq
        elif not runs or seq > runs[-1][1]:
            runs.append([seq, seq])
        else:
            self._late(seq)

    def _late(self, seq: int) -> None:
        at = bisect_right(self.runs, seq, key=lambda run: run[0])
        if at and seq <= self.runs[at - 1][1]:
            self.duplicates += 1
            return
        self.reordered += 1
        self.runs.insert(at, [seq, seq])
        self._join(at)
        self._join(at - 1)

    def _join(self, at: int) -> None:
        """Make one run of this one and the next, when they touch."""
        if 0 <= at < len(self.runs) - 1 and self.runs[at][1] + 1 == self.runs[at + 1][0]:
            self.runs[at][1] = self.runs.pop(at + 1)[1]

    def count(self, first: int, last: int) -> int:
        """How many of the numbers from first to last arrived."""
        at = max(bisect_right(self.runs, first, key=lambda run: run[0]) - 1, 0)
        total = 0
        for start, end in self.runs[at:]:
            if start > last:
                break
            total += max(0, min(end, last) - max(start, first) + 1)
        return total

    def __contains__(self, seq: int) -> bool:
        return self.count(seq, seq) == 1

    @property
    def total(self) -> int:
        """How many different messages arrived."""
        return sum(end - start + 1 for start, end in self.runs)

    def dump(self) -> list[Any]:
        """Plain lists for the wire between workers."""
        return [self.runs, self.duplicates, self.reordered]

    @classmethod
    def load(cls, dump: list[Any]) -> Track:
        """Make a track of what `dump` gave."""
        track = cls()
        track.runs = [list(run) for run in dump[0]]
        track.duplicates, track.reordered = dump[1:]
        return track
