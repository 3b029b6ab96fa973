"""examples/chat: plain WebSocket and Socket.IO users of two nodes in one room."""

from __future__ import annotations

import asyncio
import contextlib
from types import SimpleNamespace

import pytest
import socketio

from tests.examples.nodes import raw, two_nodes
from tests.harness import SECONDS
from tests.recovery.door import Door


@pytest.fixture(scope="module")
def chat(tmp_path_factory):
    database = tmp_path_factory.mktemp("chat") / "chat.sqlite"
    with two_nodes("examples.chat.app:app", CHAT_DB=str(database)) as urls:
        yield urls


@contextlib.asynccontextmanager
async def socketio_user(url):
    """A Socket.IO client that keeps what it hears in ``heard``."""
    client = socketio.AsyncClient()
    client.heard = asyncio.Queue()
    client.on("*", lambda event, data=None: client.heard.put_nowait((event, data)))
    await client.connect(url, transports=["websocket"])
    try:
        yield client
    finally:
        await client.disconnect()


async def heard(client, event):
    """The data of the next such event that a Socket.IO client hears."""
    async with asyncio.timeout(SECONDS):
        while True:
            name, data = await client.heard.get()
            if name == event:
                return data


class People:
    """Who is there, as a plain client puts it together; some of an earlier test may still be leaving."""

    def __init__(self, one):
        self.one = one
        self.kinds = {}

    async def are(self, **kinds):
        """Wait for the list of just these people, with the way each of them came."""
        while self.kinds != kinds:
            message = await self.one.hear_any("presence_state", "presence_diff")
            for key in message.get("leaves", ()):
                self.kinds.pop(key, None)
            joined = {**message.get("state", {}), **message.get("joins", {})}
            self.kinds |= {key: presence["metas"][0]["kind"] for key, presence in joined.items()}


async def test_two_kinds_on_two_nodes_talk(chat):
    """What each of them says reaches the other, with the name, the way and the node it came by."""
    async with raw(chat[0]) as ada, socketio_user(chat[1]) as bob:
        assert await ada.ask("register", data="  Ada ") == {"name": "Ada", "node": "node-1"}
        assert await bob.call("register", "Bob") == {"name": "Bob", "node": "node-2"}
        assert {await ada.hear("joined"), await ada.hear("joined")} == {"Ada", "Bob"}
        assert await ada.ask("send", data="hello") == {}
        said = {"name": "Ada", "kind": "WebSocket", "node": "node-1", "text": "hello"}
        assert await heard(bob, "message") == said
        assert await bob.call("send", "hi") == {}
        assert await ada.hear("message") == said
        assert (await ada.hear("message"))["kind"] == "Socket.IO"


async def test_list_of_people_spans_the_nodes(chat):
    """Everybody sees who is there on both nodes, and sees them go, by unregistering or by leaving."""
    async with raw(chat[0]) as watching:
        people = People(watching)
        await people.are()
        async with raw(chat[1]) as ada, socketio_user(chat[0]) as bob:
            await ada.ask("register", data="Ada")
            await people.are(Ada="WebSocket")
            await bob.call("register", "Bob")
            await people.are(Ada="WebSocket", Bob="Socket.IO")
            await bob.call("unregister")
            await people.are(Ada="WebSocket")
        await people.are()


async def test_a_name_belongs_to_one(chat):
    """Of many who want a name at the same time, on both nodes, one gets it."""
    async with contextlib.AsyncExitStack() as stack:
        many = [await stack.enter_async_context(raw(chat[number % 2])) for number in range(10)]
        answers = await asyncio.gather(*(one.ask("register", data="Eve") for one in many))
        assert sum("name" in answer for answer in answers) == 1
        assert {"error": "Eve is taken: choose another name"} in answers


@pytest.mark.parametrize(
    ("event", "data", "error"),
    [
        ("register", "", "a name has 1 to 24 characters, this one 0"),
        ("register", {"name": "x"}, "a name must be text"),
        ("register", "x" * 25, "a name has 1 to 24 characters, this one 25"),
        ("register", "Ada\u202e", "a name has only characters that can be seen"),
        ("register", "\ud800", "a name has only characters that can be seen"),
        ("send", "hello", "register with a name first"),
    ],
)
async def test_bad_input_is_answered(chat, event, data, error):
    """Each kind of client is told what was wrong, and goes on."""
    async with raw(chat[0]) as one, socketio_user(chat[1]) as two:
        assert await one.ask(event, data=data) == {"error": error}
        assert await two.call(event, data) == {"error": error}
        assert await one.ask(event, room="tea", data=data) == {"error": f"{event} takes one value, not 2"}
        assert await one.ask("unregister") == {}


def test_page(chat, tab):
    """Two tabs on two nodes, one by WebSocket and one by Socket.IO, talk and see each other."""
    ada, bob = tab(chat[0]), tab(chat[1])
    ada.shows("#state", "connected")
    ada.find("#name").send_keys("Ada\n")
    ada.shows("#people", "Ada")
    bob.show().find("[value=io]").click()
    bob.shows("#state", "connected")
    bob.find("#name").send_keys("Ada\n")
    bob.shows("#error", "Ada is taken")
    bob.find("#name").clear()
    bob.find("#name").send_keys("Bob\n")
    ada.shows("#people", "Bob")
    bob.show().find("#text").send_keys("<b>hello</b>\n")
    ada.shows("#log", "<b>hello</b>")
    assert ada.text(".message .badge") == "Socket.IO"
    ada.find("#leave").click()
    bob.shows("#log", "Ada left")
    bob.wait(lambda: bob.text("#count") == "1")
    for one, url in ((ada, chat[0]), (bob, chat[1])):
        one.check_page(url)


async def test_comes_back(chat, tab):
    """A page whose connection is cut comes back to the other node: it has missed nothing, and never left."""
    hear = []

    async def browse(function, *args):
        return await asyncio.to_thread(function, *args)

    async with Door(SimpleNamespace(url=chat[0])) as door, socketio_user(chat[1]) as bob:
        bob.on("*", lambda event, data=None: hear.append((event, data)))
        assert "name" in await bob.call("register", "Cyd")
        ada = await browse(tab, door.url)
        await browse(ada.shows, "#state", "connected")
        await browse(lambda: ada.find("#name").send_keys("Dee\n"))
        await browse(ada.shows, "#state", "on node-1")
        door.cut()
        for number in range(3):
            assert await bob.call("send", f"word {number}") == {}
        await browse(ada.shows, "#state", "connection lost")
        door.lead(SimpleNamespace(url=chat[1]))
        await browse(ada.shows, "#state", "on node-2")
        await browse(ada.shows, "#log", "word 2")
        words = await browse(ada.run, "[...document.querySelectorAll('.words')].map((one) => one.innerText)")
        assert words == ["word 0", "word 1", "word 2"]
        await browse(lambda: ada.find("#text").send_keys("here again\n"))
        await browse(ada.shows, "#log", "here again")
        assert [data for event, data in hear if event in ("joined", "left")] == ["Cyd", "Dee"]
        await browse(lambda: ada.find("#leave").click())
        await browse(ada.driver.get_log, "browser")  # the connections that were refused
