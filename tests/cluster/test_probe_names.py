"""The probe port answers under names that no stranger can own."""

from __future__ import annotations

import socket

import pytest

from socketio_cluster.cluster.probes.names import may_ask

OWN = ["", "10.1.2.3", "10.1.2.3:9100", "[::1]:9100", "[fe80::1]", "::1", "localhost:9100", "node-1"]
INSIDE = ["chat-0.chat.default.svc:9100", "chat.default.svc.cluster.local.", "a.INTERNAL", "b.localhost"]


@pytest.mark.parametrize("host", [*OWN, *INSIDE, socket.gethostname()])
def test_names_that_are_answered(host):
    """Addresses and names that public DNS does not have."""
    assert may_ask(host)


@pytest.mark.parametrize("host", ["a.example", "a.example:9100", "10.1.2.3.a.example", "svc.example", "a.b:"])
def test_names_that_must_be_listed(host):
    """Any other name is answered when it is among the listed ones, or all are."""
    assert not may_ask(host, ["b.example"])
    assert may_ask(host, ["b.example", host.partition(":")[0]])
    assert may_ask(host, ["*"])
