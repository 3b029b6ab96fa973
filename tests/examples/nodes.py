"""An example on two nodes, and a tab of the browser on each."""

from __future__ import annotations

import asyncio
import contextlib
import json

import pytest
import websockets
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from tests.cluster.command import Command
from tests.harness import SECONDS

PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True}


@contextlib.contextmanager
def two_nodes(target, **env):
    """Serve an example on two nodes; gives their URLs."""
    command = Command("serve", target, "--workers=2", "--port=0", "--direct-port=0", env=env)
    with command:
        nodes = command.nodes(2)
        yield [nodes[f"node-{number}"][1].rstrip("/") for number in (1, 2)]
        failures = [line for line in command.lines if "Traceback" in line or " error " in line.lower()]
        assert not failures, "\n".join(command.lines)


class Raw:
    """A WebSocket without any library of ours, that speaks JSON; ``events`` has what was emitted to it."""

    def __init__(self, ws):
        self.ws = ws
        self.number = 0
        self.events = []

    async def hear(self, event):
        """The data of the next event of this name; others are passed over."""
        return await self.hear_any(event)

    async def hear_any(self, *events):
        """The data of the next event with one of these names."""
        while True:
            if self.events:
                message = self.events.pop(0)
            else:
                message = json.loads(await asyncio.wait_for(self.ws.recv(), SECONDS))
            if message.get("event") in events:
                return message.get("data")

    async def ask(self, event, **fields):
        """Send an event and give its answer."""
        self.number += 1
        await self.ws.send(json.dumps({"event": event, "ack": self.number, **fields}))
        while True:
            message = json.loads(await asyncio.wait_for(self.ws.recv(), SECONDS))
            if message.get("ack") == self.number:
                return message.get("data", message.get("error"))
            self.events.append(message)


@contextlib.asynccontextmanager
async def raw(url, path="/ws"):
    """A connected ``Raw``."""
    async with websockets.connect(url.replace("http", "ws") + path, proxy=None) as ws:
        one = Raw(ws)
        await one.hear("connect")
        yield one


class Tab:
    """One tab of the browser."""

    def __init__(self, driver, url):
        driver.switch_to.new_window("tab")
        driver.get(url)
        self.driver = driver
        self.handle = driver.current_window_handle

    def show(self):
        self.driver.switch_to.window(self.handle)
        return self

    def wait(self, condition):
        self.show()
        WebDriverWait(self.driver, 60, 0.05).until(lambda _: condition())

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def text(self, selector):
        return self.run("document.querySelector(arguments[0])?.innerText ?? ''", selector)

    def run(self, expression, *arguments):
        return self.driver.execute_script(f"return {expression}", *arguments)

    def shows(self, selector, words):
        """Wait until an element has these words in it."""
        self.wait(lambda: words in self.text(selector))

    def check_page(self, url):
        """Nothing comes from elsewhere, the console is empty, and a phone needs no sideways scrolling."""
        self.show()
        loaded = self.run("performance.getEntriesByType('resource').map(entry => entry.name)")
        assert loaded
        assert all(name.startswith(url) for name in loaded), loaded
        assert self.driver.get_log("browser") == []
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
        assert self.run("document.documentElement.scrollWidth") == PHONE["width"]
        self.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.fixture
def tab(driver):
    """Give a function that opens tabs, which are closed after the test."""
    first = driver.current_window_handle
    opened = []

    def open_tab(url):
        opened.append(Tab(driver, url))
        return opened[-1]

    yield open_tab
    for one in opened:
        one.show()
        driver.close()
    driver.switch_to.window(first)
