"""The subjects of NATS, and the book of probes through its routes."""

from __future__ import annotations

import re

import pytest

from socketio_cluster.manager.brokers.nats_routes import MOST, Routes
from socketio_cluster.manager.brokers.nats_subjects import root, subject
from socketio_cluster.manager.bus.channels import Channels

NAMES = Channels("my.chat")


@pytest.mark.parametrize(
    ("channel", "expected"),
    [
        (NAMES.everyone, "my%2Echat.all"),
        (NAMES.inbox("a1B2c3D4"), "my%2Echat.node.a1B2c3D4"),
        (NAMES.namespace("/"), "my%2Echat.room./,"),
        (NAMES.room("/chat", "news: 1"), "my%2Echat.room./chat,snews:%201"),
        (NAMES.room("/", 7), "my%2Echat.room./,i7"),
        (NAMES.room("/", "a.*.>\r\n"), "my%2Echat.room./,sa%2E%2A%2E%3E%0D%0A"),
    ],
)
def test_a_subject(channel, expected):
    """A subject has a token for the prefix, the kind and the name, and nothing that NATS reads otherwise."""
    assert subject(channel) == expected
    assert root(channel) == "my%2Echat"


def test_a_very_long_room():
    """Rooms with long names have short subjects, each its own."""
    found = {subject(NAMES.room("/", "x" * 5000 + end)) for end in "abc"}
    assert len(found) == 3
    assert all(re.fullmatch(r"my%2Echat\.room\.%%\w{48}", each) for each in found)


@pytest.fixture
def routes():
    book = Routes("HOME", "chat", "me1")
    for server in ("HOME", "EAST", "WEST"):
        book.heard(server)
    return book


def test_a_probe_waits_for_every_other_server(routes):
    """A probe waits for the servers that are known when it starts, and not for this node's own."""
    number = routes.start()
    routes.heard("LATE")
    routes.answered(f"{number} EAST".encode())
    assert routes.missing(number)
    routes.answered(f"{number} WEST".encode())
    assert not routes.missing(number)
    assert routes.finish(number) == set()


def test_a_silent_server_is_not_waited_for_again(routes):
    """A server that did not answer is left out, of probes under way too, until it is heard again."""
    first, second = routes.start(), routes.start()
    routes.answered(f"{first} EAST".encode())
    assert routes.finish(first) == {"WEST"}
    routes.answered(f"{second} EAST".encode())
    assert not routes.missing(second)
    routes.answered(f"{second} WEST".encode())
    assert routes.missing(routes.start())


def test_question_and_answer(routes):
    """The answer to a probe goes to who asked, and names the server."""
    other = Routes("EAST", "chat", "me2")
    number = routes.start()
    assert other.answer(routes.question(number)) == ("chat.echo.me1", f"{number} EAST".encode())


@pytest.mark.parametrize(
    "rubbish",
    [b"", b"me1", b"a\r\nPUB x 1", b"me1 1\r\nPUB", b"\xff 1", b"a.b 1", b"* 1", b"9" * 5000 + b" X"],
)
def test_rubbish_gets_no_answer(routes, rubbish):
    """What might be a command for the server never comes into an answer, or among the servers."""
    assert routes.answer(rubbish) is None
    routes.heard(rubbish.decode(errors="replace") + "\r\n")
    routes.answered(rubbish)
    assert routes.others == {"EAST", "WEST"}


def test_servers_that_do_not_exist(routes):
    """Whoever makes up servers cannot fill the memory."""
    for number in range(2 * MOST):
        routes.heard(f"FAKE{number}")
    assert len(routes.others) == MOST
