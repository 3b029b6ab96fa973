"""Options: what the environment says, what cannot work, and the words for it."""

from __future__ import annotations

import os
from typing import get_type_hints

import pytest

from socketio_cluster import ClusterManager
from socketio_cluster.manager.errors import SettingError
from socketio_cluster.manager.option_values import OptionValues
from socketio_cluster.manager.options import Options, from_environment, give_settings

SECRET = "correct horse battery staple"


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in ("BUS", "PREFIX", "SECRET", "SECRET_FILE", "NODE_NAME", "NODE_ADDRESS"):
        monkeypatch.delenv(f"CLUSTER_{name}", raising=False)


def test_defaults():
    """Without anything a process is alone."""
    assert from_environment(None, {}) == Options()
    assert Options().url is None


def test_environment(monkeypatch):
    """Each variable sets its option."""
    for name in ("PREFIX", "SECRET", "NODE_NAME", "NODE_ADDRESS"):
        monkeypatch.setenv(f"CLUSTER_{name}", f"{name.lower()} of the environment")
    monkeypatch.setenv("CLUSTER_BUS", "redis://host")
    options = from_environment(None, {})
    assert options.url == "redis://host"
    assert options.prefix == "prefix of the environment"
    assert options.secret == "secret of the environment"
    assert options.name == "node_name of the environment"
    assert options.address == "node_address of the environment"


def test_arguments_go_first(monkeypatch):
    """What the program says counts more than the environment, and None is as good as nothing."""
    monkeypatch.setenv("CLUSTER_BUS", "redis://host")
    monkeypatch.setenv("CLUSTER_PREFIX", "theirs")
    assert from_environment("amqp://host", {"prefix": "mine"}).url == "amqp://host"
    assert from_environment(None, {"prefix": "mine"}).prefix == "mine"
    assert from_environment(None, {"prefix": None}).prefix == "theirs"


@pytest.mark.parametrize(
    ("option", "text"),
    [
        ("channel", "it is called prefix here"),
        ("redis_options", "in the URL"),
        ("logger", "socketio_cluster"),
        ("colour", "$"),
    ],
)
def test_no_such_option(option, text):
    """An option that there is not is named, and if python-socketio's managers have it, what there is here."""
    with pytest.raises(TypeError, match=f"^there is no option {option!r}.*{text}"):
        ClusterManager(None, **{option: "red"})


def test_empty_variables(monkeypatch):
    """An empty CLUSTER_BUS or CLUSTER_SECRET is as good as none."""
    monkeypatch.setenv("CLUSTER_BUS", "")
    monkeypatch.setenv("CLUSTER_SECRET", "")
    assert from_environment(None, {}) == Options()


def test_secret_file(monkeypatch, tmp_path):
    """A secret may lie in a file; one that cannot be read is told."""
    (tmp_path / "secret").write_text(f"{SECRET}\n")
    monkeypatch.setenv("CLUSTER_SECRET_FILE", str(tmp_path / "secret"))
    assert from_environment(None, {}).secret == SECRET
    monkeypatch.setenv("CLUSTER_SECRET_FILE", str(tmp_path / "missing"))
    with pytest.raises(SettingError, match="CLUSTER_SECRET_FILE cannot be read: .*missing"):
        from_environment(None, {})


def test_given_settings_win_over_the_environment(monkeypatch, tmp_path):
    """What a process was given otherwise counts, and its environment stays as it is."""
    monkeypatch.setattr("socketio_cluster.manager.options._given", {})
    monkeypatch.setenv("CLUSTER_BUS", "redis://theirs")
    monkeypatch.setenv("CLUSTER_SECRET_FILE", str(tmp_path / "missing"))
    environment = dict(os.environ)
    give_settings({"CLUSTER_BUS": "redis://ours", "CLUSTER_SECRET": SECRET})
    options = from_environment(None, {})
    assert (options.url, options.secret) == ("redis://ours", SECRET)
    assert dict(os.environ) == environment


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"url": "localhost"}, "named by a URL"),
        ({"prefix": ""}, "prefix must be"),
        ({"prefix": "a{b"}, "prefix must be"),
        ({"secret": "too short"}, "at least 16 characters"),
        ({"secret": "this one is long enough\nthis is not"}, "at least 16 characters a line"),
        ({"secret": " \n" * 20}, "at least 16 characters"),
        ({"heartbeat": 0}, "heartbeat must be more than 0"),
        ({"request_seconds": -1}, "request_seconds must be more than 0"),
        ({"buffer_seconds": 0}, "buffer_seconds must be more than 0"),
        ({"ack_seconds": 0}, "ack_seconds must be more than 0"),
        ({"buffer_bytes": 1000}, "buffer_bytes must be at least 65536"),
        ({"client_bytes": 1000}, "client_bytes must be at least 65536"),
        ({"heartbeat": "2"}, "heartbeat must be a number, not '2'"),
        ({"heartbeat": True}, "heartbeat must be a number, not True"),
        ({"slow_seconds": float("nan")}, "slow_seconds must be a number, not nan"),
        ({"buffer_bytes": "64M"}, "buffer_bytes must be a whole number, not '64M'"),
        ({"rooms_per_client": 2.5}, "rooms_per_client must be a whole number, not 2.5"),
        ({"name": 5}, "name must be a text, not 5"),
        ({"secret": b"sixteen bytes long"}, "secret must be a text, not of type bytes$"),
        ({"heartbeat": 5.0}, r"dead_after \(8.0 s\) must be at least twice heartbeat \(5.0 s\)"),
    ],
)
def test_what_cannot_work(values, words):
    """A setting that cannot work is a SettingError, which is a ValueError, and names it."""
    with pytest.raises(SettingError, match=words):
        Options(**values)
    assert issubclass(SettingError, ValueError)


def test_types_of_keyword_arguments():
    """Managers and emitters take each option but the URL as a keyword argument, in its type or None."""
    kinds = {name: kind | None for name, kind in get_type_hints(Options).items() if name != "url"}
    assert get_type_hints(OptionValues) == kinds


def test_unknown_options():
    """An option that does not exist is a TypeError that names it."""
    with pytest.raises(TypeError, match="hartbeat"):
        from_environment(None, {"hartbeat": 1})


def test_deaf_after():
    """A node counts as deaf well before others count it as dead."""
    assert Options().deaf_after == 5.0 < Options().dead_after
