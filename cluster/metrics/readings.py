"""Values on their way to a metrics page, by the name of their family and its labels besides ``node``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from socketio_cluster.manager.stats import Histogram

Labels = tuple[str, ...]
Readings = dict[str, dict[Labels, float]]
Times = dict[str, dict[Labels, Histogram]]


def by_name(counts: Iterable[Counter[str]], known: Iterable[str] = ()) -> dict[Labels, float]:
    """Add up counters by name; names in ``known`` are there from the start, with 0."""
    added = Counter(dict.fromkeys(known, 0))
    for one in counts:
        added.update(one)
    return {(name,): number for name, number in added.items()}


def added(histograms: Iterable[Histogram]) -> Histogram:
    """Return the sum of histograms."""
    whole = Histogram()
    for one in histograms:
        whole.counts = [mine + its for mine, its in zip(whole.counts, one.counts, strict=True)]
        whole.total += one.total
    return whole


def merge(texts: list[bytes]) -> bytes:
    """Join texts in Prometheus' format 0.0.4: HELP and TYPE of each family once, samples as they are.

    The samples must differ in a label, as those of workers do in ``node``.
    """
    heads: dict[bytes, list[bytes]] = {}
    samples: dict[bytes, list[bytes]] = {}
    for text in texts:
        family = b""
        for line in text.splitlines(keepends=True):
            if line.startswith((b"# HELP ", b"# TYPE ")):
                family = line.split(b" ", 3)[2].rstrip()
                head = heads.setdefault(family, [])
                if line not in head:
                    head.append(line)
            else:
                samples.setdefault(family, []).append(line)
    families = {**heads, **samples}
    return b"".join(b"".join((*heads.get(family, ()), *samples.get(family, ()))) for family in families)
