"""What a node hears of itself."""

from __future__ import annotations

import pytest

from socketio_cluster import EnvelopeError, Options, Stats
from socketio_cluster.manager.bus.broker import Delivery
from socketio_cluster.manager.bus.echo import Echo
from socketio_cluster.manager.bus.envelope import Codec, Header
from socketio_cluster.manager.bus.messages import Bye

ME = "aaaaaaaa"


@pytest.fixture
def codec():
    return Codec("sio", "a secret of the cluster")


@pytest.fixture
def echo(codec):
    echo = Echo(Options(), "all", codec, Stats())
    echo.excuse(0.0)
    return echo


def arrive(echo, codec, now, sent, channel="all"):
    header = Header(ME, 1, sent)
    echo.arrived(Delivery(channel, codec.pack(header, Bye())), header, now)


def test_deaf(echo, codec):
    """A node is deaf when it has not heard itself for two and a half heartbeats."""
    assert not echo.deaf(5.0)
    assert echo.deaf(5.1)
    echo.said(77.0)
    arrive(echo, codec, 5.1, 77.0)
    assert not echo.deaf(10.0)


def test_a_second_node_of_the_id(echo, codec, caplog):
    """Words that this node has not said are another's: told once, until that was silent for dead_after."""
    echo.said(77.0)
    arrive(echo, codec, 1.0, 77.0)
    assert not echo.doubled(1.0)
    arrive(echo, codec, 2.0, 78.0)
    arrive(echo, codec, 4.0, 80.0)
    assert echo.doubled(11.9)
    assert not echo.doubled(12.0)
    assert len(caplog.records) == 1
    assert echo.deaf(6.5), "another's words are no echo"


def test_what_comes_back_of_a_stream(echo, codec):
    """Envelopes to rooms are not remembered one by one: they count as this node's own."""
    arrive(echo, codec, 5.0, 78.0, "room")
    assert not echo.doubled(5.0)
    assert not echo.deaf(10.0)


def test_a_pretender(echo):
    """Words with this node's id and another secret are refused."""
    with pytest.raises(EnvelopeError):
        arrive(echo, Codec("sio", "the secret of a stranger"), 1.0, 78.0)
    assert not echo.doubled(1.0)
