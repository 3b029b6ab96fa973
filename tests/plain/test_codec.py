"""The JSON format, and one of the application's own."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from socketio_cluster import BadMessage, JsonCodec, Message
from socketio_cluster.cluster.plain.message import check
from tests.harness import client
from tests.plain.plain import bare, plain_nodes

codec = JsonCodec()


@pytest.mark.parametrize(
    ("message", "wire"),
    [
        (Message("say"), '{"event":"say"}'),
        (Message("say", (None,)), '{"event":"say","data":null}'),
        (Message("say", (1, "x")), '{"event":"say","data":[1,"x"]}'),
        (Message("say", ("é",), room=5, ack=0), '{"event":"say","room":5,"ack":0,"data":"\\u00e9"}'),
        (Message(ack=3), '{"ack":3}'),
        (Message(error="no", ack=3), '{"ack":3,"error":"no"}'),
        (Message("photo", (b"\n\x00",)), b'{"event":"photo"}\n\n\x00'),
        (Message("photo", ([b"a", 1],)), '{"event":"photo","data":[{"base64":"YQ=="},1]}'),
    ],
)
def test_encode(message, wire):
    """A message is an object with the fields that it has."""
    assert codec.encode(message) == wire


@pytest.mark.parametrize(
    ("wire", "message"),
    [
        ('{"event":"say"}', Message("say")),
        (b'{"event":"say"}', Message("say")),
        ('{"event":"say","data":null}', Message("say", (None,))),
        ('{"event":"say","data":[1,2],"room":"tea","ack":0}', Message("say", ([1, 2],), "tea", 0)),
        ('{"ack":3,"data":"yes"}', Message(args=("yes",), ack=3)),
        (b'{"event":"photo"}\n', Message("photo", (b"",))),
    ],
)
def test_decode(wire, message):
    """Missing data is no argument, null is one, and a list is one."""
    assert check(codec.decode(wire)) == message


fields = st.fixed_dictionaries(
    {},
    optional={
        name: st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.text()))
        for name in ("event", "data", "room", "ack")
    },
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.one_of(
        st.text(), st.binary(), fields.map(json.dumps), fields.map(lambda one: json.dumps(one).encode())
    )
)
def test_whatever_comes(wire):
    """Anything from a client is a message or has words for it."""
    try:
        message = check(codec.decode(wire))
    except BadMessage as error:
        assert str(error)
    else:
        assert isinstance(message.event, str) or isinstance(message.ack, int)


class Digits:
    """A format of the application's own: a bare number in, a bare number out, silence for the rest."""

    def decode(self, data):
        if not (isinstance(data, str) and data.isdigit()):
            raise BadMessage("send a number")
        return Message("add", (int(data),))

    def encode(self, message):
        if message.error is not None:
            return f"error: {message.error}"
        return str(message.args[0]) if message.event == "sum" else None


async def test_own_codec(local_url, prefix):
    """With a codec of its own an endpoint speaks it both ways, beside Socket.IO clients."""
    total = 0

    def adding(node):
        async def add(sid, number):
            nonlocal total
            total += number
            await node.sio.emit("sum", total)

        node.sio.on("add", add)

    settings = {"endpoint": {"codec": Digits(), "path": "/digits"}, "configure": adding}
    async with plain_nodes(local_url, prefix, **settings) as [here, there]:
        async with bare(here, "/digits") as one, client(there) as two:
            await one.ws.send("4")
            assert await one.ws.recv() == "4"
            assert await two.next("sum") == [4]
            await two.emit("add", 3)
            assert await one.ws.recv() == "7"
            await one.ws.send("many")
            assert await one.ws.recv() == "error: send a number"


async def test_codec_that_fails_keeps_nothing_from_others(local_url, prefix, caplog):
    """An event that a codec cannot encode is logged, and the Socket.IO clients of the room get it."""

    class Broken(JsonCodec):
        def encode(self, message):
            if message.event == "odd":
                raise RuntimeError("cannot")
            return super().encode(message)

    settings = {"endpoint": {"codec": Broken()}, "count": 1}
    async with plain_nodes(local_url, prefix, **settings) as [node]:
        async with bare(node) as one, client(node) as two:
            await one.hear()
            await node.sio.emit("odd", 1)
            await node.sio.emit("even", 2)
            assert (await one.hear())["event"] == "even"
            assert (await two.next("odd"), await two.next("even")) == ([1], [2])
    assert "cannot be encoded" in caplog.text


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity"])
def test_no_json(constant):
    """What only Python takes for JSON is refused, and null goes out in its place."""
    with pytest.raises(BadMessage, match="not JSON"):
        codec.decode(f'{{"event":"say","data":{constant}}}')
    assert codec.encode(Message("say", ([float(constant)],))) == '{"event":"say","data":[null]}'
    assert codec.encode(Message("say", ("NaN",))) == '{"event":"say","data":"NaN"}'
