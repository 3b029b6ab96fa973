"""What is compiled is found, and what is not is named."""

from __future__ import annotations

import logging
import sys
import sysconfig
from pathlib import Path

import pytest

import hatch_build
from socketio_cluster.manager import native
from socketio_cluster.manager.native import library
from socketio_cluster.manager.native.library import EMIT, HEAR, MODULES, VARIABLE, kind, load, make

ROOT = Path(__file__).parents[2]

there = pytest.mark.skipif(any(load(module) is None for module in MODULES), reason="not all is compiled here")


def test_all_modules():
    """Each file that is compiled is known."""
    sources = hatch_build.sources(ROOT)
    assert {".".join(path.relative_to(ROOT).with_suffix("").parts) for path in sources} == set(MODULES)


@there
@pytest.mark.parametrize(
    ("without", "word"),
    [
        ((), "compiled"),
        ((HEAR,), "not compiled: _hear"),
        ((HEAR, EMIT), "not compiled: _emit, _hear"),
        (MODULES, "not compiled"),
    ],
)
def test_kind(monkeypatch, caplog, without, word):
    """A node is compiled if all of it is; a file that is missing beside others is told of once."""
    for module in without:
        monkeypatch.setitem(sys.modules, f"socketio_cluster.{module}", None)
    with caplog.at_level(logging.WARNING):
        assert [kind(), kind()] == [word, word]
    told = {line.partition(" cannot be loaded")[0] for line in caplog.messages}
    assert told == (set() if without == MODULES else set(without))
    assert len(caplog.messages) == len(told)


def test_off(monkeypatch):
    """The environment can switch all off."""
    monkeypatch.setenv(VARIABLE, "off")
    assert kind() == "not compiled"


def test_torn(monkeypatch, caplog, tmp_path):
    """A file that cannot be loaded is told of once, and counts as not compiled."""
    (tmp_path / f"_torn{sysconfig.get_config_var('EXT_SUFFIX')}").write_bytes(b"no library")
    monkeypatch.setattr(native, "__path__", [*native.__path__, str(tmp_path)])
    monkeypatch.setattr(library, "MODULES", ("manager.native._torn",))
    monkeypatch.delenv(VARIABLE, raising=False)
    with caplog.at_level(logging.WARNING):
        assert load("manager.native._torn") is None
        assert kind() == "not compiled"
    (line,) = caplog.messages
    assert line.startswith("manager.native._torn cannot be loaded, so Python does its work")


@there
def test_does_not_fit(caplog):
    """Parts that are not as a file knows them are told of once, and Python does its work."""
    with caplog.at_level(logging.WARNING):
        assert [make(HEAR, "Ear", dict), make(HEAR, "Ear", dict)] == [None, None]
    (line,) = caplog.messages
    assert line.startswith("manager.native._hear does not fit, so Python does its work")


def test_parts_of_nothing(monkeypatch):
    """Where nothing is compiled nobody is asked for parts."""
    monkeypatch.setenv(VARIABLE, "off")
    assert make(HEAR, "Ear", lambda: pytest.fail("it was asked")) is None
