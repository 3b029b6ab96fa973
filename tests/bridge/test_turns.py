"""Of several bridges the oldest that can work does."""

from __future__ import annotations

from socketio_cluster.manager.bridge.commands import Sign
from socketio_cluster.manager.bridge.turns import LISTEN_SECONDS, SILENT_AFTER, Turns


def test_alone():
    """A bridge listens before it works the first time, and not when it comes back."""
    turns = Turns("me", since=100.0)
    assert not turns.mine(1.0, able=True)
    turns.joined(1.0)
    assert not turns.mine(1.0 + LISTEN_SECONDS - 0.1, able=True)
    assert turns.mine(1.0 + LISTEN_SECONDS, able=True)
    turns.parted(50.0)
    assert turns.mine(50.0, able=True)  # What it has to publish waits.
    turns.joined(60.0)
    assert turns.mine(60.0, able=True)


def test_the_oldest_works():
    """A younger one stands by until the older one is silent, stops or cannot reach our bus."""
    turns = Turns("me", since=100.0)
    turns.joined(0.0)
    turns.heard(Sign("older", 99.0, able=True), 10.0)
    turns.heard(Sign("younger", 101.0, able=True), 10.0)
    assert turns.is_peer("older")
    assert not turns.mine(10.0, able=True)
    assert turns.mine(10.0 + SILENT_AFTER, able=True)
    turns.heard(Sign("older", 99.0, able=False), 20.0)
    assert turns.mine(20.0, able=True)
    assert not turns.mine(20.0, able=False)


def test_cut_off():
    """One that is cut off leaves the work to another one, and does not pass on later what that has done."""
    turns = Turns("me", since=100.0)
    turns.joined(0.0)
    turns.heard(Sign("younger", 101.0, able=True), 10.0)
    assert turns.mine(10.0, able=True)
    turns.parted(10.5)
    assert not turns.mine(10.5 + 2 * SILENT_AFTER, able=True)
    turns.joined(20.0)
    assert turns.mine(20.0, able=True)
