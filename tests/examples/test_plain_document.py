"""docs/plain-websocket.md, executed: its server on two nodes and under other servers, and its clients."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import subprocess
import sys
from types import SimpleNamespace

import pytest
import websockets

from tests.cluster.command import ROOT, clean_environment
from tests.examples.nodes import raw, two_nodes
from tests.harness import SECONDS
from tests.recovery.door import Door
from tests.services.process import free_port, stop, wait_for_port

PAGE = (ROOT / "docs" / "plain-websocket.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
SERVER, CLIENT, CODEC = (text for kind, text in BLOCKS if kind == "python")
[SCRIPT] = (text for kind, text in BLOCKS if kind == "js")
[RETURNING] = (text for kind, text in BLOCKS if kind == "javascript")
[CURL] = (text for kind, text in BLOCKS if kind == "sh")
[HEARD] = (text for kind, text in BLOCKS if not kind)
ADDRESS = "127.0.0.1:8000"
SERVERS = {
    "uvicorn": lambda port: ["uvicorn", "page:app", "--port", port],
    "hypercorn": lambda port: ["hypercorn", "page:app", "--bind", f"127.0.0.1:{port}"],
    "granian": lambda port: ["granian", "page:app", "--interface", "asgi", "--port", port],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The page's two servers as modules."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "page.py").write_text(SERVER)
    handler = "\n@sio.event\nasync def vote(sid, choice):\n    await sio.emit('count', choice)\n"
    (folder / "ballot.py").write_text(SERVER + CODEC + handler)
    return folder


@pytest.fixture(scope="module")
def nodes(folder):
    with two_nodes("page:app", PYTHONPATH=f"{folder}:{ROOT}") as urls:
        yield urls


def at(url, text):
    """A snippet with the address of a node."""
    assert ADDRESS in text
    return text.replace(ADDRESS, url.removeprefix("http://"))


def same(lines):
    """Messages without what differs each time."""
    messages = [json.loads(line) for line in lines]
    messages[0]["data"]["sid"] = len(messages[0]["data"]["sid"])
    return messages


def test_python_program(nodes, tmp_path):
    """The program prints what the page says."""
    (tmp_path / "client.py").write_text(at(nodes[0], CLIENT))
    run = subprocess.run([sys.executable, tmp_path / "client.py"], capture_output=True, text=True, timeout=30)
    assert run.stderr == ""
    assert same(run.stdout.splitlines()) == same(HEARD.splitlines())


def test_page_without_a_library(nodes, tab):
    """The browser's console shows what the page says."""
    one = tab(nodes[1] + "/socket.io/")  # an error's text: any page of this origin will do
    one.run("window.heard = [], console.log = (text) => window.heard.push(text)")
    one.driver.execute_script(at(nodes[1], SCRIPT))
    one.wait(lambda: len(one.run("window.heard")) == 3)
    assert same(one.run("window.heard")) == same(HEARD.splitlines())
    one.driver.get_log("browser")  # the origin's page was an error on purpose


async def test_a_page_that_comes_back(folder, tab):
    """The page's client is recovered on the other node, and hears what it missed once."""
    heard = RETURNING.replace("JSON.parse(data);", "JSON.parse(data); window.heard.push(message);")
    assert heard != RETURNING
    with two_nodes("page:app", PYTHONPATH=f"{folder}:{ROOT}", CLUSTER_RECOVERY_SECONDS="60") as urls:
        first, second = (SimpleNamespace(url=url) for url in urls)
        async with Door(first) as door, raw(urls[1]) as other:
            one = await asyncio.to_thread(tab, door.url + "/socket.io/")

            async def heard_by_the_page(count):
                await asyncio.to_thread(one.wait, lambda: one.run("window.heard.length") >= count)
                return await asyncio.to_thread(one.run, "window.heard")

            await asyncio.to_thread(
                one.run, "(window.heard = [], window.load = () => window.heard.push('load'), 0)"
            )
            await asyncio.to_thread(one.driver.execute_script, at(door.url, heard))
            welcome, load = await heard_by_the_page(2)
            assert (welcome["data"]["recovered"], load) == (False, "load")
            sid = welcome["data"]["sid"]
            await other.ask("say", room=sid, data="live")
            assert (await heard_by_the_page(3))[2]["data"] == "live"
            door.cut()
            await other.ask("say", room=sid, data="missed")
            door.lead(second)
            _, _, _, again, missed = await heard_by_the_page(5)
            assert again["data"] == {**welcome["data"], "recovered": True}
            assert missed["data"] == "missed"
            await asyncio.to_thread(one.driver.get_log, "browser")  # refused connections


def test_curl_listens(nodes):
    """The shell command shows the welcome."""
    command = at(nodes[0], CURL).replace("curl ", "curl --max-time 1 ")
    heard = subprocess.run(command, shell=True, capture_output=True, timeout=30).stdout
    assert b'{"event":"connect","data":{"sid":"' in heard


async def test_rooms_span_the_nodes(nodes):
    """What is said on one node is heard on the other."""
    async with raw(nodes[0]) as one, raw(nodes[1]) as two:
        for each in (one, two):
            await each.ask("join", room="tea")
        assert await one.ask("say", room="tea", data="hello") == "told"
        assert await two.hear("said") == "hello"


async def test_own_format(folder):
    """The codec of the page takes bare numbers, beside nothing but its own path."""
    with two_nodes("ballot:app", PYTHONPATH=f"{folder}:{ROOT}") as urls:
        address = [url.replace("http", "ws") + "/vote" for url in urls]
        async with websockets.connect(address[0], proxy=None) as one:
            async with websockets.connect(address[1], proxy=None) as two:
                for each in (one, two):  # who has an answer is connected, and hears the others
                    await each.send("7")
                    assert await each.recv() == "send 1, 2 or 3"
                await one.send("2")
                assert (await one.recv(), await two.recv()) == ("2", "2")


@contextlib.contextmanager
def served(name, folder, bus, prefix):
    """The page's server under another program; gives its URL."""
    port = free_port()
    environment = clean_environment() | {"PYTHONPATH": f"{folder}:{ROOT}"}
    environment |= {"CLUSTER_BUS": bus, "CLUSTER_PREFIX": prefix}
    log = folder / f"{name}-{port}.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *SERVERS[name](str(port))],
            cwd=folder,
            env=environment,
            stdout=output,
            stderr=output,
        )
    try:
        wait_for_port(port, process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        stop(process)


@pytest.mark.parametrize("name", SERVERS)
async def test_other_servers(name, folder, redis_url, prefix):
    """Under each other server the endpoint works: two programs are two nodes, with errors, ends and acks."""
    with served(name, folder, redis_url, prefix) as here, served(name, folder, redis_url, prefix) as there:
        async with raw(here) as one, raw(there) as two:
            for each in (one, two):
                await each.ask("join", room="tea")
            assert await one.ask("say", room="tea", data="hello") == "told"
            assert await two.hear("said") == "hello"
            assert await one.ask("sya") == "nobody here handles the event 'sya'"
            for _ in range(10):
                await one.ws.send("nonsense")
            with contextlib.suppress(websockets.ConnectionClosed):
                while True:
                    await asyncio.wait_for(one.ws.recv(), SECONDS)
            assert one.ws.close_code == 1008
