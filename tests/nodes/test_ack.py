"""Acknowledgements cross nodes in both directions, and nobody waits for a client that is gone."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest
from socketio.exceptions import TimeoutError as NoAnswer

from tests.harness import SECONDS, eventually
from tests.jsclient import js_driver

ANSWERS = [
    ((), None),
    ("one", "one"),
    (b"\x00\x01", b"\x00\x01"),
    ({"deep": [b"\x02", None]}, {"deep": [b"\x02", None]}),
    (("two", b"\x03", [3]), ("two", b"\x03", [3])),
]


class Recorder:
    """A callback that keeps what it was called with."""

    def __init__(self):
        self.calls = asyncio.Queue()

    def __call__(self, *args):
        self.calls.put_nowait(args)

    async def called(self):
        return await asyncio.wait_for(self.calls.get(), SECONDS)


@pytest.mark.parametrize("serializer", ["default", "msgpack"])
async def test_call(nodes, connect_any, serializer):
    """``call`` to a client of this or another node gives its answer, bytes included both ways."""
    here, there = await connect_any(nodes[0]), await connect_any(nodes[2])
    for one in (here, there):
        for data, answer in ANSWERS:
            assert await nodes[0].sio.call("ask", data, to=one.sid, timeout=SECONDS) == answer


@pytest.mark.parametrize("serializer", ["msgpack"])
async def test_keys_that_are_no_texts(nodes, javascript):
    """An emit with a callback carries what the serializer writes and would not read from a client."""
    async with js_driver() as driver:
        async with (
            driver.client(nodes[0], serializer="msgpack") as here,
            driver.client(nodes[1], serializer="msgpack") as there,
        ):
            for one in (here, there):
                answer = await nodes[0].sio.call("ask", {1: "one"}, to=one.sid, timeout=SECONDS)
                assert answer == {"1": "one"}
            await nodes[0].sio.emit("end", callback=(recorder := Recorder()))
            assert [await recorder.called(), await recorder.called()] == [(), ()]


async def test_callback(nodes, connect_any):
    """The callback of an emit is called once with the answer of a client of another node."""
    there = await connect_any(nodes[1])
    recorder = Recorder()
    await nodes[0].sio.emit("ask", ("a", b"b"), to=there.sid, callback=recorder)
    assert await recorder.called() == ("a", b"b")
    await nodes[0].sio.call("ask", to=there.sid)
    assert recorder.calls.empty()


async def test_callback_that_awaits_a_call(nodes, connect):
    """An ack callback may itself await ``call`` to a client of the node the ack came from."""
    there, other = await connect(nodes[1]), await connect(nodes[1])
    answers = asyncio.Queue()

    async def callback(word):
        answers.put_nowait(await nodes[0].sio.call("again", word + "!", to=other.sid, timeout=SECONDS))

    await nodes[0].sio.emit("ask", "word", to=there.sid, callback=callback)
    assert await asyncio.wait_for(answers.get(), SECONDS) == "word!"


async def test_callback_for_a_room(nodes, connect):
    """The callback of an emit to a room is called for its members on other nodes."""
    there = await connect(nodes[1])
    await nodes[1].sio.enter_room(there.sid, "blue")
    recorder = Recorder()
    await nodes[0].sio.emit("ask", "room", room="blue", callback=recorder)
    assert await recorder.called() == ("room",)


async def test_callback_that_raises(nodes, connect):
    """A callback that raises does no harm: the next answer arrives."""
    there = await connect(nodes[1])
    await nodes[0].sio.emit("ask", "bad", to=there.sid, callback=lambda word: 1 / 0)
    assert await nodes[0].sio.call("ask", "good", to=there.sid, timeout=SECONDS) == "good"


async def test_handler_results(nodes, connect_any):
    """What a handler returns is the ack, also when it had to ask a client of another node first."""
    asker, expert = await connect_any(nodes[0]), await connect_any(nodes[2])
    results = {"none": None, "bytes": b"\x00", "tuple": ("a", b"b", {"c": 1}), "list": [1, 2]}
    nodes[0].sio.on("result", lambda sid, name: results[name])

    @nodes[0].sio.event
    async def relay(sid, words):
        return await nodes[0].sio.call("relayed", words, to=expert.sid, timeout=SECONDS)

    assert await asker.call("result", "none") == []
    assert await asker.call("result", "bytes") == [b"\x00"]
    assert await asker.call("result", "tuple") == ["a", b"b", {"c": 1}]
    assert await asker.call("result", "list") == [[1, 2]]
    assert await asker.call("relay", {"bytes": b"\xff"}) == [{"bytes": b"\xff"}]


@pytest.mark.parametrize("home", [0, 1], ids=["local", "remote"])
async def test_no_answer_in_time(nodes, connect_any, home):
    """``call`` raises TimeoutError when the client does not answer in time."""
    silent = await connect_any(nodes[home], reply=False)
    with pytest.raises(NoAnswer):
        await nodes[0].sio.call("ask", to=silent.sid, timeout=0.2)


@pytest.mark.parametrize("home", [0, 1], ids=["local", "remote"])
async def test_client_leaves_while_it_is_asked(nodes, connect_any, home):
    """``call`` ends with TimeoutError as soon as the client it waits for disconnects."""
    silent = await connect_any(nodes[home], reply=False)
    call = asyncio.create_task(nodes[0].sio.call("ask", to=silent.sid, timeout=60))
    assert await silent.next("ask") == []
    await silent.disconnect()
    with pytest.raises(NoAnswer):
        await asyncio.wait_for(call, SECONDS)


@pytest.mark.parametrize("home", [0, 1], ids=["local", "remote"])
async def test_call_to_a_client_that_is_gone(nodes, connect, home):
    """``call`` to the sid of a client that has left ends at once with TimeoutError."""
    one = await connect(nodes[home])
    sid = one.sid
    await one.disconnect()
    await eventually(lambda: nodes[home].log[-1][:2] == ("disconnect", sid))
    with pytest.raises(NoAnswer):
        await asyncio.wait_for(nodes[0].sio.call("ask", to=sid, timeout=60), SECONDS)


async def test_call_to_a_client_of_no_node(nodes):
    """``call`` to a sid that names a node nobody knows ends early with TimeoutError."""
    with pytest.raises(NoAnswer):
        await asyncio.wait_for(nodes[0].sio.call("ask", to="A" * 20, timeout=60), SECONDS)


@pytest.mark.parametrize("home", [0, 1], ids=["local", "remote"])
async def test_callbacks_of_vanished_clients_are_released(nodes, connect, home):
    """Nothing holds on to a callback once the client that should have answered is gone."""
    silent = await connect(nodes[home], reply=False)
    callback = Recorder()
    alive = weakref.ref(callback)
    await nodes[0].sio.emit("ask", to=silent.sid, callback=callback)
    assert await silent.next("ask") == []
    del callback
    assert alive() is not None
    await silent.disconnect()

    def released():
        gc.collect()
        return alive() is None

    await eventually(released)
