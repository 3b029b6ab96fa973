"""The report of a run: one page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from socketio_cluster.loadtest.report.charts import charts
from socketio_cluster.loadtest.report.page import page

__all__ = ["write"]


def write(run: dict[str, Any], folder: Path) -> Path:
    """Write ``report.html``, which needs nothing else; gives its path.

    Args:
        run: what ``socketio_cluster.loadtest.result.summarize`` gives.
        folder: where to write; it is made when it does not exist.

    Raises:
        OSError: the folder cannot be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "report.html"
    path.write_text(page(run, charts(run)), encoding="utf-8")
    return path
