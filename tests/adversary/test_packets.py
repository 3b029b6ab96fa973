"""Packets that no honest client sends get the same answer whichever way they come."""

from __future__ import annotations

import asyncio

import msgpack
import pytest

from tests.adversary.conftest import node_for, way_in
from tests.bare_sessions import raw_websocket

PLACE = '{"_placeholder":true,"num":0}'
BROKEN = {
    "one attachment in many places": f'451-["echo",{",".join([PLACE] * 5000)}]',
    "one attachment in no place": '451-["echo"]',
    "a negative place": '451-["echo",{"_placeholder":true,"num":-1}]',
    "an integer of 101 digits": f'42["echo",{"9" * 101}]',
    "an id of 101 digits": f'42{"9" * 101}["echo"]',
}


@pytest.mark.parametrize("case", BROKEN)
async def test_closed(node, way, case):
    """A packet that no client makes ends the session, and no handler sees it."""
    async with asyncio.timeout(10), way_in(node, way) as one:
        await one.send(BROKEN[case])
        assert await one.packets() == []
    assert [entry[0] for entry in node.log if entry[0] == "echo"] == []


async def test_integers_of_a_hundred_digits(node, way):
    """The longest integers that are taken come back as they are."""
    longest = "9" * 100
    async with asyncio.timeout(10), way_in(node, way) as one:
        await one.send(f'421["echo",{longest}]')
        assert await one.next() == f"431[{longest}]"


ODD = [
    {"nsp": 7},
    {"nsp": []},
    {"nsp": {}},
    {"nsp": b"/"},
    {"id": "x"},
    {"id": []},
    {"id": 1.5},
    {"id": True},
]


@pytest.mark.parametrize("way", ["lane", "no-lane", "flask-websocket"])
async def test_msgpack_of_odd_types(way, monkeypatch, caplog):
    """A msgpack packet with a namespace or an id of another type ends the session with a warning."""
    packets = [
        {"type": kind, "nsp": "/", "data": ["echo"] if kind > 1 else None} | odd
        for kind in range(4)
        for odd in ODD
    ]
    async with node_for(way, monkeypatch, serializer="msgpack") as node, asyncio.timeout(30):
        for packet in packets:
            async with raw_websocket(node) as ws:
                await ws.send(msgpack.dumps({"type": 0, "nsp": "/"}))
                assert msgpack.loads(await ws.recv())["type"] == 0
                await ws.send(msgpack.dumps(packet))
                await ws.wait_closed()
    assert {entry[0] for entry in node.log} <= {"connect", "disconnect"}
    assert caplog.text.count("broke the protocol") == len(packets)
    assert [record.message for record in caplog.records if record.exc_info] == []
