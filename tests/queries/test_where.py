"""Filters by what is in the sessions, which each node applies to its own clients."""

from __future__ import annotations

import pytest

from socketio_cluster import ClientAnswer
from socketio_cluster.manager.queries.conditions import conditions, fulfils
from tests.harness import fence

SESSION = {"team": "red", "level": 3, "user": {"id": 7, "tags": ["a"]}, "x y": None}


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({}, True),
        ({"team": "red"}, True),
        ({"team": "red", "level": 4}, False),
        ({"team ==": "red", "level >": 2, "level <=": 3}, True),
        ({"level <": 3}, False),
        ({"level >=": 3}, True),
        ({"level >=": "3"}, False),
        ({"team !=": "blue"}, True),
        ({"team in": ["red", "blue"]}, True),
        ({"team in": {"blue"}}, False),
        ({"user.id": 7}, True),
        ({"user.id.more": 7}, False),
        ({"user.tags": ("a",)}, True),
        ({"absent": None, "absent !=": 1, "x y": None}, True),
        ({"absent <": 1}, False),
    ],
)
def test_conditions(where, expected):
    """All conditions hold, or the client is not meant; what cannot be compared does not hold."""
    assert fulfils(SESSION, conditions(where)) is expected


def test_what_raises():
    """An object in a session that cannot be compared, such as an array of numpy, fulfils no condition."""

    class Array:
        def __eq__(self, other):
            raise ValueError("the truth value of an array is ambiguous")

    assert not fulfils({"team": Array()}, conditions({"team": "red"}))


def test_what_is_no_session():
    """A session that is no dict has no fields."""
    assert fulfils("text", conditions({"team": None}))
    assert not fulfils(None, conditions({"team": "red"}))


@pytest.mark.parametrize(
    ("where", "error", "text"),
    [
        ("team", TypeError, "where is a dict"),
        ({7: 1}, TypeError, "a field of where is a text"),
        ({"level =>": 1}, ValueError, "no relation '=>'"),
        ({"": 1}, ValueError, "no relation ''"),
        ({"team in": "red"}, TypeError, "needs a list"),
        ({"team": object()}, TypeError, "object"),
    ],
)
async def test_bad_filters(nodes, where, error, text):
    """A filter that cannot be is refused at once, by each call."""
    sio = nodes[0].sio
    for ask in (sio.fetch_sockets, sio.count, sio.disconnect_sockets):
        with pytest.raises(error, match=text):
            await ask(where=where)
    with pytest.raises(error, match=text):
        sio.emit_with_ack("ask", where=where)


async def test_every_call(nodes, connect):
    """Each call, and each emit of an operator, means only clients whose session fulfils the filter."""
    clients = [await connect(node) for node in nodes for _ in range(2)]
    for number, one in enumerate(clients):
        node = nodes[number // 2]
        await node.sio.save_session(one.sid, {"team": "red" if number % 2 else "blue", "level": number})
    a, b = clients[3], clients[5]  # the red ones above level 1
    sio, where = nodes[0].sio, {"team": "red", "level >": 1}
    assert {one.sid for one in await sio.fetch_sockets(where=where)} == {a.sid, b.sid}
    assert [one.sid for one in await sio.where(where).except_(a.sid).fetch_sockets(session=False)] == [b.sid]
    assert await sio.count(where=where) == await sio.where({"team": "red"}).where({"level >": 1}).count() == 2
    assert await sio.count(where=where, local=True) == 0
    assert await sio.sockets_join("high", where=where) == 2
    assert await sio.rooms_of(a.sid) == {"high"}
    assert await sio.sockets_leave("high", where={"level": 3}) == 1
    await sio.where(where).emit("tick", 1)
    await sio.to("high", *[one.sid for one in clients]).where({"level": 3}).emit("tick", 2)
    assert await a.next("tick") == [1]
    assert await a.next("tick") == [2]
    assert await b.next("tick") == [1]
    for node in nodes:
        await fence(node, *clients)
    assert await sio.emit_with_ack("ask", 5, where={"level": 5}) == [ClientAnswer(b.sid, 5)]
    assert await sio.disconnect_sockets(where=where) == 2
    await a.gone.wait()
    await b.gone.wait()
    assert await sio.count() == 4
