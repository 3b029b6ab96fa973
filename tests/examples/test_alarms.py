"""examples/alarms: measurements once a second to those registered, and the alarms of the last minutes."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from operator import itemgetter

import pytest
import socketio

from examples.alarms.sensors import Limits, Reading, measure, wrong
from examples.alarms.warehouse import Warehouse
from tests.examples.nodes import raw, two_nodes
from tests.harness import SECONDS

MILK = Limits(2, 6, 85)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    database = tmp_path_factory.mktemp("alarms") / "alarms.sqlite"
    with two_nodes("examples.alarms.app:app", ALARMS_DB=str(database)) as urls:
        yield urls, database


@pytest.fixture
def alarms(served):
    return served[0]


@contextlib.asynccontextmanager
async def display(url):
    """A Socket.IO client that keeps the measurements it gets."""
    client = socketio.AsyncClient()
    client.measured = asyncio.Queue()
    client.on("measured", client.measured.put_nowait)
    await client.connect(url, transports=["websocket"])
    try:
        yield client
    finally:
        await client.disconnect()


async def measured(client, times):
    async with asyncio.timeout(times + SECONDS):
        return [await client.measured.get() for _ in range(times)]


async def measured_in(client, seconds):
    """The measurements of these seconds, when all have come.

    Each node emits what it has measured itself, so two seconds may come the other way round.
    """
    found = []
    async with asyncio.timeout(len(seconds) + SECONDS):
        while not {one["second"] for one in found}.issuperset(seconds):
            found.append(await client.measured.get())
    return sorted((one for one in found if one["second"] in seconds), key=itemgetter("second"))


async def test_every_second_once_on_both_nodes(alarms):
    """Displays on both nodes get each second of their storehouse once, with the same values."""
    async with display(alarms[0]) as one, display(alarms[1]) as two:
        assert (await one.call("register", 1))["name"] == "Milk"
        await two.call("register", 1)
        now = int(time.time())
        seconds = range(now + 1, now + 5)
        here, there = await asyncio.gather(measured_in(one, seconds), measured_in(two, seconds))
        assert [measurement["second"] for measurement in here] == list(seconds)
        assert {measurement["storehouse"] for measurement in here} == {1}
        assert here == there


async def test_one_storehouse_at_a_time(alarms):
    """Who registers for another storehouse hears no more of the first, and nothing after unregistering."""
    async with display(alarms[0]) as one, display(alarms[1]) as other:
        await one.call("register", 1)
        await other.call("register", 1)
        await measured(one, 1)
        await one.call("register", 6)
        while not one.measured.empty():
            one.measured.get_nowait()
        assert [(await measured(one, 1))[0]["storehouse"] for _ in range(2)] == [6, 6]
        await one.call("unregister")
        while not one.measured.empty():
            one.measured.get_nowait()
        await measured(other, 3)
        assert one.measured.empty()


async def test_alarms_of_the_last_minutes(served):
    """The alarms of one storehouse from the last n minutes come from the database, the latest first."""
    urls, database = served
    now = int(time.time())
    with contextlib.closing(sqlite3.connect(database, timeout=10)) as db, db:
        added = [(6, now - age, "too cold", 1.5) for age in (30, 290, 400)] + [(7, now - 30, "too cold", 9)]
        db.executemany("insert into alarm values (?, ?, ?, ?)", added)
    async with raw(urls[1]) as one:
        await one.ask("register", data=6)
        cold = [alarm for alarm in await one.ask("alarms", data=5) if alarm["kind"] == "too cold"]
        assert [alarm["second"] for alarm in cold] == [now - 30, now - 290]


async def test_directory(alarms):
    """Organisations and their storehouses are told by both nodes."""
    async with raw(alarms[0]) as one, display(alarms[1]) as two:
        names = [organisation["name"] for organisation in await one.ask("organisations")]
        assert names == ["City Pharmacies", "Northern Dairies", "Orchard Union"]
        assert [house["name"] for house in await two.call("storehouses", 2)] == ["Apples", "Nuts", "Pears"]


@pytest.mark.parametrize(
    ("event", "data", "error"),
    [
        ("storehouses", 99, "there is no organisation 99"),
        ("register", 99, "there is no storehouse 99"),
        ("register", "1 or 1=1", "a storehouse must be a whole number from 1 to 2147483648, not '1 or 1=1'"),
        ("register", True, "a storehouse must be a whole number from 1 to 2147483648, not True"),
        ("alarms", 0, "minutes must be a whole number from 1 to 1440, not 0"),
        ("alarms", None, "minutes must be a whole number from 1 to 1440, not None"),
        ("alarms", 5, "register for a storehouse first"),
    ],
)
async def test_bad_input_is_answered(alarms, event, data, error):
    """Each kind of client is told what was wrong, and goes on."""
    async with raw(alarms[0]) as one, display(alarms[1]) as two:
        assert await one.ask(event, data=data) == {"error": error}
        assert await two.call(event, data) == {"error": error}
        assert await two.call(event, (data, data)) == {"error": f"{event} takes one value, not 2"}
        assert (await one.ask("register", data=3))["name"] == "Apples"


async def test_one_of_two_measures(tmp_path):
    """Of two nodes that try to measure the same second one does, and alarms begin once."""
    path = str(tmp_path / "alarms.sqlite")
    nodes = [Warehouse(path), Warehouse(path)]
    start = 1_800_000_000
    await nodes[0].tick(start)
    for second in range(start + 1, start + 20):
        (one, _), (other, _) = await asyncio.gather(*(node.tick(second) for node in nodes))
        assert sorted((len(one), len(other))) == [0, 7]
    late, _ = await nodes[0].tick(start + 600)
    assert sorted({one["second"] for one in late}) == list(range(start + 596, start + 601))
    begun = await nodes[1].rows("select second from alarm where storehouse = 1 and second > ?", start)
    assert {alarm["second"] for alarm in begun} == set(expected(1, start + 1, start + 600))


def expected(storehouse, first, last):
    """The seconds in which something at Milk leaves its limits."""
    for second in range(first, last + 1):
        now, before = (wrong(measure(storehouse, MILK, at), MILK) for at in (second, second - 1))
        if now.keys() - before.keys():
            yield second


def test_limits():
    """Each value beyond its limit is named."""
    assert wrong(Reading(6.1, 85.1), MILK) == {"too warm": 6.1, "too humid": 85.1}
    assert wrong(Reading(1.9, 50), MILK) == {"too cold": 1.9}
    assert wrong(Reading(2, 85), MILK) == {}


def test_page(alarms, tab):
    """A chosen storehouse shows its values and its alarms; a wrong number of minutes is explained."""
    one = tab(alarms[0])
    one.shows("#storehouses", "Vaccines")
    one.find("#storehouses [value='6']").click()
    one.wait(lambda: one.text("#temperature output") not in ("", "–"))
    assert one.text("#temperature .limits") == "2 to 8 °C"
    one.find("#minutes").clear()
    one.find("#minutes").send_keys("many\n")
    one.shows("#error", "minutes must be a whole number from 1 to 1440, not 'many'")
    one.find("#minutes").clear()
    one.find("#minutes").send_keys("1440\n")
    one.wait(lambda: one.text("#error") == "")
    one.check_page(alarms[0])
