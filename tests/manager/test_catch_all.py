"""Which handler an event has: python-socketio's choice, but for one named ``*``."""

from __future__ import annotations

import itertools

import pytest
import socketio

from socketio_cluster.manager.host.shared_fixes import pass_event_name

NAMESPACES = ("/", "/chat", "*")
EVENTS = ("said", "*", "connect")


def server_with(where):
    """A server with a handler at each of these places, and its own choice of a handler."""
    server = socketio.AsyncServer(async_mode="asgi")
    for namespace, event in where:
        server.on(event, lambda *args: None, namespace=namespace)
    choose = server._get_event_handler
    pass_event_name(server)
    return server, choose


@pytest.mark.parametrize("count", range(4))
def test_same_choice(count):
    """Wherever the handlers are, an event gets the handler and arguments python-socketio would give it."""
    for where in itertools.combinations(itertools.product(NAMESPACES, EVENTS), count):
        server, choose = server_with(where)
        for namespace, event in itertools.product(("/", "/chat", "/other"), ("said", "other", "connect")):
            args = ("sid", 1)
            assert server._get_event_handler(event, namespace, args) == choose(event, namespace, args)


def test_named_like_the_handler():
    """A handler of ``*`` gets the name of an event that is called so."""
    server, _ = server_with([("/", "*")])
    assert server._get_event_handler("*", "/", ("sid", 1))[1] == ("*", "sid", 1)


def test_a_server_with_its_own_choice():
    """A server class that chooses handlers itself is asked for each event."""

    class Own(socketio.AsyncServer):
        def _get_event_handler(self, event, namespace, args):
            return self.handlers["/"]["mine"], args

    server = Own(async_mode="asgi")
    for event in ("mine", "said"):
        server.on(event, lambda *args: None)
    pass_event_name(server)
    assert server._get_event_handler("said", "/", ()) == (server.handlers["/"]["mine"], ())
