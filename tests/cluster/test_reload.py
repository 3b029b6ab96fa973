"""SIGHUP: workers are replaced one by one, by workers with the application as it is then."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import pty
import signal
import subprocess
import sys

import aiohttp
import pytest

from socketio_cluster.cluster.cli.parser import read_options
from socketio_cluster.cluster.internal import Places
from tests.cluster.command import Command, alive, clean_environment, wait_until
from tests.cluster.returning import reconnecting
from tests.cluster.served import Served, request
from tests.cluster.watched import TRANSPORTS, crowd
from tests.harness import eventually
from tests.jsclient import js_driver

APPLICATION = """
from tests.cluster import drain_app
app = drain_app.app
drain_app.VERSION = {}
"""
SERVES = r"node-\d \(\S+\) serves"


class Changing(Served):
    """A supervisor that serves an application which the test changes."""

    def __init__(self, folder, *options, **more):
        self.source = folder / "changing.py"
        self.write(APPLICATION.format(1))
        env = {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
        super().__init__(folder, *options, app="changing:app", env=env, **more)

    def write(self, text):
        """Change the application."""
        self.source.write_text(text)

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    async def shown(self, pattern, times=1):
        """Wait for lines of the log, without blocking the clients of the test."""
        return await asyncio.to_thread(self.wait_for, pattern, times=times)


@contextlib.asynccontextmanager
async def asking(url):
    """Ask again and again for the version, on kept and on new connections; gives the statuses and texts."""
    answers = []

    async def ask(http):
        while True:
            async with http.get(f"{url}/who") as answer:
                answers.append((answer.status, await answer.text()))
            await asyncio.sleep(0.01)

    fresh = aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True))
    async with aiohttp.ClientSession() as kept, fresh:
        tasks = [asyncio.create_task(ask(http)) for http in (kept, fresh)]
        yield answers
        failed = [task for task in tasks if task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    assert not failed, failed


@pytest.mark.parametrize("workers", [1, 2])
async def test_workers_are_replaced_and_nobody_is_turned_away(workers, tmp_path):
    """Every request is answered, by the changed application at the end, and every client comes back."""
    with Changing(tmp_path, "--drain-window=1", workers=workers) as served:
        async with js_driver() as driver, asking(served.url) as answers:
            clients = await crowd(driver, served.url, 9)
            python = [await reconnecting(served.url, transports) for transports in TRANSPORTS]
            served.write(APPLICATION.format(2))
            served.reload()
            await served.shown("all workers are replaced")
            await eventually(lambda: all(len(client.came) > 1 for client in clients + python), 12)
            for client in clients:
                assert await client.call("echo", "here again") == ["here again"]
            await eventually(lambda: answers[-1][1].split()[-1] == "2")
            assert {status for status, _ in answers} == {200}
            for client in python:
                await client.shutdown()
    texts = {tuple(text.split()) for _, text in answers}
    pids = {version: {pid for _, _, pid, each in texts if each == version} for version in "12"}
    assert [len(pids[version]) for version in "12"] == [workers, workers]
    assert not any(alive(int(pid)) for pid in pids["1"])


async def test_polls_of_a_worker_that_was_replaced_reach_it(tmp_path):
    """While its clients are let go a session by polling goes on, though its successor has the address."""
    with Changing(tmp_path, "--drain-window=30", workers=1) as served:
        url = f"{served.url}/socket.io/?EIO=4&transport=polling"
        async with js_driver() as driver, aiohttp.ClientSession() as http:
            clients = await crowd(driver, served.url, 6, reconnection=False)
            async with http.get(url) as opened:
                url += "&sid=" + json.loads((await opened.text())[1:])["sid"]  # the last one to be let go
            served.reload()
            await eventually(lambda: any(one.went for one in clients))
            await http.post(url, data="40")
            async with http.get(url) as polled:
                assert "40{" in await polled.text()
            assert len({(await request(f"{served.url}/who"))[2] for _ in range(5)}) == 1
            served.process.terminate()
            await served.shown("stopping$")
            served.process.terminate()
            assert (await served.ended())[0] == 0


async def test_application_that_cannot_start_changes_nothing(tmp_path):
    """With a mistake in it the workers that serve stay; when it is mended they are replaced."""
    with Changing(tmp_path, "--drain-window=0") as served:
        before = {(await request(f"{served.url}/who"))[2] for _ in range(20)}
        served.write("import nosuchmodule")
        served.reload()
        await served.shown("the successor of node-1 cannot start: those that serve stay")
        assert {(await request(f"{served.url}/who"))[2] for _ in range(20)} == before
        served.write(APPLICATION.format(2))
        served.reload()
        await served.shown("all workers are replaced")
        assert {(await request(f"{served.url}/who"))[2].split()[-1] for _ in range(20)} == {"2"}


async def test_stop_ends_a_reload(tmp_path):
    """SIGTERM while a worker with clients is replaced ends all workers, old and new, with code 0."""
    with Changing(tmp_path, "--drain-window=60") as served:
        async with js_driver() as driver:
            await crowd(driver, served.url, 12, reconnection=False)
            served.reload()
            await served.shown(SERVES, times=3)
            children = await asyncio.to_thread(workers_of, served.process.pid)
            served.process.terminate()
            await served.shown("stopping$")
            served.process.terminate()
            assert (await served.ended())[0] == 0
    assert len(children) == 3
    assert not any(alive(pid) for pid in children)


def workers_of(pid):
    """The processes whose parent is this one."""
    return [int(line) for line in subprocess.check_output(["pgrep", "-P", str(pid)]).split()]


async def test_worker_takes_no_notice_of_a_hang_up(tmp_path):
    """A SIGHUP that reaches all processes replaces each worker once, as one for the supervisor alone."""
    with Changing(tmp_path, "--drain-window=0") as served:
        for pid in workers_of(served.process.pid):
            os.kill(pid, signal.SIGHUP)
        served.reload()
        await served.shown("all workers are replaced")
        assert not [line for line in served.lines if "SIGHUP" in line]


async def test_changed_secret_is_read(tmp_path):
    """The successors get the secret as its file has it then; without the file all stays as it is."""
    secret = tmp_path / "secret"
    secret.write_text("the secret of yesterday")
    serve = ("serve", "tests.cluster.app:app", "--port=0", "--workers=1", f"--secret-file={secret}")
    with Command(*serve) as command:
        [url] = command.nodes(1)["node-1"]
        secret.rename(tmp_path / "hidden")
        command.process.send_signal(signal.SIGHUP)
        await asyncio.to_thread(command.wait_for, "cannot be read: .*: the workers stay as they are")
        assert json.loads((await request(f"{url}/settings"))[2])["secret"] == "the secret of yesterday"
        secret.write_text("the secret of tomorrow")
        command.process.send_signal(signal.SIGHUP)
        await asyncio.to_thread(command.wait_for, "all workers are replaced")
        assert json.loads((await request(f"{url}/settings"))[2])["secret"] == "the secret of tomorrow"


def test_successor_takes_the_spare_internal_port(tmp_path):
    """Ports are one more than workers, and the one of a worker that has ended is taken again."""
    options = read_options(["serve", "x:app", "--workers=2", "--internal-port=9000"])
    places = Places(options, tmp_path)
    first, second, third = (places.acquire() for _ in range(3))
    assert [place.port for place in (first, second, third)] == [9000, 9001, 9002]
    places.release(first)
    assert places.acquire().port == 9000
    assert len({place.socket for place in (first, second, third, places.acquire())}) == 4


@pytest.mark.parametrize("survives", [False, True])
def test_end_of_the_terminal(survives, tmp_path):
    """A terminal that is closed stops the server that was started from it, unless by nohup."""
    log = tmp_path / "log"
    log.touch()
    pid, terminal = pty.fork()
    if pid == 0:
        signal.signal(signal.SIGHUP, signal.SIG_IGN if survives else signal.SIG_DFL)
        command = (
            f"exec {sys.executable} -m socketio_cluster serve tests.cluster.app:app --port=0 --workers=1"
        )
        os.execve("/bin/sh", ["sh", "-c", f"{command} > {log} 2>&1"], clean_environment())
    wait_until(lambda: " serves " in log.read_text())
    [worker] = workers_of(pid)
    os.close(terminal)
    if survives:
        wait_until(lambda: "all workers are replaced" in log.read_text())
        os.kill(pid, signal.SIGTERM)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert not alive(worker)
