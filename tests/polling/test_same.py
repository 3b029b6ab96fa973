"""Requests that go the short way get the same bytes as those that go through ASGI and python-engineio."""

from __future__ import annotations

import re

import pytest
from engineio.packet import MESSAGE, Packet

from tests.cluster.lane_helpers import lane_node
from tests.polling.wire import OPENING, PLAIN, Ways, session, waits, wire

SID = re.compile(rb'(?<="sid":")[^"]+')
GOOD = "https://good.test"
OPTIONS = {
    "one page": {"cors_allowed_origins": GOOD},
    "its own page": {},
    "every page": {"cors_allowed_origins": "*", "cors_credentials": False},
    "a list": {"cors_allowed_origins": ["https://other.test", GOOD]},
    "none": {"cors_allowed_origins": []},
    "a function": {"cors_allowed_origins": lambda origin, environ: origin == GOOD},
    "no compression": {"http_compression": False, "cors_allowed_origins": []},
}
HEADERS = {
    "nothing": [],
    "a page that may": [f"Origin: {GOOD}"],
    "a page that may not": ["Origin: https://bad.test"],
    "its own page": ["Origin: http://node.test"],
    "a proxy": ["Origin: https://node.test", "X-Forwarded-Proto: https", "X-Forwarded-For: 192.0.2.1"],
    "asked headers": ["Access-Control-Request-Headers: x-token"],
    "deflate": ["accept-ENCODING:  br, deflate;q=1 ,gzip"],
    "keep-alive": ["Connection: keep-alive"],
    "close": ["Connection: close"],
    "close by another name": ["Proxy-Connection: close"],
    "a space behind": [f"Origin: {GOOD} "],
    "expect": ["Expect: 100-continue"],
    "no body": ["Content-Length: 0"],
    "an upgrade": ["Connection: upgrade", "Upgrade: h2c"],
    "not UTF-8": ["X-Name: \xe4"],
}
QUERIES = {
    "a time": f"{PLAIN}&t=P2x.1-_~",
    "another order": "t=1&transport=polling&EIO=4",
    "JSONP": f"{PLAIN}&j=0",
    "bad JSONP": f"{PLAIN}&j=x",
    "no version": "transport=polling",
    "an old version": "EIO=3&transport=polling",
    "two versions": f"{PLAIN}&EIO=3",
    "no transport": "EIO=4",
    "the other transport": "EIO=4&transport=websocket",
    "another sid before": f"{PLAIN}&sid=aaaaaaaaaaaaaaaaaaaa",
    "another sid behind": f"&{PLAIN}",
    "escapes": f"{PLAIN}&t=%41",
    "an escaped name": "EIO=4&tr%61nsport=polling",
    "an empty query": "",
}
LONG = [("said", "x" * 3000)]
EVENTS = {
    "text": [("said", "Grüße 𝄞 \x1e")],
    "binary": [("said", {"a": b"\x00\x01", "b": [b"\xff" * 40]})],
    "several": [("said", number) for number in range(5)],
    "long": LONG,
    "more than an answer takes": [("said", number) for number in range(40)],
}


OTHERS = {
    "a path without a slash": {"path": "/socket.io"},
    "a longer path": {"path": "/socket.io/more"},
    "an escaped path": {"path": "/%73ocket.io/"},
    "another path": {"path": "/elsewhere/"},
    "HTTP/1.0": {"version": "1.0"},
    "HEAD": {"method": "HEAD"},
    "PUT": {"method": "PUT"},
    "OPTIONS": {"method": "OPTIONS"},
}
BODIES = {
    "an event": b'42["said",1]',
    "several": b'42["said",1]\x1e42/chat,["said"]\x1e3\x1e42["said",2]',
    "an ack": b'427["asks",{"a":[1.5,null]}]',
    "unicode": '42["said","Grüße 𝄞"]'.encode(),
    "binary": b'451-["said",{"_placeholder":true,"num":0}]\x1ebAAH/',
    "another namespace": b"40/chat,",
    "leaving": b"41",
    "what has no effect": b"0\x1e5\x1e6",
    "a close": b'42["said"]\x1e1\x1e42["said"]',
    "nothing": b"",
    "a ping": b"2",
    "garbage": b'42["said"]\x1egarbage',
    "bad JSON": b'42["said',
    "an empty packet": b'42["said"]\x1e',
    "bad base64": b'42["said"]\x1ebA',
    "not UTF-8": b'42["said","\xff"]',
    "a form": b"d=42%5B%22said%22%5D",
    "many": b"\x1e".join(b'42["said",%d]' % number for number in range(40)),
    "too large": b'42["said","' + 2000 * b"x" + b'"]',
    "more behind bad JSON": b'42["said"\x1e40/nope,\x1e42["said"]',
    "too deep": b'42["said",' + 900 * b"[" + 900 * b"]" + b"]",
}
REFUSED = ("nothing", "a ping", "garbage", "an empty packet", "bad base64", "not UTF-8", "too large")
ENDS = ("a close", "bad JSON", "more behind bad JSON")
"""After these a session is over, and its next poll is refused by the general way."""
SHORT_BODIES = set(BODIES) - {*REFUSED, *ENDS, "many"}
POSTED = {
    "bytes": ["Content-Type: application/octet-stream"],
    "text": ["content-type: text/plain;charset=UTF-8"],
    "a page": [f"Origin: {GOOD}"],
    "another page": ["Origin: https://bad.test"],
    "two lengths": ["Content-Length: 12"],
    "close": ["Connection: close"],
}
SHORT = {
    *("nothing", "a page that may", "a proxy", "asked headers", "deflate", "keep-alive", "not UTF-8"),
    *("a time", "another order", "two versions", "another sid behind"),
}


def asking(headers=(), query=PLAIN, events=(("said",),), **how):
    """A client that asks once when events wait for it and, if it gets them all, once before another comes."""

    async def talk(node):
        async with session(node) as one:
            one.headers = headers
            for event in events:
                await node.sio.emit(*event, to=one.name)
            answers = [await one.ask(query=query, **how)]
            fields, _ = answers[0]
            if b"connection: close" not in fields and fields[0] == b"HTTP/1.1 200 OK" and not left(node, one):
                one.send(one.request(query=query, **how))
                await waits(node, one)
                await node.sio.emit("later", 1, to=one.name)
                answers.append(await one.answer())
        return answers

    return talk


def posting(body, headers=()):
    """A client that posts, and fetches what comes of it."""

    async def talk(node):
        async with session(node) as one, wire(node, headers, one.sid) as other:
            node.log.clear()
            answers = [await other.ask("POST", body=body)]
            if one.sid in node.sockets:
                node.sockets[one.sid].queue.put_nowait(Packet(MESSAGE, "last"))
            answers.append(await one.ask())
            calls = [(name, *arguments) for name, _, *arguments in node.log]
            return [(fields, SID.sub(b"", text)) for fields, text in answers], calls

    return talk


def left(node, one):
    """How many packets wait for a client."""
    return node.sockets[one.sid].queue.qsize()


async def compare(monkeypatch, talks, **options):
    """Compare what each client sees on both ways; return the names of those that went the short way."""
    seen, short = {}, set()
    ways = Ways(monkeypatch)
    for way in (False, True):
        async with lane_node(short=way, server_options=options) as node:
            for name, talk in talks.items():
                ways.general = 0
                answers = await talk(node)
                assert seen.setdefault(name, answers) == answers, name
                if way and ways.general == OPENING:
                    short.add(name)
    return short


async def test_requests(monkeypatch):
    """Whatever a client says, the answer is the same."""
    talks = {name: asking(headers) for name, headers in HEADERS.items()}
    talks |= {name: asking(query=query) for name, query in QUERIES.items()}
    talks |= {name: asking(**how) for name, how in OTHERS.items()}
    assert await compare(monkeypatch, talks, cors_allowed_origins=[GOOD, "https://node.test"]) == SHORT


async def test_packets(monkeypatch):
    """Whatever waits for a client, the answer is the same, and goes the short way."""
    talks = {}
    for accepted in ("", "deflate"):
        for name, events in EVENTS.items():
            talks[name, accepted] = asking([f"Accept-Encoding: {accepted}"], events=events)
    assert await compare(monkeypatch, talks) == set(talks)


async def test_posts(monkeypatch):
    """Whatever a client posts, the answer, the calls of handlers and what its poll gets are the same."""
    talks = {name: posting(body) for name, body in BODIES.items()}
    talks |= {name: posting(b'42["said"]', headers) for name, headers in POSTED.items()}
    short = await compare(monkeypatch, talks, cors_allowed_origins=GOOD, max_http_buffer_size=1900)
    assert short == {*SHORT_BODIES, "text", "a page"}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
async def test_options(monkeypatch, options):
    """Whatever pages a server allows, and whether it compresses, the answers are the same."""
    headers = ["Accept-Encoding: deflate"]
    talks = {name: asking([*headers, f"Origin: {name}"], events=LONG) for name in (GOOD, "http://node.test")}
    short = await compare(monkeypatch, talks, **options)
    assert GOOD in short or not options or callable(options["cors_allowed_origins"])
