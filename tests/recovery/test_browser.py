"""A page in Chromium with the official client."""

from __future__ import annotations

import asyncio

from selenium.webdriver.support.ui import WebDriverWait

from tests.cluster.browser import chromium
from tests.jsclient import HERE, install
from tests.recovery.clients import left

PAGE = """
<!doctype html>
<title>recovery</title>
<script src="/socket.io.js"></script>
<script>
  const connects = [], got = [];
  const socket = io({ transports: [new URLSearchParams(location.search).get("transport")] });
  socket.on("connect", () => connects.push([socket.id, socket.recovered]));
  socket.on("news", (number) => got.push(number));
</script>
"""


class Page:
    """The page in a browser. Selenium waits in threads, because the nodes run in this loop."""

    def __init__(self, driver):
        self._driver = driver

    async def open(self, url):
        await asyncio.to_thread(self._driver.get, url)

    async def offline(self, offline):
        """Take the network away from the browser, or give it back."""
        conditions = {"offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        await asyncio.to_thread(self._driver.execute_cdp_cmd, "Network.emulateNetworkConditions", conditions)

    async def value(self, expression):
        return await asyncio.to_thread(self._driver.execute_script, f"return ({expression})")

    async def until(self, condition):
        wait = WebDriverWait(self._driver, 60, 0.05)
        await asyncio.to_thread(wait.until, lambda one: one.execute_script(f"return ({condition})"))


def serve(nodes, folder):
    """Let all nodes serve the page and the library."""
    page = folder / "page.html"
    page.write_text(PAGE)
    library = HERE / "node_modules/socket.io-client/dist/socket.io.min.js"
    for node in nodes:
        node.app.static_files = {
            "/": {"filename": str(page), "content_type": "text/html"},
            "/socket.io.js": {"filename": str(library), "content_type": "text/javascript"},
        }


async def test_a_page(nodes, door, tmp_path):
    """Cut off by a proxy, on either transport: ``socket.recovered`` is true, and nothing was missed."""
    install()
    serve(nodes, tmp_path)
    a, b, c = nodes
    with chromium(tmp_path / "profile") as driver:
        page = Page(driver)
        for transport in ("websocket", "polling"):
            door.lead(a)
            await page.open(f"{door.url}/?transport={transport}")
            await page.until("connects.length == 1")
            ((sid, recovered),) = await page.value("connects")
            assert recovered is False
            await a.sio.enter_room(sid, "red")
            await b.sio.emit("news", 0, room="red")
            await page.until("got.length == 1")
            for number, node in enumerate((b, c), 1):
                door.cut()
                await b.sio.emit("news", number, room="red")
                await page.until("!socket.connected")
                door.lead(node)
                await page.until(f"connects.length == {number + 1} && got.length == {number + 1}")
            assert await page.value("connects") == [[sid, False], [sid, True], [sid, True]]
            assert await page.value("got") == [0, 1, 2]
            await page.value("void socket.disconnect()")
            await left(c, sid)


async def test_a_browser_without_network(nodes, door, tmp_path):
    """A page whose browser has no network for a while is recovered when it is back."""
    install()
    serve(nodes, tmp_path)
    a, b, _ = nodes
    with chromium(tmp_path / "profile") as driver:
        page = Page(driver)
        await page.open(f"{door.url}/?transport=polling")
        await page.until("connects.length == 1")
        ((sid, _),) = await page.value("connects")
        await page.offline(True)
        await page.until("!socket.connected")
        for number in range(3):
            await b.sio.emit("news", number, to=sid)
        door.lead(b)
        await page.offline(False)
        await page.until("got.length == 3")
        assert await page.value("connects") == [[sid, False], [sid, True]]
        assert await page.value("got") == [0, 1, 2]
