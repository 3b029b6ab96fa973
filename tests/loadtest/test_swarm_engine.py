"""The swarm's engine and its Locust user against real servers."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from urllib.parse import urlsplit

import pytest

from socketio_cluster.loadtest.compare.contenders import CONTENDERS
from socketio_cluster.loadtest.compare.nodes import Nodes
from socketio_cluster.loadtest.errors import Disconnected, NotSocketIO, Refused, Unreachable
from socketio_cluster.loadtest.ledger import Ledger
from socketio_cluster.loadtest.swarm.engine import Engine
from socketio_cluster.loadtest.swarm.session import Door
from socketio_cluster.loadtest.verdict import judge
from tests.loadtest.command import ROOT
from tests.services.process import free_port, wait_for_port

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a swarm needs Linux")


@pytest.fixture(scope="module")
def nodes(redis_server, tmp_path_factory):
    """Two nodes of this cluster."""
    with Nodes(CONTENDERS["ours"], 2, redis_server.url, tmp_path_factory.mktemp("nodes")) as running:
        yield running


@pytest.fixture
def engine():
    one = Engine(lambda *sample: None)
    yield one
    one.close()


class Member:
    """One connection of the engine: its session, its receiver, and how it ended."""

    def __init__(self, engine, url, ledger, name="0", **door):
        self.receiver = ledger.receiver(name)
        self.welcomed, self.ended, self.reason = False, False, None
        self.engine = engine
        self.session, self.link = engine.connect(Door(urlsplit(url), **door), self.receiver, self)

    def opened(self, sid):
        self.sid = sid

    def event(self, name, args):
        self.welcomed = self.welcomed or name == "welcome"

    def closed(self, reason):
        self.ended, self.reason = True, reason
        self.engine.drop(self.link)


def until(engine, predicate, seconds=20):
    """Turn the engine until the predicate holds."""
    deadline = time.monotonic() + seconds
    while not predicate():
        assert time.monotonic() < deadline, f"not within {seconds} s: {predicate}"
        engine.turn(0.05)


def ends_with(engine, url, kind, words, **door):
    """Check that a connection to this URL ends with such an error."""
    member = Member(engine, url, Ledger(), **door)
    until(engine, lambda: member.ended)
    assert isinstance(member.reason, kind)
    assert words in str(member.reason)
    assert len(engine) == 0


@pytest.mark.parametrize("namespace", ["/", "/other"])
def test_three_hundred_clients_hear_everything(nodes, engine, namespace):
    """In rooms across two nodes every message reaches every member, and the ledger agrees."""
    ledger, rooms, each = Ledger(), 3, 20
    crowd = [
        Member(engine, nodes.urls[number % 2], ledger, str(number), namespace=namespace)
        for number in range(300)
    ]
    until(engine, lambda: all(member.welcomed for member in crowd))
    assert {member.session.node for member in crowd} == {"ours-1", "ours-2"}
    answers = []
    for number, member in enumerate(crowd):
        member.receiver.ask(str(number % rooms), 0)
        member.session.emit("join", str(number % rooms), answered=answers.append)
    until(engine, lambda: len(answers) == len(crowd))
    streams = [ledger.stream(f"src-{room}", str(room), str(room)) for room in range(rooms)]
    for number, member in enumerate(crowd):
        member.receiver.join(str(number % rooms), 1)
    for now in range(2, 2 + each):
        for room, stream in enumerate(streams):
            seq = stream.send(now)
            data = {"t": time.time(), "seq": seq, "src": f"src-{room}", "node": crowd[room].session.node}
            order = {"room": str(room), "skip": False, "data": data}
            crowd[room].session.emit("say", order, answered=answers.append)
            stream.confirm(seq, now)
    total = each * len(crowd)
    until(engine, lambda: engine.meter.deliveries >= total and len(answers) == len(crowd) + each * rooms)
    verdict = judge(ledger)
    assert (verdict.expected, verdict.delivered) == (total, total)
    assert (verdict.lost, verdict.duplicated, verdict.reordered, verdict.leaked) == (0, 0, 0, 0)
    for member in crowd:
        member.session.leave()
    assert all(member.ended and member.reason is None for member in crowd)
    assert len(engine) == 0


def test_who_stops_to_read_hears_nothing(nodes, engine):
    """Nothing arrives after a link is paused, though it still sends."""
    member = Member(engine, nodes.urls[0], Ledger())
    until(engine, lambda: member.welcomed)
    answers = []
    member.link.pause()
    member.session.emit("echo", 1, answered=answers.append)
    for _ in range(10):
        engine.turn(0.01)
    assert answers == []


def test_a_large_message_goes_out_in_pieces(nodes, engine):
    """What the socket does not take at once is kept and sent, and a long answer is put together."""
    member = Member(engine, nodes.urls[0], Ledger())
    until(engine, lambda: member.welcomed)
    answers = []
    member.session.emit("echo", "é" * 120_000, answered=answers.append)
    until(engine, lambda: answers)
    assert answers == [["é" * 120_000]]


def test_a_server_that_does_not_read_is_given_up(engine):
    """Bytes for a server that takes none are bounded."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        member = Member(engine, f"http://127.0.0.1:{server.getsockname()[1]}", Ledger())
        for _ in range(500):
            if member.ended:
                break
            member.session.emit("echo", "x" * 100_000)
            engine.turn(0)
        assert isinstance(member.reason, Disconnected)
        assert "does not read" in str(member.reason)


def test_where_nobody_listens_it_is_unreachable(engine):
    """A closed port and an unknown host are Unreachable."""
    for url in (f"http://127.0.0.1:{free_port()}", "http://nobody.invalid"):
        with pytest.raises(Unreachable, match=f"{url} cannot be reached"):
            Member(engine, url, Ledger())


def test_another_path_is_not_socket_io(nodes, engine):
    """A server that answers with HTTP is named with its status."""
    ends_with(engine, nodes.urls[0], NotSocketIO, "accepts no WebSocket: HTTP ", path="elsewhere")


def test_a_wrong_token_is_refused(redis_server, engine, tmp_path, monkeypatch):
    """CONNECT_ERROR ends the connection as Refused; with the right token it is welcomed."""
    monkeypatch.setenv("LOADTEST_TOKEN", "secret")
    with Nodes(CONTENDERS["stock"], 1, redis_server.url, tmp_path) as running:
        ends_with(engine, running.urls[0], Refused, "wrong token", auth={"token": "guess"})
        member = Member(engine, running.urls[0], Ledger(), auth={"token": "secret"})
        until(engine, lambda: member.welcomed)


def test_tls_to_a_certificate_one_trusts(engine, tmp_path, monkeypatch):
    """Over HTTPS the same works when the certificate is trusted, and is refused when it is not."""
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    make += ["-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run([*make, "-keyout", str(key), "-out", str(cert)], check=True, capture_output=True)
    port = free_port()
    serve = [
        "-m",
        "uvicorn",
        "socketio_cluster.loadtest.targets.ours:app",
        "--port",
        str(port),
        "--log-level",
        "warning",
    ]
    tls = ["--ssl-keyfile", str(key), "--ssl-certfile", str(cert)]
    log = tmp_path / "server.log"
    with log.open("w") as output:
        process = subprocess.Popen([sys.executable, *serve, *tls], cwd=ROOT, stdout=output, stderr=output)
    try:
        wait_for_port(port, process, log)
        ends_with(engine, f"https://localhost:{port}", Unreachable, "TLS: ")
        monkeypatch.setenv("SSL_CERT_FILE", str(cert))
        trusting = Engine(lambda *sample: None)
        member = Member(trusting, f"https://localhost:{port}", Ledger())
        until(trusting, lambda: member.welcomed)
        answers = []
        member.session.emit("echo", "x" * 50_000, answered=answers.append)
        until(trusting, lambda: answers)
        assert answers == [["x" * 50_000]]
        trusting.close()
    finally:
        process.terminate()
        process.wait(10)


def test_a_server_that_dies_is_noticed(redis_server, engine, tmp_path):
    """When a node is killed each of its clients is told at once, and the next finds nobody."""
    with Nodes(CONTENDERS["stock"], 1, redis_server.url, tmp_path) as running:
        crowd = [Member(engine, running.urls[0], Ledger(), str(number)) for number in range(20)]
        until(engine, lambda: all(member.welcomed for member in crowd))
        for process in running.processes:
            process.kill()
            process.wait()
        until(engine, lambda: all(member.ended for member in crowd))
        assert all(isinstance(member.reason, Disconnected) for member in crowd)
        ends_with(engine, running.urls[0], Unreachable, "connection refused")
