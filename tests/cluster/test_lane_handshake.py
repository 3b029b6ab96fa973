"""The handshake of the lane gives what uvicorn's own protocol gives, byte for byte, or leaves it to that."""

import asyncio
import base64
import logging

import httptools
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from websockets.server import ServerProtocol

from socketio_cluster.cluster.http.handshake import answer, read, read_whole
from socketio_cluster.cluster.http.lane_protocol import LaneProtocol
from socketio_cluster.cluster.http.websocket import RelayProtocol
from tests.cluster.lane_helpers import lane_node

KEY = base64.b64encode(bytes(range(16)))
PLAIN = [
    (b"host", b"a.example"),
    (b"connection", b"keep-alive, Upgrade"),
    (b"upgrade", b"WebSocket"),
    (b"sec-websocket-key", KEY),
    (b"sec-websocket-version", b"13"),
]


def request(
    target=b"/socket.io/?EIO=4&transport=websocket", headers=PLAIN, method=b"GET", version=b"HTTP/1.1"
):
    lines = [b" ".join((method, target, version)), *(b": ".join(header) for header in headers), b"", b""]
    return b"\r\n".join(lines)


def without(name):
    return [header for header in PLAIN if header[0] != name]


STRANGE = {
    "post": request(method=b"POST"),
    "http 1.0": request(version=b"HTTP/1.0"),
    "a whole address": request(b"http://a.example/"),
    "no key": request(headers=without(b"sec-websocket-key")),
    "two keys": request(headers=[*PLAIN, (b"sec-websocket-key", KEY)]),
    "a short key": request(headers=[*without(b"sec-websocket-key"), (b"sec-websocket-key", b"YWJj")]),
    "a key that is no base64": request(
        headers=[*without(b"sec-websocket-key"), (b"sec-websocket-key", b"?" * 24)]
    ),
    "no version": request(headers=without(b"sec-websocket-version")),
    "version 8": request(headers=[*without(b"sec-websocket-version"), (b"sec-websocket-version", b"8")]),
    "no upgrade": request(headers=without(b"upgrade")),
    "another upgrade": request(headers=[*without(b"upgrade"), (b"upgrade", b"h2c")]),
    "connection: close": request(headers=[*without(b"connection"), (b"connection", b"close")]),
    "a long line": request(headers=[*PLAIN, (b"cookie", b"x" * 9000)]),
    "many headers": request(headers=[*PLAIN, *[(b"a", b"b")] * 200]),
    "frames behind it": request() + b"\x81\x80mask",
    "half of it": request()[:-2],
    "nothing": b"\r\n\r\n",
}


@pytest.mark.parametrize("data", STRANGE.values(), ids=STRANGE)
def test_what_is_not_plain_is_left_to_the_library(data):
    """Whatever may have to be refused is not read here."""
    assert read(data) is None
    assert read_whole(data) is None


TOKENS = st.sampled_from(
    [b"Upgrade", b"upgrade", b"keep-alive", b"websocket", b"WebSocket", b"h2c", b"13", b"8", KEY, b""]
)
HEADERS = st.lists(st.tuples(st.sampled_from([name for name, _ in PLAIN]), TOKENS), max_size=8)


@given(HEADERS.map(lambda more: [*PLAIN, *more]) | HEADERS)
def test_what_is_accepted_here_is_accepted_by_the_library(headers):
    """No request is opened that the websockets library would refuse, and the answer is the same."""
    data = request(headers=headers)
    plain = read(data)
    assert read_whole(data) in (None, plain)
    if plain is None:
        return
    library = ServerProtocol(logger=logging.getLogger("test"))
    library.receive_data(data)
    response = library.accept(library.events_received()[0])
    assert response.status_code == 101
    del response.headers["Date"]
    library.send_response(response)
    assert answer(plain.key, []) == b"".join(library.data_to_send())


class Parsed:
    """What an HTTP parser reads of a request."""

    def __init__(self):
        self.url, self.headers, self.complete = b"", [], False

    def on_url(self, url):
        self.url += url

    def on_header(self, name, value):
        self.headers.append((name.lower(), value))

    def on_headers_complete(self):
        self.complete = True


NOISE = st.binary(max_size=3) | st.sampled_from(
    [b"\r\n", b"\n", b" ", b":", b"\0", b"Content-Length: 1\r\n", b"\xe9", b"#"]
)


@settings(max_examples=600, deadline=None, derandomize=True)
@given(st.integers(0, 250), st.integers(0, 3), NOISE)
@example(150, 0, b"Expect: 100-continue\r\n")
def test_what_needs_no_parser(at, cut, noise):
    """A request that is read without an HTTP parser before it is one that a parser reads alike."""
    data = request(headers=[*without(b"upgrade"), (b"upgrade", b"websocket"), (b"X-Mixed", b"  v w\t")])
    assert read_whole(data)
    data = data[:at] + noise + data[at + cut :]
    plain = read_whole(data)
    if plain is None:
        return
    assert plain == read(data)
    parsed = Parsed()
    with pytest.raises(httptools.HttpParserUpgrade):
        httptools.HttpRequestParser(parsed).feed_data(data)
    assert parsed.complete
    assert [(name, value.strip(b" \t")) for name, value in parsed.headers] == plain.headers
    assert parsed.url == plain.path + (b"?" + plain.query if b"?" in parsed.url else b"")


async def exchange(node, data, closing=True):
    """What the node answers, up to the end of its head, and then of the connection if it closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(node.url.rpartition(":")[2]))
    try:
        writer.write(data)
        async with asyncio.timeout(5):
            head = await reader.readuntil(b"\r\n\r\n")
            return head + (await reader.read() if closing and b" 101 " not in head else b"")
    finally:
        writer.close()


class Scopes:
    """An app that keeps the scopes of its WebSockets, and accepts or refuses as the path says."""

    def __init__(self, app):
        self.app = app
        self.scopes = []

    async def __call__(self, scope, receive, send):
        if scope["type"] != "websocket":
            return await self.app(scope, receive, send)
        self.scopes.append(
            {**scope, "extensions": sorted(scope["extensions"]), "client": None, "server": None}
        )
        assert await receive() == {"type": "websocket.connect"}
        if scope["path"] == "/deny":
            await send({"type": "websocket.close"})
        elif scope["path"] == "/answer":
            headers = [(b"x-why", b"full")]
            await send({"type": "websocket.http.response.start", "status": 503, "headers": headers})
            await send({"type": "websocket.http.response.body", "body": b"later"})
        elif scope["path"] == "/forget":
            return None
        elif scope["path"] == "/fail":
            raise RuntimeError("as asked")
        else:
            headers = [(b"X-Extra", b"1"), (b"set-cookie", b"a=b")]
            await send({"type": "websocket.accept", "subprotocol": "two", "headers": headers})
            message = await receive()
            await send({"type": "websocket.send", "text": message["text"][::-1]})
            assert (await receive())["type"] == "websocket.disconnect"


ASKED = [
    request(
        b"/a%20b/%C3%A9?x=%20&y=1", [*PLAIN, (b"sec-websocket-protocol", b"one, two"), (b"X-Mixed", b"  v  ")]
    ),
    request(b"/deny"),
    request(b"/answer"),
    request(b"/forget"),
    request(b"/fail"),
    *(data for name, data in STRANGE.items() if name in ("no key", "version 8", "a short key", "two keys")),
]


@pytest.mark.parametrize("data", ASKED, ids=range(len(ASKED)))
async def test_the_same_answer_and_the_same_scope(data):
    """Accepting, refusing, answering, forgetting, failing and bad requests look the same from outside."""
    answers, scopes = [], []
    for protocol in (LaneProtocol, RelayProtocol):
        async with lane_node(wrap=Scopes) as node:
            node.server.config.ws_protocol_class = protocol
            lines = (await exchange(node, data)).split(b"\r\n")
            answers.append([line for line in lines if not line.lower().startswith(b"date:")])
            scopes.append(node.server.config.loaded_app.app.scopes)
    for scope in scopes[0]:
        scope["extensions"].remove("socketio.lane")
    assert answers[0] == answers[1]
    assert scopes[0] == scopes[1]


@pytest.mark.parametrize("protocol", [LaneProtocol, RelayProtocol])
async def test_a_path_that_nobody_serves(protocol):
    """A WebSocket request at a path that python-socketio does not serve is answered with 404."""
    async with lane_node() as node:
        node.server.config.ws_protocol_class = protocol
        answer = await exchange(node, request(b"/elsewhere"))
        assert answer.startswith(b"HTTP/1.1 404 ")
        assert answer.endswith(b"\r\n\r\nNot Found")


async def test_an_ordinary_websocket_goes_on():
    """What is said on a WebSocket of the app's own after the handshake goes to uvicorn's protocol."""
    async with lane_node(wrap=Scopes) as node:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(node.url.rpartition(":")[2]))
        writer.write(request(b"/"))
        async with asyncio.timeout(5):
            assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
            writer.write(b"\x81\x83\0\0\0\0abc")
            assert await reader.readexactly(5) == b"\x81\x03cba"
            writer.write(b"\x88\x82\0\0\0\0\x03\xe8")
            assert await reader.read() == b"\x88\x02\x03\xe8"
        writer.close()
