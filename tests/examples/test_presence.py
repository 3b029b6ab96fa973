"""examples/presence: who is online, in three rooms on three nodes, in a browser."""

from __future__ import annotations

from urllib.parse import urlsplit

import psutil
import pytest

from tests.cluster.command import Command


@pytest.fixture
def served():
    """The command that serves three nodes, and the URL of each."""
    with Command(
        "serve", "examples.presence.app:app", "--workers=3", "--port=0", "--direct-port=0"
    ) as command:
        nodes = command.nodes(3)
        yield command, [nodes[f"node-{number}"][1].rstrip("/") for number in (1, 2, 3)]


def named(tab, name):
    tab.shows("#state", "on node-")
    tab.find("#name").send_keys(name)
    return tab


def press(tab, room, button):
    tab.show().find(f"#{room} .{button}").click()


def people(tab, room):
    """Each person of a room, with the nodes of the tabs."""
    script = """[...document.querySelectorAll(`#${arguments[0]} li`)].map((item) =>
        [...item.childNodes].map((part) => part.textContent).sort())"""
    return tab.run(script, room)


def kill_worker_at(url, command):
    """Kill the worker that serves a tab at this address."""
    for worker in psutil.Process(command.process.pid).children():
        connected = [one for one in worker.net_connections() if one.status == psutil.CONN_ESTABLISHED]
        if urlsplit(url).port in [one.laddr.port for one in connected]:
            worker.kill()


def test_page(served, tab):
    """Tabs on three nodes see who is in each room, by name and node, and who comes and goes."""
    _, urls = served
    ada, bob, watcher = named(tab(urls[0]), "Ada"), named(tab(urls[1]), "Bob"), tab(urls[2])
    press(ada, "garden", "enter")
    press(bob, "garden", "enter")
    press(bob, "library", "enter")
    for one in (ada, bob, watcher):
        one.wait(lambda one=one: people(one, "garden") == [["Ada", "node-1"], ["Bob", "node-2"]])
        one.wait(lambda one=one: people(one, "library") == [["Bob", "node-2"]])
        assert people(one, "kitchen") == []
    again = named(tab(urls[2]), "Ada")
    press(again, "garden", "enter")
    watcher.wait(lambda: people(watcher, "garden") == [["Ada", "node-1", "node-3"], ["Bob", "node-2"]])
    press(ada, "garden", "busy")
    press(again, "garden", "busy")
    watcher.wait(
        lambda: watcher.run("document.querySelector('#garden li.busy')?.innerText ?? ''").startswith("Ada")
    )
    press(ada, "garden", "leave")
    press(again, "garden", "leave")
    watcher.wait(lambda: people(watcher, "garden") == [["Bob", "node-2"]])
    assert watcher.text("#log").splitlines().count("Ada left the garden") == 1
    press(again, "kitchen", "enter")
    watcher.wait(lambda: watcher.text("#kitchen output") == "1")
    again.show().find("#name").clear()
    press(again, "kitchen", "enter")
    again.shows("#error", "a name has 1 to 24 characters")
    for one, url in ((ada, urls[0]), (watcher, urls[2])):
        one.check_page(url)


def test_reload_and_killed_node(served, tab):
    """Nobody sees a tab leave that is loaded again, nor the tabs of a worker that is killed and replaced."""
    command, urls = served
    ada, watcher = named(tab(urls[0]), "Ada"), tab(urls[2])
    press(ada, "garden", "enter")
    watcher.wait(lambda: people(watcher, "garden") == [["Ada", "node-1"]])
    ada.show().driver.refresh()
    named(ada, "Ada")
    press(ada, "garden", "enter")
    ada.wait(lambda: people(ada, "garden") == [["Ada", "node-1"]])
    kill_worker_at(urls[0], command)
    command.wait_for("node-1 was killed by SIGKILL")
    ada.wait(lambda: "on node-1" not in ada.text("#state"))
    ada.shows("#state", "on node-1")
    ada.wait(lambda: people(ada, "garden") == [["Ada", "node-1"]])
    watcher.wait(lambda: people(watcher, "garden") == [["Ada", "node-1"]])
    assert "Ada left the garden" not in watcher.text("#log")
