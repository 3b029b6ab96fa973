"""The applications of docs/applications.md are nodes of a cluster."""

from __future__ import annotations

import asyncio
import contextlib
import os

import aiohttp
import pytest
import socketio
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from tests.cluster.browser import chromium
from tests.cluster.command import ROOT, Command
from tests.flask.page import files


@pytest.fixture
def serve(tmp_path):
    """Starts two workers of one of the page's files; returns the URL of each worker."""
    for name, text in files("applications.md").items():
        (tmp_path / name).write_text(text)
    env = {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    with contextlib.ExitStack() as stack:

        def start(app):
            ports = ["--port=0", "--direct-port=0"]
            command = Command("serve", app, *ports, "--workers=2", env=env, cwd=tmp_path)
            return [direct for _, direct in stack.enter_context(command).nodes(2).values()]

        yield start


@contextlib.asynccontextmanager
async def client(url, path, **options):
    """A client below a path, with what it hears of ``news``."""
    one, heard = socketio.AsyncClient(), asyncio.Queue()
    one.on("news", heard.put)
    await one.connect(url, socketio_path=path, transports=["websocket"], **options)
    yield one, heard
    await one.disconnect()


async def test_nicegui(serve):
    """News reach the readers on both workers, from whichever the request went to."""
    urls = serve("panel:app")
    async with contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(client(url, "/_nicegui_ws/socket.io")) for url in urls]
        for one, _ in clients:
            await one.call("read", "weather")
        async with aiohttp.ClientSession() as http:
            for url in urls:
                async with http.post(f"{url}/news/weather", params={"text": url}) as answer:
                    assert answer.status == 204
        for _, heard in clients:
            assert {await asyncio.wait_for(heard.get(), 15) for _ in urls} == set(urls)


def test_nicegui_page(serve, tmp_path):
    """NiceGUI's own page works in a browser that stays with one worker."""
    url = serve("panel:app")[1]
    with chromium(tmp_path / "profile") as driver:

        def text():
            return driver.find_element(By.TAG_NAME, "body").text

        driver.get(url)
        wait = WebDriverWait(driver, 60, 0.05)
        wait.until(lambda _: driver.find_elements(By.CSS_SELECTOR, "button"))
        wait.until(lambda _: driver.execute_script("return window.socket?.connected"))
        driver.find_element(By.CSS_SELECTOR, "button").click()
        wait.until(lambda _: "hello" in text())


async def test_open_webui(serve):
    """Users in a channel are seen on each worker, and a call reaches the browser of another one."""
    urls = serve("webui:app")
    async with contextlib.AsyncExitStack() as stack:
        users = [
            await stack.enter_async_context(client(url, "/ws/socket.io", auth={"user": name}))
            for url, name in zip(urls, ("ada", "bob"), strict=True)
        ]
        (ada, _), (bob, _) = users
        assert await ada.call("join-channel", "lab") == ["ada"]
        assert await bob.call("join-channel", "lab") == ["ada", "bob"]
        bob.on("execute", lambda code: f"ran {code}")
        assert await ada.call("ask", {"session": bob.get_sid(), "code": "1 + 1"}) == "ran 1 + 1"
        async with aiohttp.ClientSession() as http:
            for url in urls:
                for user, active in {"ada": True, "bob": True, "eve": False}.items():
                    async with http.get(f"{url}/users/{user}/active") as answer:
                        assert await answer.json() is active
