"""examples/voting: a bare id is a vote, counted right on two nodes."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import json
import sqlite3

import pytest
import socketio
import websockets

from tests.examples.nodes import two_nodes
from tests.harness import SECONDS

VOTERS = 1000


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    database = tmp_path_factory.mktemp("voting") / "voting.sqlite"
    with two_nodes("examples.voting.app:app", VOTING_DB=str(database)) as urls:
        yield urls, database


@pytest.fixture
def voting(served):
    """The two nodes, before anybody has voted."""
    urls, database = served
    with contextlib.closing(sqlite3.connect(database, timeout=10)) as db, db:
        if db.execute("select * from sqlite_master where name = 'votes'").fetchall():
            db.execute("delete from votes")
    return urls


@contextlib.asynccontextmanager
async def ballot(url, voter=""):
    """A WebSocket that has heard how it stands."""
    address = url.replace("http", "ws") + "/vote" + (f"?voter={voter}" if voter else "")
    async with websockets.connect(address, proxy=None, ping_interval=None, open_timeout=60) as ws:
        ws.tally = await hear(ws)
        yield ws


async def hear(ws):
    return json.loads(await asyncio.wait_for(ws.recv(), 60))


async def counted(ws, choice):
    """Vote, and wait until the vote comes back."""
    await ws.send(str(choice))
    while (heard := await hear(ws)) != choice:
        assert "counts" in heard, heard


async def test_thousand_votes_at_once(voting):
    """A thousand voters on two nodes vote at the same time, a third moves its vote: all counts are right."""
    async with contextlib.AsyncExitStack() as stack:
        voters = []
        for start in range(0, VOTERS, 50):
            opening = (ballot(voting[n % 2], f"voter-{n:05}") for n in range(start, start + 50))
            voters += await asyncio.gather(*map(stack.enter_async_context, opening))
        choices = [n % 3 + 1 for n in range(VOTERS)]
        await asyncio.gather(*map(counted, voters, choices))
        moving = [n for n in range(VOTERS) if choices[n] == 3]
        for n in moving:
            choices[n] = 1
        await asyncio.gather(*(counted(voters[n], 1) for n in moving))
        right = {str(choice): count for choice, count in collections.Counter(choices).items()}
        for url in voting:
            async with ballot(url) as late:
                assert late.tally["counts"] == right


async def test_the_last_tally_is_the_right_one(voting):
    """Of all that a silent client hears, the tally with the highest number has every vote."""
    async with ballot(voting[0]) as watching, contextlib.AsyncExitStack() as stack:
        opening = (ballot(voting[n % 2]) for n in range(40))
        voters = await asyncio.gather(*map(stack.enter_async_context, opening))
        await asyncio.gather(*(counted(voter, 2) for voter in voters))
        tallies = []
        while not tallies or max(tallies)[1] != 40:
            heard = await hear(watching)
            tallies.append((heard["revision"], heard["counts"]["2"]))
        assert sorted(tallies) == sorted(tallies, key=lambda tally: tally[1])


async def test_one_voter_has_one_vote(voting):
    """Who votes again, from another connection to the other node, moves the vote."""
    async with ballot(voting[0], "voter-one") as here:
        await counted(here, 1)
    async with ballot(voting[1], "voter-one") as there:
        assert there.tally["counts"] == {"1": 1}
        await counted(there, 3)
    async with ballot(voting[0]) as late:
        assert late.tally["counts"] == {"3": 1}


async def test_bad_votes_are_answered_and_not_counted(voting):
    """What is not on the ballot gets an error, and the next vote counts."""
    async with ballot(voting[0]) as one:
        for wrong in ("9", "tea", "", "1.0", "-1", '{"event": "vote"}', b"\xff", "²"):
            await one.send(wrong)
            assert "is not on the ballot" in (await hear(one))["error"]
        await counted(one, 1)
    async with ballot(voting[1]) as late:
        assert late.tally["counts"] == {"1": 1}


@pytest.mark.parametrize("voter", ["!", "", "x" * 65])
async def test_bad_voter_is_refused(voting, voter):
    """Who gives a voter's name that is none is told so, and let go."""
    address = voting[0].replace("http", "ws") + f"/vote?voter={voter}"
    async with websockets.connect(address, proxy=None) as ws:
        words = "voter must be 8 to 64 letters, digits and hyphens"
        assert await hear(ws) == {"error": words}
        async with asyncio.timeout(SECONDS):
            await ws.wait_closed()
        assert (ws.close_code, ws.close_reason) == (4001, words)


async def test_socketio_client_votes_too(voting):
    """The same handler serves Socket.IO clients."""
    async with ballot(voting[0]) as watching:
        client = socketio.AsyncClient()
        await client.connect(voting[1], transports=["websocket"])
        assert await client.call("vote", 2) == {"counted": 2}
        for wrong in ("2", (), (1, 2), "x" * 9999):
            error = (await client.call("vote", wrong))["error"]
            assert "is not on the ballot" in error
            assert len(error) < 100
        assert (await hear(watching))["counts"] == {"2": 1}
        await client.disconnect()


def test_page(voting, tab):
    """A click is a vote that both tabs show, and the page remembers it."""
    one, two = tab(voting[0]), tab(voting[1])
    one.shows("#state", "0 votes")
    one.find("[value='2']").click()
    two.shows("#state", "1 vote")
    assert two.text("[value='2'] output") == "1"
    two.find("[value='1']").click()
    one.shows("#state", "2 votes")
    one.wait(lambda: one.find("[value='2']").get_attribute("aria-pressed") == "true")
    one.run("ws.send('9')")
    one.shows("#error", "is not on the ballot")
    one.check_page(voting[0])
