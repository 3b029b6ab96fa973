"""A string is encoded to the same bytes as by the standard library, however that is done."""

from __future__ import annotations

import json

import pytest

from socketio_cluster.manager.clients.compact_json import quoted

PLAIN = "".join(map(chr, range(128)))


@pytest.mark.parametrize("text", ["", PLAIN, *PLAIN, "é", "🎉", "\ud800", "\u2028", PLAIN + "ÿ"], ids=ascii)
def test_quoted(text):
    """All characters of ASCII, also the controls and the one behind them, and text beyond it."""
    assert quoted(text) == json.dumps(text).encode()
