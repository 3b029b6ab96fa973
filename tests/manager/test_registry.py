"""The registry: which scheme leads where, and what an unknown one is told."""

from __future__ import annotations

import sys

import pytest

from socketio_cluster.manager.bus.registry import BROKERS, check_url, open_broker, safe_url
from socketio_cluster.manager.errors import BrokerError, SettingError

EXAMPLES = [f"{scheme}://host/x" for scheme in BROKERS] + ["kombu+redis://host", "kombu+sqs://"]


@pytest.mark.parametrize("url", EXAMPLES)
def test_a_known_scheme_passes(url):
    """Every documented scheme passes, without its bus being there."""
    check_url(url)


@pytest.mark.parametrize("url", ["kafka://host", "REDIS://host", "http://user:secret@host"])
def test_an_unknown_scheme_is_told_the_known_ones(url):
    """An unknown scheme is a SettingError that names it and those that exist, and no password."""
    with pytest.raises(SettingError, match=r"redis\+sentinel, .*amqp, .*kombu\+SCHEME") as caught:
        check_url(url)
    assert f"{url.partition('://')[0]}://" in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["amqp://host", "amqps://host", "kombu+redis://host"])
def test_without_kombu(url, monkeypatch):
    """Where kombu is not installed a bus that needs it is a SettingError that says what to install."""
    monkeypatch.setitem(sys.modules, "kombu", None)
    check_url("redis://host")
    scheme = url.partition("://")[0].replace("+", r"\+")
    with pytest.raises(SettingError, match=rf"^{scheme}:// needs kombu: pip install .*\[amqp\]"):
        check_url(url)


@pytest.mark.parametrize("url", ["nats://host", "tls://host"])
def test_without_nats(url, monkeypatch):
    """Where nats-py is not installed a NATS bus is a SettingError that says what to install."""
    monkeypatch.setitem(sys.modules, "nats", None)
    check_url("redis://host")
    with pytest.raises(SettingError, match=r"needs nats: pip install .*\[nats\]"):
        check_url(url)


@pytest.mark.parametrize("url", ["", "localhost:6379", "user:secret@host"])
def test_something_that_is_no_url(url):
    """A text without a scheme is a SettingError that shows what a URL looks like."""
    with pytest.raises(SettingError, match="redis://localhost:6379/0"):
        check_url(url)


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("redis://host:6379/0", "redis://host:6379/0"),
        ("redis://:secret@host:6379/0", "redis://:***@host:6379/0"),
        ("amqp://guest:secret@host:5672//", "amqp://guest:***@host:5672//"),
        ("redis://user:se/cr@et@host/0", "redis://user:***@host/0"),
        ("redis+sentinel://u:secret@a:1,b:2/0/main", "redis+sentinel://u:***@a:1,b:2/0/main"),
        (
            "redis+sentinel://a:1/0/main?sentinel_password=secret&x=1",
            "redis+sentinel://a:1/0/main?sentinel_password=***&x=1",
        ),
        ("nats://secret@host:4222", "nats://***@host:4222"),
        ("tls://user:secret@a:4222,b:4222", "tls://user:***@a:4222,b:4222"),
        ("local:///run/bus.sock", "local:///run/bus.sock"),
    ],
)
def test_a_url_for_logs_has_no_password(url, safe):
    """Passwords are masked wherever they stand; everything else stays readable."""
    assert safe_url(url) == safe


async def test_a_bare_local_url_takes_the_path_from_the_environment(hub_server, monkeypatch):
    """local:// connects to the hub that CLUSTER_LOCAL_SOCKET names."""
    monkeypatch.setenv("CLUSTER_LOCAL_SOCKET", str(hub_server.path))
    broker = await open_broker("local://")
    await broker.publish([])
    await broker.close()


async def test_a_bare_local_url_without_a_hub(monkeypatch):
    """local:// without the environment variable is told how to get a hub."""
    monkeypatch.delenv("CLUSTER_LOCAL_SOCKET", raising=False)
    with pytest.raises(SettingError, match="python -m socketio_cluster hub --socket PATH"):
        await open_broker("local://")


async def test_a_local_url_with_a_relative_path():
    """A path that would be taken for a host is a SettingError that shows the right form."""
    with pytest.raises(SettingError, match="local:///run/bus.sock"):
        await open_broker("local://run/bus.sock")


async def test_a_local_url_without_a_hub(tmp_path):
    """A path where no hub listens is a BrokerError that names it."""
    with pytest.raises(BrokerError, match=str(tmp_path / "bus.sock")):
        await open_broker(f"local://{tmp_path / 'bus.sock'}")
