"""The metrics of several workers as one text."""

from __future__ import annotations


def merge(texts: list[bytes]) -> bytes:
    """Join texts in Prometheus' format 0.0.4, each family's HELP and TYPE once; samples as they are.

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
