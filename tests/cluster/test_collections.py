"""When a worker's garbage collector looks at new objects."""

from __future__ import annotations

import urllib.request

import pytest

from socketio_cluster.cluster.worker import NEW_OBJECTS
from tests.cluster.command import Command

APP = """
import gc

%s


async def app(scope, receive, send):
    if scope["type"] == "http":
        said = b"%%d %%d" %% (gc.get_threshold()[0], gc.get_freeze_count())
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": said})
"""


@pytest.mark.parametrize(("line", "expected"), [("", NEW_OBJECTS), ("gc.set_threshold(500)", 500)])
def test_threshold_of_a_worker(tmp_path, line, expected):
    """A worker collects seldom, unless the application decides; what its start has made is left out."""
    (tmp_path / "app.py").write_text(APP % line)
    with Command("serve", "app:app", f"--app-dir={tmp_path}", "--port=0", "--workers=1") as command:
        url = command.nodes(1)["node-1"][0]
        with urllib.request.urlopen(url, timeout=30) as answer:
            threshold, frozen = map(int, answer.read().split())
    assert threshold == expected
    assert frozen > NEW_OBJECTS
