"""The address that a node tells the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from socketio_cluster.cluster.internal import machine, read_address, write_address


def test_unix_comes_first():
    """On the same machine the Unix socket is tried before TCP."""
    address = write_address(Path("/tmp/run/1.sock"), "10.0.0.5", 9000)
    assert read_address(address) == ["/tmp/run/1.sock", ("10.0.0.5", 9000)]
    assert read_address(" ".join(reversed(address.split()))) == ["/tmp/run/1.sock", ("10.0.0.5", 9000)]


def test_other_machine_has_only_tcp():
    """The Unix socket of another machine, or of another container, is passed over."""
    address = write_address(Path("/tmp/run/1.sock"), "10.0.0.5", 9000).replace(machine(), "0" * 16)
    assert read_address(address) == [("10.0.0.5", 9000)]


@pytest.mark.parametrize("path", ["/tmp/a b/1.sock", "/tmp/é:/1.sock"])
def test_any_path_and_ipv6_survive(path):
    """Spaces and colons are no trouble."""
    assert read_address(write_address(Path(path), "::1", 9000)) == [path, ("::1", 9000)]


@pytest.mark.parametrize("address", ["", "10.0.0.5:9000", "tcp:host", "tcp:host:port", "pigeon:x:1"])
def test_anything_else_is_no_place(address):
    """An address that somebody else has made up leads nowhere, and to no error."""
    assert read_address(address) == []
