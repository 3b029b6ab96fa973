"""What a body may contain, and which entry and field a mistake is said to be in."""

from __future__ import annotations

import json

import pytest

from socketio_cluster.cluster.emit.event import MOST_EVENTS, BadEvent, read_events, schemas
from socketio_cluster.cluster.emit.openapi import openapi
from socketio_cluster.cluster.emit.tokens import Tokens, read_tokens

GOOD = "a token of 24 characters"


def test_one_and_several():
    """One event is an object, several are a list; each has the arguments that were given, null too."""
    (event,), batch = read_events(b'{"event": "a", "data": null}')
    assert (event.arguments, event.namespace, batch) == ([None], "/", False)
    events, batch = read_events(
        b'[{"event": "a"}, {"event": "b", "args": [1, [2]]}, {"event": "c", "data": [3]}]'
    )
    assert [event.arguments for event in events] == [[], [1, [2]], [[3]]]
    assert batch


@pytest.mark.parametrize(
    ("body", "entry", "field"),
    [
        (b"", None, None),
        (b"{", None, None),
        (b"3", None, None),
        (b"[]", None, None),
        (b"[" * 100_000, 0, None),
        (b'"\xff"', None, None),
        (b'{"event": 1}', None, "event"),
        (b'{"event": ""}', None, "event"),
        (b'{"data": 1}', None, "event"),
        (b'{"event": "a", "room": "x"}', None, "room"),
        (b'{"event": "a", "to": null}', None, "to"),
        (b'{"event": "a", "to": []}', None, "to"),
        (b'{"event": "a", "to": ""}', None, "to"),
        (b'{"event": "a", "to": 7}', None, "to"),
        (b'[{"event": "a"}, {"event": "b", "except": ["x", 4]}]', 1, "except"),
        (b'[{"event": "a"}, {}]', 1, "event"),
        (b'[{"event": "a"}, 3]', 1, None),
        (b'[{"event": "a"}, {"event": "b", "namespace": "x"}]', 1, "namespace"),
        (b'[{"event": "a"}, {"event": "b", "volatile": 1}]', 1, "volatile"),
        (b'[{"event": "a"}, {"event": "b", "local": true}]', 1, "local"),
        (b'{"event": "a", "data": 1, "args": []}', None, "args"),
        (json.dumps([{"event": "a"}] * (MOST_EVENTS + 1)).encode(), None, None),
    ],
    ids=lambda value: value[:60].decode("latin-1") if isinstance(value, bytes) else None,
)
def test_mistakes(body, entry, field):
    """A mistake is said with its entry and field."""
    with pytest.raises(BadEvent) as caught:
        read_events(body)
    assert (caught.value.entry, caught.value.field) == (entry, field)
    assert str(caught.value)


def test_documents():
    """All that the documents refer to is in them, and they are JSON."""
    body, events = schemas("#/components/schemas/{name}")
    document = json.loads(json.dumps(openapi()))
    assert document["paths"]["/emit"]["post"]["requestBody"]["content"]["application/json"]["schema"] == body
    for name in (*events, "Emitted", "Error"):
        assert f'"#/components/schemas/{name}"' in json.dumps(document)
        assert name in document["components"]["schemas"]


@pytest.mark.parametrize(
    ("authorization", "allowed"),
    [
        (f"Bearer {GOOD}", True),
        (f"bearer  {GOOD}", True),
        ("Bearer another token, which is valid", True),
        (f"Basic {GOOD}", False),
        (f"Bearer {GOOD}x", False),
        ("Bearer", False),
        ("Bearer ", False),
        (GOOD, False),
        ("", False),
    ],
)
def test_tokens(authorization, allowed):
    """Any of the tokens may emit, as a bearer."""
    assert Tokens([GOOD, "another token, which is valid"]).allow(authorization.encode()) is allowed


def test_token_files():
    """A file has a token a line; short ones, and an empty file, are refused."""
    assert read_tokens("0123456789abcdef\n\n fedcba9876543210 \n") == ["0123456789abcdef", "fedcba9876543210"]
    for text in ("", " \n", "0123456789abcdef\nshort"):
        with pytest.raises(ValueError, match="is none|is one with less"):
            read_tokens(text)
