"""The command line: exit codes, sentences for mistakes, options."""

from __future__ import annotations

import http.server
import json
import re
import threading
import time

import pytest

from tests.loadtest.command import ROOT, LoadTest, scenario
from tests.services.process import free_port


@pytest.fixture(scope="module")
def website():
    """The URL of a web server that knows nothing of Socket.IO."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def metrics():
    """The URL of what looks like the /metrics of a node."""

    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            figures = f'process_cpu_seconds_total{{node="n1"}} {time.monotonic() / 2}\n'
            self.wfile.write(f'{figures}process_resident_memory_bytes{{node="n1"}} 5e7\n'.encode())

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/metrics"
        server.shutdown()


def complaint(folder, *arguments: str) -> str:
    """What a run says that ends with code 2: one line, without a traceback."""
    run = LoadTest(folder, *arguments)
    assert run.end() == 2, run.output
    assert "Traceback" not in run.output
    return run.output


@pytest.mark.parametrize("transport", ["websocket", "polling"])
def test_nobody_there(tmp_path, transport):
    """An address where nobody listens is named, with the reason."""
    url = f"http://127.0.0.1:{free_port()}"
    said = complaint(tmp_path, "room", "--host", url, "--transport", transport)
    assert said == f"loadtest: {url} cannot be reached: Connection refused"


@pytest.mark.parametrize(
    ("transport", "words"),
    [
        ("websocket", "accepts no WebSocket"),
        ("polling", "does not answer Engine.IO polling: the server answered GET with HTTP 404"),
    ],
)
def test_not_socketio(tmp_path, website, transport, words):
    """A server that is no Socket.IO server is told from one."""
    said = complaint(tmp_path, "room", "--host", website, "--transport", transport)
    assert said.startswith(f"loadtest: {website} {words}")
    assert len(said.splitlines()) == 1


def test_refused(tmp_path, broken):
    """A refused connect is told with the server's words."""
    said = complaint(tmp_path, "room", "--host", broken, "--namespace", "/locked")
    assert said == f"loadtest: {broken} refused the connection to /locked: no such token"


def test_other_protocol(tmp_path, broken):
    """A Socket.IO server that sends no welcome is pointed to the page that says what it must answer."""
    said = complaint(tmp_path, "room", "--host", broken, "--namespace", "/mute", "--timeout", "0.5")
    assert "docs/loadtest-protocol.md" in said
    assert len(said.splitlines()) == 1


MISTAKES = {
    (): "SCENARIO",
    ("rom",): "'rom'",
    ("room",): "--host",
    ("room", "--host", "localhost:8000"): "http://",
    ("room", "--host", "http://h:80800"): "'http://h:80800' is no address of a server",
    ("room", "--host", "http://[::1:80"): "'http://[::1:80' is no address of a server",
    ("room", "--host", "http://10.0.0..1"): "'http://10.0.0..1' is no address of a server",
    ("room", "--host", "http://h", "--rate", "0"): "--rate: 0 is not above 0",
    ("room", "--host", "http://h", "-u", "0"): "--users: 0 is not a number from 1",
    ("room", "--host", "http://h", "--metrics", "ftp://h"): "--metrics: ftp://h is no address of metrics",
    ("room", "--host", "http://h", "--json", "/nowhere/x.json"): "--json: /nowhere/x.json cannot be written",
    ("room", "--host", "http://h", "--report", str(ROOT / "LICENSE")): "LICENSE is no folder",
    ("compare", "rom"): "no scenario 'rom'",
    ("room", "--host", "http://h", "--rooms", "x"): "--rooms: 'x' is not a number from 1",
    ("room", "--host", "http://h", "--auth", "{"): "--auth: '{' is not JSON",
    ("room", "--host", "http://h", "--headers", "[]"): "--headers",
    ("room", "--host", "http://h", "--transport", "pigeon"): "pigeon",
    ("room", "--host", "http://h", "--max-lots", "1"): "--max-lots",
    ("mix", "--host", "http://h", "--swarm"): "leave --swarm out",
}


def test_mistakes(tmp_path):
    """A mistake in the arguments is named, and the code is 2."""
    run = LoadTest(tmp_path, json.dumps(list(MISTAKES)), module="tests.loadtest.mistakes")
    assert run.end() == 0, run.output
    for (arguments, words), (code, said) in zip(MISTAKES.items(), json.loads(run.lines[-1]), strict=True):
        assert code == 2, (arguments, said)
        assert words in said, (arguments, said)
        assert "Traceback" not in said, (arguments, said)


def test_thresholds_set_the_exit_code(broken, metrics, tmp_path):
    """A limit that does not hold ends the run with 1; shape, polling, metrics and report work meanwhile."""
    given = ["--p99-ms", "0.001", "--p50-ms", "60000", "--namespace", "/fine", "--shape", "soak"]
    given += ["--metrics", metrics, "--report", str(tmp_path / "report"), "--transport", "both"]
    run = scenario(tmp_path / "run", "room", broken, *given, "--rooms", "1", seconds=3)
    result = run.result(code=1)
    assert {row["name"] for row in result["thresholds"] if not row["ok"]} == {"p99-ms"}
    assert "FAIL p99-ms" in run.output
    assert "FAILED" in run.lines
    assert max(second["server"].get("n1", {}).get("cpu", 0) for second in result["timeline"]) > 0.3
    assert {path.name for path in (tmp_path / "report").iterdir()} == {"report.html"}


def test_nothing_measured(broken, tmp_path):
    """A scenario of messages in which none was due has not passed."""
    run = scenario(tmp_path, "room", broken, "--namespace", "/alone", "--rate", "1e-6", seconds=1)
    assert [row["name"] for row in run.result(code=1)["thresholds"] if not row["ok"]] == ["min-expected"]


def test_locust_without_a_class(broken, tmp_path):
    """Locust alone would mix the users of all scenarios: it is asked for the class of one."""
    file = str(ROOT / "loadtest" / "locustfile.py")
    run = LoadTest(tmp_path, "-f", file, "--headless", "--host", broken, module="locust")
    assert run.end() == 2
    assert run.lines[-1].startswith(f"loadtest: name a scenario: locust -f {file} Room")


def test_interrupted(broken, tmp_path):
    """SIGTERM ends a run with a verdict, like its last second does."""
    run = scenario(tmp_path, "room", broken, "--namespace", "/term", "--rooms", "1", seconds=300)
    run.wait_for(" users · ")
    run.process.terminate()
    verdict = run.result()["verdict"]
    assert verdict["expected"] == verdict["delivered"] > 0


def test_options_are_documented(tmp_path):
    """Every option stands in --help and in docs/loadtest.md."""
    run = LoadTest(tmp_path, "--help")
    assert run.end() == 0
    page = (ROOT / "docs" / "loadtest.md").read_text()
    options = set(re.findall(r"--[a-z0-9-]+", run.output))
    assert "--cut-every" in options
    assert not {option for option in options if f"`{option}" not in page}
