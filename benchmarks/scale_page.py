"""``docs/scale.md``, in which each benchmark of many nodes or rooms writes its table between two marks."""

from __future__ import annotations

from benchmarks.build import HERE

PAGE = HERE.parent / "docs" / "scale.md"


def write(name: str, table: list[str], machine: dict[str, str]) -> None:
    """Put a table between ``<!-- name -->`` and ``<!-- /name -->``, and say below where it was measured."""
    start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(start)
    _, _, after = rest.partition(end)
    made = f"{machine['machine']}, {machine['system']}; commit {machine['commit']}, {machine['date']}"
    lines = [start, "", *table, "", f"{made}.", "", end]
    PAGE.write_text(before + "\n".join(lines) + after, encoding="utf-8")
