"""A string is encoded to the same bytes as by the standard library, however that is done."""

from __future__ import annotations

import json

import pytest

from socketio_cluster.manager.clients.compact_json import quoted, quoted_pair

PLAIN = "".join(map(chr, range(128)))


@pytest.mark.parametrize("text", ["", PLAIN, *PLAIN, "é", "🎉", "\ud800", "\u2028", PLAIN + "ÿ"], ids=ascii)
def test_quoted(text):
    """All characters of ASCII, also the controls and the one behind them, and text beyond it."""
    assert quoted(text) == json.dumps(text).encode()


PAIRS = [("", ""), ("m", PLAIN), ("m", PLAIN[:-1]), ("\x7f", "a"), ("é", "a"), ("a", "\ud800")]


@pytest.mark.parametrize("pair", PAIRS, ids=ascii)
def test_quoted_pair(pair):
    """The same for two of them."""
    assert quoted_pair(*pair) == json.dumps(pair, separators=(",", ":")).encode()
