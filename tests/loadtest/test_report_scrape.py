"""The scraper asks real HTTP servers."""

from __future__ import annotations

import logging
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from socketio_cluster.loadtest.report.scrape import Scraper
from tests.services.process import free_port


class Metrics(BaseHTTPRequestHandler):
    """Answers the text that the server holds, at /metrics alone."""

    def do_GET(self):
        found = self.path == "/metrics" and self.server.text is not None
        self.send_response(200 if found else 404)
        self.end_headers()
        if found:
            self.wfile.write(self.server.text.encode())

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def server():
    """A server of metrics; its address is ``url``, and what it answers is ``text``."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Metrics) as running:
        running.url = f"http://127.0.0.1:{running.server_port}"
        running.text = None
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def page(cpu, memory):
    """Two nodes as the supervisor shows them; the second has used twice the CPU."""
    return (
        "# HELP process_cpu_seconds_total CPU.\n# TYPE process_cpu_seconds_total counter\n"
        f'process_cpu_seconds_total{{node="blue-1"}} {cpu}\n'
        f'process_cpu_seconds_total{{zone="a",node="blue-2"}} {2 * cpu}\n'
        f'process_resident_memory_bytes{{node="blue-1"}} {memory:e}\n'
        'process_cpu_seconds_total_created{node="blue-3"} 7\n'
        'socketio_clients{node="blue-1"} 12\n'
    )


def test_cpu_is_what_was_used_since_the_last_poll(server):
    """The first poll knows the memory, the second how many cores were used; a restarted node has none."""
    scraper = Scraper([server.url + "/metrics"])
    server.text = page(10, 6e7)
    assert scraper.poll() == {"blue-1": {"rss": 6e7}, "blue-2": {}}
    server.text = page(11, 7e7)
    found = scraper.poll()
    assert found["blue-1"]["rss"] == 7e7
    assert found["blue-1"]["cpu"] > 0
    assert found["blue-2"]["cpu"] / found["blue-1"]["cpu"] == pytest.approx(2, rel=0.01)
    server.text = page(1, 5e7)
    assert scraper.poll()["blue-1"] == {"rss": 5e7}


def test_without_the_label_the_address_is_the_name(server):
    """A server that does not name its nodes stands under its host and port; /metrics may be left out."""
    server.text = "process_resident_memory_bytes 1000\n"
    assert Scraper([server.url]).poll() == {f"127.0.0.1:{server.server_port}": {"rss": 1000}}


def test_who_cannot_be_asked_is_warned_of_once(server, caplog):
    """A port where nobody listens, and a 404, give one warning each and the others' figures."""
    server.text = page(1, 2)
    nobody = f"http://127.0.0.1:{free_port()}/metrics"
    scraper = Scraper([nobody, server.url + "/elsewhere", server.url])
    with caplog.at_level(logging.WARNING, logger="socketio_cluster.loadtest"):
        for _ in range(3):
            assert set(scraper.poll()) == {"blue-1", "blue-2"}
    assert sorted(record.args[0] for record in caplog.records) == sorted([nobody, server.url + "/elsewhere"])


def test_text_that_is_no_number_is_left_out(server):
    """A line with a word for a value does not spoil the others."""
    server.text = 'process_resident_memory_bytes{node="a"} much\nprocess_resident_memory_bytes{node="b"} 5\n'
    assert Scraper([server.url]).poll() == {"b": {"rss": 5}}


def test_an_address_that_is_none_is_refused():
    """Another scheme is a mistake, said in words."""
    with pytest.raises(ValueError, match="give http://HOST:PORT/metrics"):
        Scraper(["ftp://10.0.0.5/metrics"])
