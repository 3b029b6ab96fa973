"""Layers stand before a function of the host in the order in which they came, each once."""

from __future__ import annotations

import pytest

from socketio_cluster.manager.host.slot import HostChanged, Slot, open_slot, replace


class Server:
    def greet(self, name):
        return f"hello {name}"


def louder(inner):
    return lambda name: inner(name).upper()


def politely(inner):
    return lambda name: inner(name) + ", please"


def test_layers_stand_in_order():
    """The layer that came last is called first, and the host's own function last."""
    server = Server()
    slot = open_slot(server, "greet")
    slot.put("louder", louder)
    slot.put("politely", politely)
    assert server.greet("ada") == "HELLO ADA, please"
    assert slot.layers == ["louder", "politely"]
    assert slot.own("ada") == "hello ada"


def test_a_layer_comes_once():
    """The same layer a second time is an error that names it, and changes nothing."""
    slot = Slot(Server().greet)
    slot.put("louder", louder)
    with pytest.raises(ValueError, match="'louder'"):
        slot.put("louder", louder)
    assert slot("ada") == "HELLO ADA"


def test_a_layer_may_come_behind_what_others_have_put_before():
    """Somebody else's wrapper around the slot stays, and the layers behind it still grow."""
    server = Server()
    slot = open_slot(server, "greet")
    ours = server.greet
    server.greet = lambda name: f"<{ours(name)}>"
    slot.put("louder", louder)
    assert server.greet("ada") == "<HELLO ADA>"


def test_what_a_release_has_renamed_is_said():
    """Replacing what is not there names the class and the attribute, instead of doing nothing."""
    with pytest.raises(HostChanged, match=r"Server has no 'hail'"):
        replace(Server(), "hail", print)
    with pytest.raises(HostChanged, match=r"Server has no 'hail'"):
        open_slot(Server(), "hail")
