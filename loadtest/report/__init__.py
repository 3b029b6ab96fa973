"""The report of a run: one page and one picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from socketio_cluster.loadtest.report.charts import charts
from socketio_cluster.loadtest.report.page import page
from socketio_cluster.loadtest.report.picture import save

__all__ = ["write"]


def write(run: dict[str, Any], folder: Path) -> list[Path]:
    """Write ``report.html``, which needs nothing else, and ``report.png``; gives their paths.

    Args:
        run: what ``socketio_cluster.loadtest.result.summarize`` gives.
        folder: where to write; it is made when it does not exist.

    Raises:
        OSError: the folder cannot be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    drawn = charts(run)
    html, png = folder / "report.html", folder / "report.png"
    html.write_text(page(run, drawn), encoding="utf-8")
    save(run, drawn, png)
    return [html, png]
