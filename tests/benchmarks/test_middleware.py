"""The measurement of middlewares runs."""

from __future__ import annotations

from benchmarks import middleware


async def test_runs(capsys, monkeypatch):
    """It prints a figure for python-socketio's class, ours, and ours with a middleware."""
    monkeypatch.setattr(middleware, "EVENTS", 40)
    await middleware.main(rounds=2)
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition("  ")[0] for line in lines] == [
        "socketio.AsyncServer",
        "socketio_cluster.AsyncServer",
        "with one middleware",
    ]
    assert all(float(line.split(" µs")[0].split()[-1]) > 0 for line in lines)
