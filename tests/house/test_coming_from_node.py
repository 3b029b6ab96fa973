"""The page for those who come from Node.js names every method, and what it offers instead exists."""

from __future__ import annotations

import re

import pytest

import socketio_cluster
from socketio_cluster import ClusterManager
from socketio_cluster.manager.queries.broadcast import Broadcast
from tests.cluster.command import ROOT
from tests.jsclient import HERE, install

PAGE = (ROOT / "docs" / "coming-from-node.md").read_text()
CLASSES = {
    "Server": "index",
    "Namespace": "namespace",
    "Socket": "socket",
    "BroadcastOperator": "broadcast-operator",
    "RemoteSocket": "broadcast-operator",
}
INHERITED = ["on", "once", "off", "listeners"]
"""What all but the last two have from Node's EventEmitter, of what applications use."""
MODIFIERS = r"(?:(?:readonly|static|get|set) )*"


def section(name):
    """The part of the page about one class."""
    return re.search(rf"^## {name}$(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)[1]


def documented(name):
    """What the first column of a class's table names."""
    rows = re.findall(r"^\| (`.*?) \|", section(name), re.MULTILINE)[1:]
    return [word for row in rows for word in re.findall(r"`(\w+)`", row)]


def declared(name):
    """The public members of a class, by the type declarations of the npm package."""
    text = (HERE / "node_modules" / "socket.io" / "dist" / f"{CLASSES[name]}.d.ts").read_text()
    body = re.search(rf"export declare class {name}<.*?^\}}", text, re.DOTALL | re.MULTILINE)[0]
    for comment in re.findall(r"/\*\*.*?\*/\s*", body, re.DOTALL):
        internal = "@private" in comment or "@internal" in comment
        body = body.replace(comment, "private " if internal else "")
    members = re.findall(rf"^    {MODIFIERS}([a-z]\w*)(?=[(<:?!])", body, re.MULTILINE)
    inherited = INHERITED if name in ("Server", "Namespace", "Socket") else []
    emits = ["emit"] if name == "Server" else []  # that of its base class
    return sorted({*members, *inherited, *emits} - {"constructor"})


@pytest.mark.parametrize("name", CLASSES)
def test_every_method(name):
    """The table of a class names each of its methods and properties once, and nothing that it has not."""
    install()
    assert len(declared(name)) > 8
    assert sorted(documented(name)) == declared(name)


def test_what_is_offered_exists():
    """Each method that the page offers is there, with our servers and with the operator."""
    calls = set(re.findall(r"\bsio\.(\w+)", PAGE))
    steps = set(re.findall(r"\bsio\.\w+\([^()]*\)\.(\w+)", PAGE)) | set(re.findall(r"`\.(\w+)", PAGE))
    assert {"fetch_sockets", "emit_with_ack", "to"} <= calls
    assert {"sockets_join", "volatile"} <= steps
    server = socketio_cluster.AsyncServer(async_mode="asgi", client_manager=ClusterManager())
    assert [one for one in calls if not hasattr(server, one)] == []
    assert [one for one in steps if not hasattr(Broadcast, one)] == []
    fields = set(re.findall(r"SocketInfo\.(\w+)", PAGE))
    assert fields <= set(socketio_cluster.SocketInfo.__struct_fields__)
