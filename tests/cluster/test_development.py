"""`serve` for somebody who develops: --reload, and where the application and its variables come from."""

from __future__ import annotations

import asyncio
import json
import os

import pytest
import watchfiles

from socketio_cluster.cluster.cli.parser import read_options
from socketio_cluster.cluster.errors import UsageError
from socketio_cluster.cluster.supervisor.changes import Watched, watch
from tests.cluster.command import Command, clean_environment
from tests.cluster.returning import reconnecting
from tests.cluster.served import request
from tests.harness import eventually

SOURCE = """
from tests.cluster import tried
tried.VERSION = {}
make = tried.make
"""
LOGGING = {
    "version": 1,
    "formatters": {"own": {"format": "OWN %(node)s %(name)s %(levelname)s %(message)s"}},
    "handlers": {"out": {"class": "logging.StreamHandler", "formatter": "own"}},
    "root": {"level": "INFO", "handlers": ["out"]},
}


class Developed(Command):
    """`serve --reload` of an application in a folder of its own; its first version is a mistake."""

    def __init__(self, folder):
        self.source = folder / "app" / "developed.py"
        self.source.parent.mkdir()
        self.write("def (\n")
        (folder / "variables").write_text(
            "FROM_FILE='of the file'\nWON=lost\nCLUSTER_WORKERS=2\nCLUSTER_NODE_NAME=lost\n"
        )
        (folder / "logging.json").write_text(json.dumps(LOGGING))
        super().__init__(
            *("serve", "developed:make", "--factory", "--port=0", "--reload", "--access-log"),
            *(f"--app-dir={self.source.parent}", f"--env-file={folder / 'variables'}"),
            *(f"--log-config={folder / 'logging.json'}", "--node-name=node"),
            env={"WON": "of the environment", "PYTHONDONTWRITEBYTECODE": "1"},
            drain=True,
        )

    def write(self, text):
        """Save the application."""
        self.source.write_text(text)

    async def shown(self, pattern, times=1):
        """Wait for lines of the log, without blocking the clients of the test."""
        return await asyncio.to_thread(self.wait_for, pattern, times=times)

    async def told(self):
        """What twenty requests were answered: by pid."""
        texts = [(await request(f"{self.url}/"))[2] for _ in range(20)]
        return {one["pid"]: one for one in map(json.loads, texts)}


async def test_reload(tmp_path):
    """A mistake waits for the next save, at the first start and later; each save replaces all workers."""
    with Developed(tmp_path) as served:
        await served.shown("SyntaxError")
        await served.shown("OWN supervisor .* waiting for a change")
        served.write(SOURCE.format(1))
        lines = await served.shown(
            r"node-\d \(\S+\) serves (\S+), bus", times=2
        )  # CLUSTER_WORKERS of the file
        served.url = lines[0][1]
        first = await served.told()
        assert len(first) == 2
        for one in first.values():
            assert (one["version"], one["FROM_FILE"], one["WON"]) == (1, "of the file", "of the environment")
        await served.shown(r"OWN node-\d uvicorn.access INFO 127.0.0.1:\d+ - .GET / HTTP/1.1. 200")

        client = await reconnecting(served.url, ["websocket"])
        await served.shown(r"OWN node-\d uvicorn.error INFO .*WebSocket /socket.io/\S+ \[accepted\]")
        served.write(SOURCE.format(2))
        await served.shown("all workers are replaced")
        second = await served.told()
        assert {one["version"] for one in second.values()} == {2}
        assert len({*first, *second}) == 4
        await eventually(lambda: client.connected, 20)
        await client.shutdown()

        served.write("import nosuchmodule")
        await served.shown("ModuleNotFoundError: No module named 'nosuchmodule'")
        await served.shown("the successor of node-1 cannot start: those that serve stay")
        assert await served.told() == second
        served.write(SOURCE.format(3))
        await served.shown("all workers are replaced", times=2)
        assert {one["version"] for one in (await served.told()).values()} == {3}
    assert served.process.returncode == 0
    assert not [line for line in served.lines if "Started server process" in line]
    assert sum("local bus at" in line for line in served.lines) == 1  # one hub all the time
    assert not [line for line in served.lines if "draining" in line and " in 0 s" not in line]
    traces = [line for line in served.lines if line.startswith("  File")]
    assert traces
    assert not [line for line in traces if "socketio_cluster" in line or "importlib" in line]


def test_an_application_that_never_starts_is_left_by_ctrl_c(tmp_path):
    """While it waits for the first save that mends, the command ends at once and with code 0."""
    with Developed(tmp_path) as served:
        served.wait_for("waiting for a change")
    assert served.process.returncode == 0


@pytest.mark.parametrize(
    ("includes", "excludes", "path", "counts"),
    [
        ((), (), "/app/shop/models.py", True),
        ((), (), "/app/page.html", False),
        ((), (), "/app/.hidden.py", False),
        (("*.html",), (), "/app/page.html", True),
        (("*.html",), (), "/app/shop.py", True),
        ((), ("*.py",), "/app/shop.py", False),
        ((), ("test_*.py",), "/app/test_shop.py", False),
        ((".*",), (), "/app/.hidden.py", True),
        ((), ("{folder}",), "{folder}/deep/shop.py", False),
        ((), ("{folder}",), "/app/shop.py", True),
    ],
)
def test_what_is_watched(includes, excludes, path, counts, tmp_path):
    """Python's files are, but for hidden ones; the user includes and excludes, by pattern or folder."""
    watched = Watched(includes, [text.format(folder=tmp_path) for text in excludes])
    assert watched(watchfiles.Change.modified, path.format(folder=tmp_path)) is counts


def test_defaults_of_development(monkeypatch):
    """With --reload there is one worker and no drain, unless the user says so; lists may be repeated."""
    monkeypatch.delenv("CLUSTER_DRAIN_WINDOW", raising=False)
    plain, developed = (read_options(["serve", "a:b", *more]) for more in ([], ["--reload"]))
    assert (plain.drain_window, developed.drain_window, developed.workers) == (10, 0, 1)
    told = ["--workers=3", "--drain-window=5", "--reload-dir=a,b", "--reload-dir", "c"]
    options = read_options(["serve", "--reload", "a:b", *told])
    assert (options.workers, options.drain_window, options.reload_dir) == (3, 5, ("a", "b", "c"))
    monkeypatch.setenv("CLUSTER_RELOAD", "yes")
    monkeypatch.setenv("CLUSTER_RELOAD_DIR", "d,e")
    assert read_options(["serve", "a:b"]).reload_dir == ("d", "e")
    assert not read_options(["serve", "a:b", "--no-reload"]).reload


def test_file_of_variables_by_a_shorter_option(tmp_path, monkeypatch):
    """What the command line takes for --env-file is read as well."""
    file = tmp_path / "variables"
    file.write_text("CLUSTER_NODE_NAME=of-the-file\n")
    monkeypatch.setattr(os, "environ", clean_environment())
    assert read_options(["serve", "a:b", f"--env-f={file}"]).node_name == "of-the-file"


async def test_watch_that_ends_is_told(tmp_path, monkeypatch, caplog):
    """Where the system gives no more watches, the log says so, and how to replace the workers instead."""

    def refused(*_, **__):
        raise RuntimeError("Too many open files (os error 24)")

    monkeypatch.setattr(watchfiles, "awatch", refused)
    await watch(read_options(["serve", "a:b", "--reload", f"--app-dir={tmp_path}"]), lambda: None)
    assert "Too many open files" in caplog.text
    assert "SIGHUP" in caplog.text


def test_file_of_variables_that_is_no_text(tmp_path):
    """It is refused with its name."""
    (tmp_path / "variables").write_bytes(b"A=\xff\xfe")
    with pytest.raises(UsageError, match="variables cannot be read"):
        read_options(["serve", "a:b", f"--env-file={tmp_path / 'variables'}"])
