"""Locust's web page, with the options of the load test on it."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request

from tests.cluster.command import wait_until
from tests.loadtest.command import LoadTest
from tests.services.process import free_port


def test_web_page_runs_tests_one_after_the_other(broken, tmp_path):
    """Each test that the page starts, with options it sets, ends with a verdict of its own."""
    port = free_port()
    page = f"http://127.0.0.1:{port}"
    given = ("--host", broken, "--namespace", "/web", "--rooms", "1", "--settle", "0.5")
    run = LoadTest(tmp_path, "room", *given, "--web", "--web-host", "127.0.0.1", "--web-port", str(port))

    def ask(path: str, **form: object) -> dict:
        data = urllib.parse.urlencode(form).encode() if form else None
        with urllib.request.urlopen(page + path, data, timeout=20) as response:
            return json.load(response)

    wait_until(lambda: _answers(page))
    try:
        for number, senders in enumerate(("", "2"), 1):
            ask("/swarm", user_count=4, spawn_rate=4, host=broken, rate="10", senders=senders, p99_ms="")
            run.wait_for("  2 s ·", times=number)
            ask("/stop", really="yes")
            run.wait_for("PASSED", times=number)
    finally:
        run.process.terminate()
        run.end()
    verdict = json.loads(run.file.read_text())["verdict"]
    assert verdict["expected"] == verdict["delivered"] > 0


def _answers(page: str) -> bool:
    try:
        with urllib.request.urlopen(page, timeout=5) as response:
            return response.status == 200
    except OSError:
        return False
