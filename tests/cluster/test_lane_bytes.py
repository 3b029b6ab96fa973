"""A client cannot tell the lane from the ordinary path: the messages are the same, byte for byte."""

from __future__ import annotations

import json

import engineio
import pytest
import socketio

from socketio_cluster.cluster.lane.frames import BINARY, TEXT
from tests.cluster.lane_helpers import client_frame, lane_node, raw

PAYLOADS = [
    *(
        None,
        True,
        0,
        -1.5,
        10**20,
        float("inf"),
        "",
        "text",
        'quo"te\\\n\0',
        "ünï€🎉",
        "x" * 126,
        "y" * 66_000,
    ),
    *([], {}, [[]], {"a": [1, {"b": None}]}, {"ü": "ü"}, ("several", 1, None), (), [("tuple", "inside")]),
    *(b"", b"bytes", b"z" * 126, bytearray(b"array"), b"w" * 66_000, {"deep": [b"1", {"er": b"2"}]}),
    *((b"1", "between", b"2"), {"_placeholder": True, "num": 0}, "/chat,", "1-[]"),
]
EVENTS = ["plain", "with space", 'quo"te', "ünï€", "/slash", "1", "connected", "message"]
ACKS = [
    None,
    False,
    0,
    "",
    "text",
    "ünï€",
    [],
    [1],
    (),
    ("two", 2),
    {"a": None},
    b"",
    b"bytes",
    ("one", b"two"),
]


class Recorder:
    """A client that notes each message as it comes, its own sids by other names."""

    def __init__(self, one, node):
        self.one = one
        self.node = node
        self.sids = {one.eio_sid: "EIO"}
        self.messages = []

    async def read(self, count):
        for _ in range(count):
            opcode, payload = await self.one.frame()
            for sid, name in self.sids.items():
                payload = payload.replace(sid.encode(), name.encode())
            self.messages.append((opcode, payload))
            if opcode == TEXT and payload.startswith((b"45", b"46")):
                await self.read(int(payload[2 : payload.index(b"-")]))

    async def join(self, packet, namespace):
        """Connect to a namespace; its sid goes by the namespace's name."""
        await self.one.say(packet)
        opcode, payload = await self.one.frame()
        sid = json.loads(payload[payload.index(b"{") :])["sid"]
        self.sids[sid] = f"SID of {namespace}"
        self.messages.append((opcode, payload.replace(sid.encode(), self.sids[sid].encode())))
        return sid


async def emits(recorder, sid, namespace):
    """The server emits everything, to all, to a room, to the client, and asks it."""
    sio = recorder.node.sio
    await sio.enter_room(sid, "room", namespace=namespace)
    for data in PAYLOADS:
        await sio.emit("payload", data, namespace=namespace)
        await sio.send(data, to=sid, namespace=namespace)
        await sio.emit("asked", data, to=sid, namespace=namespace, callback=print)
    for event in EVENTS:
        await sio.emit(event, event, room="room", namespace=namespace)
    await recorder.read(3 * len(PAYLOADS) + len(EVENTS))


async def events(recorder, head, namespace):
    """The client sends events of all kinds and gets its acks."""
    one = recorder.one
    recorder.node.sio.on("ask", lambda sid, which: ACKS[which], namespace=namespace)
    for which in range(len(ACKS)):
        await one.say(f'42{head}{which + 1}["ask",{which}]')
        await recorder.read(1)
    await one.say(f'42{head}0["echo","ünï€",[1.0,null]]', f'42{head}99999999999["echo",{{"a":"\\u00fc"}}]')
    await recorder.read(2)
    placeholder = '{"_placeholder":true,"num":0}'
    await one.say(f'451-{head}8["echo",{placeholder}]')
    await one.send(client_frame(BINARY, b"attachment"))
    await recorder.read(1)


async def session(lane, options):
    """Everything that one client sees of a session."""
    async with lane_node(lane, server_options=options) as node, raw(node, namespace=False) as one:
        recorder = Recorder(one, node)
        recorder.messages.append(one.opened.replace(one.eio_sid, "EIO"))
        sid = await recorder.join("40", "/")
        chat = await recorder.join('40/chat,{"token":1}', "/chat")
        await one.say("40", "40/nowhere,")
        await recorder.read(2)
        await emits(recorder, sid, "/")
        await emits(recorder, chat, "/chat")
        await events(recorder, "", "/")
        await events(recorder, "/chat,", "/chat")
        await node.sio.emit("bye", to=sid)
        await node.sio.disconnect(sid)
        await recorder.read(2)
        await one.say("41/chat,")
        await recorder.join("40", "/ again")
        await node.sio.eio.disconnect(one.eio_sid)
        await recorder.read(1)
        return recorder.messages


class Json:
    """A JSON module of the application's own: not compact, and not ASCII."""

    @staticmethod
    def dumps(data, **options):
        return json.dumps(data, ensure_ascii=False, indent=1)

    loads = staticmethod(json.loads)


@pytest.fixture(autouse=True)
def standard_json():
    """The JSON module given to a server is set on classes of both libraries, for the whole process."""
    classes = [socketio.packet.Packet, engineio.packet.Packet]
    before = [each.json for each in classes]
    yield
    for each, json_module in zip(classes, before, strict=True):
        each.json = json_module


@pytest.mark.parametrize("options", [{}, {"json": Json}, {"async_handlers": False}], ids=["", "json", "sync"])
async def test_same_bytes(options):
    """A session with all kinds of events, acks, namespaces and disconnects is the same on both paths."""
    fast, ordinary = await session(True, options), await session(False, options)
    for one, other in zip(fast, ordinary, strict=True):
        assert one == other
    assert fast[-1] == (TEXT, b"1")
    assert len(fast) > 2 * (3 * len(PAYLOADS) + len(EVENTS) + len(ACKS))
