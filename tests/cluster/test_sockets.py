"""A port that others hold: who is waited for, and who is named."""

from __future__ import annotations

import socket

import pytest

from socketio_cluster.cluster.sockets import port_holders as holders
from socketio_cluster.cluster.sockets import sockets
from socketio_cluster.cluster.sockets.port_holders import Holder, port_holders
from socketio_cluster.cluster.sockets.sockets import WORKER, Taken, listen_after_orphans

ORPHAN = Holder(4711, ("python", *WORKER, "--fd=3"))


@pytest.fixture
def taken():
    """A listening socket."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        yield sock


def see(monkeypatch, *scenes):
    """Let each look at the port's holders run the next scene, which returns them."""
    looks = iter(scenes)
    monkeypatch.setattr(sockets, "RETRY_SECONDS", 0)
    monkeypatch.setattr(sockets, "port_holders", lambda *_: next(looks)())


def test_orphan_that_ends_unseen_is_waited_for(taken, monkeypatch):
    """A worker whose sockets are not shown any more, but not closed yet, is waited for too."""
    port = taken.getsockname()[1]
    see(monkeypatch, lambda: [ORPHAN], list, lambda: taken.close() or [])
    with listen_after_orphans("127.0.0.1", port) as ours:
        assert ours.getsockname()[1] == port


def test_program_that_is_not_seen_is_not_waited_for_long(taken, monkeypatch):
    """A port that a program of another user holds is refused after some attempts."""
    see(monkeypatch, *[list] * sockets.UNSEEN_TRIES)
    with pytest.raises(Taken, match="by another program"):
        listen_after_orphans("127.0.0.1", taken.getsockname()[1])


def test_other_program_beside_an_orphan_is_refused_at_once(taken, monkeypatch):
    """A program that holds the port for good is named, whoever else holds it."""
    see(monkeypatch, lambda: [ORPHAN, Holder(4712, ("nginx",))])
    with pytest.raises(Taken, match="by process 4712"):
        listen_after_orphans("127.0.0.1", taken.getsockname()[1])


def test_process_that_ends_is_no_holder(monkeypatch, tmp_path):
    """A process without a command line has ended, but for its sockets."""
    monkeypatch.setattr(holders, "PROC", tmp_path)
    row = "0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 99"
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "tcp").write_text(f"head\n{row}\n")
    for pid, command in (("7", "nginx\0-g\0"), ("8", "")):
        (tmp_path / pid / "fd").mkdir(parents=True)
        (tmp_path / pid / "fd" / "3").symlink_to("socket:[99]")
        (tmp_path / pid / "cmdline").write_text(command)
    assert port_holders(socket.AF_INET, "127.0.0.1", 8080) == [Holder(7, ("nginx", "-g"))]
