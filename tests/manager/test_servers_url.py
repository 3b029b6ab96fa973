"""URLs with several servers, of which some are IPv6 addresses, are read by every Python alike."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from socketio_cluster.manager.brokers.nats_url import read_url
from socketio_cluster.manager.brokers.redis_url import read_hosts, read_settings
from socketio_cluster.manager.bus.places import check_places, places_of
from socketio_cluster.manager.bus.servers_url import split_url
from socketio_cluster.manager.errors import SettingError


@pytest.mark.parametrize(
    "url",
    [
        "redis://a:1/0",
        "redis://u:p@[::1]:2/0?x=1#y",
        "redis://[::1]",
        "redis://[::1]?x=[1]",
        "nats://a",
        "unix:///a[1]",
        "local://",
        "[::1]",
        "",
    ],
)
def test_as_the_standard_library(url):
    """A URL that every Python reads is split in the same way."""
    assert split_url(url) == urlsplit(url)
    assert split_url(url).geturl() == urlsplit(url).geturl()


@pytest.mark.parametrize("rest", ["", "/0", "/0?a=1,[b", "?a=1", "#x"])
def test_lists(rest):
    """The servers are as they stand there, whatever comes behind them."""
    parts = split_url(f"redis://u:p[@a:1,[::1]:2,b{rest}")
    assert parts.scheme == "redis"
    assert parts.netloc == "u:p[@a:1,[::1]:2,b"
    assert parts.geturl() == f"redis://u:p[@a:1,[::1]:2,b{rest}"


def test_every_bus():
    """Each bus with several servers takes IPv6 addresses at any place."""
    assert [place.url for place in places_of("redis://a:1,[::1]:2/3", "sio")] == [
        "redis://a:1/3",
        "redis://[::1]:2/3",
    ]
    assert read_hosts("redis+sentinel://u:p@a,[::1]:2/0/main", 26379) == [("a", 26379), ("::1", 2)]
    assert read_settings("redis+cluster://a:1,[::1]:2")["host"] == "a"
    assert read_url("nats://a,[::1]:2").servers == ("a:4222", "[::1]:2")


@pytest.mark.parametrize("url", ["redis://[::1:2/0", "redis://a,b]:2", "nats://a,[::1", "redis://a[b]:x"])
def test_wrong(url):
    """What is no address is refused with a sentence that does not quote it."""
    with pytest.raises(SettingError, match="port that is no number") as raised:
        check_places(url, "sio", recovery=False)
    assert url not in str(raised.value)
