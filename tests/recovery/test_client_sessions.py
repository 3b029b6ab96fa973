"""What the cluster's Python clients know of their sessions, without a connection."""

from __future__ import annotations

import pytest
from socketio import packet

from socketio_cluster.cluster.clients.client_sessions import ClientSessions
from socketio_cluster.manager.host.client import announce

SID = "abcdefgh-twelve-more"
OURS = {"sid": SID, "pid": SID + "x" * 20}
NODE = {"sid": "s", "pid": "p"}
URL = "http://one"


def claim(sessions, *, url=URL, namespace="/", auth=None):
    """The data of the CONNECT packet that goes out."""
    connect = packet.Packet(packet.CONNECT, namespace=namespace, data=auth)
    sessions.sending(url, connect)
    return connect.data


@pytest.fixture
def sessions():
    """Those of a client that is connected to a cluster."""
    one = ClientSessions()
    assert claim(one, auth={}) == {}
    one.answered("/", OURS)
    return one


def test_claim(sessions):
    """The claim has the pid, the last offset, and the application's auth, which wins, as in JavaScript."""
    assert claim(sessions, auth={}) == {"pid": OURS["pid"]}
    sessions.answered("/", OURS)
    assert sessions.recovered("/")
    assert sessions.take("/", None, ["n", 1, "abcdef12"]) == ["n", 1]
    auth = {"offset": "mine", "token": 1}
    assert claim(sessions, auth=auth) == {"pid": OURS["pid"], **auth}
    assert auth == {"offset": "mine", "token": 1}
    assert claim(sessions) == {"pid": OURS["pid"], "offset": "abcdef12"}
    assert claim(sessions, auth="text") == "text"
    assert claim(sessions, namespace="/chat", auth={}) == {}


def test_a_new_session(sessions):
    """Another pid, or none, is a new session: the old offset is of no use to it."""
    sessions.take("/", None, ["n", "abcdef12"])
    claim(sessions)
    sessions.answered("/", {"sid": SID, "pid": SID + "y" * 20})
    assert not sessions.recovered("/")
    assert claim(sessions) == {"pid": SID + "y" * 20}
    for answer in ({"sid": SID}, None, [], {"sid": SID, "pid": 5}):
        sessions.answered("/", OURS)
        sessions.answered("/", answer)
        assert claim(sessions) is None


def test_another_server(sessions):
    """A pid is said to nobody but the server that gave it, and to nobody after a goodbye."""
    assert claim(sessions, url="http://two") is None
    assert claim(sessions) is None
    sessions.answered("/", OURS)
    sessions.sending(URL, packet.Packet(packet.DISCONNECT, namespace="/"))
    assert sessions.take("/", None, ["still", "abcdef12"]) == ["still"]
    assert claim(sessions) is None
    sessions.answered("/", OURS | {"pid": SID + "y" * 20})
    assert claim(sessions) == {"pid": SID + "y" * 20}


@pytest.mark.parametrize(
    "data", [["n"], ["abcdef12"], ["n", 1], ["n", "text"], ["n", "abcdef12", None], ["n", b"abcdef12"]]
)
def test_what_is_no_offset(sessions, data):
    """An event of a cluster that does not end in an offset is left as it is."""
    assert sessions.take("/", None, list(data)) == data


def test_events_that_have_none(sessions):
    """Those with an ack, of other namespaces, and those that come before the answer to CONNECT."""
    event = ["n", "abcdef12"]
    assert sessions.take("/", 0, event) == event
    assert sessions.take("/chat", None, event) == event
    claim(sessions)
    assert sessions.take("/", None, event) == event


def test_node():
    """Node.js has offsets of other forms, and sends what was missed before the answer to CONNECT."""
    sessions = ClientSessions()
    claim(sessions)
    sessions.answered("/", NODE)
    assert sessions.take("/", None, ["n", 1, "1526919030474-55"]) == ["n", 1]
    assert claim(sessions) == {"pid": "p", "offset": "1526919030474-55"}
    assert sessions.take("/", None, ["n", 2, "1526919030474-56"]) == ["n", 2]
    sessions.answered("/", NODE)
    assert sessions.recovered("/")


@pytest.mark.parametrize(
    ("url", "announced"),
    [
        ("http://x", "http://x?recovery=1"),
        ("wss://x:1/p/?a=b&c=", "wss://x:1/p/?a=b&c=&recovery=1"),
        ("http://x/?recovery=0", "http://x/?recovery=0"),
        ("http://x/?a=1&recovery=1#f", "http://x/?a=1&recovery=1#f"),
    ],
)
def test_announced(url, announced):
    """The query tells a server that its client knows recovery, unless the application has said something."""
    assert announce(url) == announced
