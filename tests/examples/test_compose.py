"""examples/compose without Docker: valid files, and nodes with its settings behind HAProxy with its file."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager

import aiohttp
import pytest
import yaml

from tests.cluster.command import ROOT, Command
from tests.cluster.returning import reconnecting
from tests.cluster.served import request
from tests.harness import eventually
from tests.services.process import free_port, program, stop, wait_for_port

FOLDER = ROOT / "examples" / "compose"
COMPOSE = yaml.safe_load((FOLDER / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]
NODES = ("blue", "green")


def test_compose_file_is_valid():
    """It is as the schema of the Compose specification wants it."""
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*check, FOLDER / "compose.yaml"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout


def test_everything_it_names_is_there():
    """The Dockerfile, each mounted file, and each service that another one waits for or asks."""
    for name, service in SERVICES.items():
        if "build" in service:
            assert (FOLDER / service["build"] / "Dockerfile").is_file()
        assert set(service.get("depends_on", {})) <= set(SERVICES)
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source in COMPOSE["volumes"] or (FOLDER / source).exists(), f"{name} mounts {source}"
    scrapes = yaml.safe_load((FOLDER / "prometheus.yml").read_text())["scrape_configs"]
    targets = [one for scrape in scrapes for one in scrape["static_configs"]]
    assert [one["targets"] for one in targets] == [[f"{node}:8001"] for node in NODES]
    datasource = yaml.safe_load((FOLDER / "grafana" / "datasource.yaml").read_text())["datasources"][0]
    assert (
        datasource["url"].split("/")[2] == f"prometheus:{SERVICES['prometheus']['ports'][0].split(':')[-1]}"
    )
    provider = yaml.safe_load((FOLDER / "grafana" / "dashboards.yaml").read_text())["providers"][0]
    mounted = [one.split(":")[:2] for one in SERVICES["grafana"]["volumes"]]
    [shown] = [FOLDER / source for source, place in mounted if place == provider["options"]["path"]]
    [dashboard] = [json.loads(path.read_text()) for path in shown.glob("*.json")]
    chosen = {variable["name"] for variable in dashboard["templating"]["list"]}
    assert chosen - {"datasource"} == set(targets[0]["labels"])


@pytest.mark.skipif(not shutil.which("promtool"), reason="no promtool here")
def test_prometheus_understands_its_file():
    """Prometheus itself finds no fault with it."""
    done = subprocess.run(["promtool", "check", "config", FOLDER / "prometheus.yml"], capture_output=True)
    assert done.returncode == 0, done.stderr


class Node(Command):
    """A node of the example: what the image sets and what Compose sets, but for addresses of this machine."""

    def __init__(self, name, redis_url):
        self.name = name
        image = re.findall(r"(CLUSTER_\w+)=(\S+)", (ROOT / "Dockerfile").read_text())
        settings = dict(image) | SERVICES[name]["environment"]
        assert settings["CLUSTER_BUS"].split("/")[2] == "redis:6379"
        self.port, self.probe = free_port(), free_port()
        here = {"CLUSTER_HOST": "127.0.0.1", "CLUSTER_INTERNAL_HOST": "127.0.0.1"}
        here |= {"CLUSTER_ADVERTISE": "127.0.0.1", "CLUSTER_INTERNAL_PORT": str(free_port())}
        here |= {"CLUSTER_PORT": str(self.port), "CLUSTER_PROBE_PORT": str(self.probe)}
        here |= {"CLUSTER_BUS": redis_url, "CLUSTER_SECRET": "s" * 32}
        assert set(here) <= set(settings)
        super().__init__("serve", env=settings | here | {"CLUSTER_DRAIN_WINDOW": "1"})

    def check_health(self):
        """Run what Docker runs in the container."""
        check = re.search(r"HEALTHCHECK .*\n +CMD (\[.*\])", (ROOT / "Dockerfile").read_text())[1]
        command = [sys.executable, *json.loads(check)[1:]]
        subprocess.run(command, env={"CLUSTER_PROBE_PORT": str(self.probe)}, check=True, timeout=30)


@contextmanager
def running(command, port, folder):
    """A server of the example, until it is stopped."""
    log = folder / f"{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, cwd=folder)
    try:
        wait_for_port(port, process, log)
        yield
    finally:
        stop(process)


@contextmanager
def redis(folder):
    """Redis with the example's options; gives its URL."""
    name, *options = SERVICES["redis"]["command"]
    port = free_port()
    with running([program(name, package="redis-server"), *options, "--port", str(port)], port, folder):
        yield f"redis://127.0.0.1:{port}/0"


@contextmanager
def haproxy(nodes, folder):
    """HAProxy with the example's file, in front of these nodes; gives its URL."""
    port = free_port()
    text = (FOLDER / "haproxy.cfg").read_text()
    changes = {"bind :8000": f"bind 127.0.0.1:{port}", "check port 8001": "check"}
    changes |= {f"{node.name}:8000": f"127.0.0.1:{node.port} port {node.probe}" for node in nodes}
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    path = folder / "haproxy.cfg"
    path.write_text(text)
    with running([program("haproxy", package="haproxy"), "-db", "-f", path], port, folder):
        yield f"http://127.0.0.1:{port}"


async def test_nodes_behind_haproxy(tmp_path):
    """Clients reach both, polls reach their session without a cookie, and who stops loses no client."""
    with redis(tmp_path) as url, Node("blue", url) as blue, Node("green", url) as green:
        for node in (blue, green):
            await asyncio.to_thread(node.wait_for, rf"{node.name}-1 \(\S+\) serves")
            page = (await request(f"http://127.0.0.1:{node.probe}/metrics"))[2]
            assert re.search(rf'^socketio_build_info\{{.*node="{node.name}-1"', page, re.MULTILINE)
            await asyncio.to_thread(node.check_health)
        with haproxy((blue, green), tmp_path) as url:
            async with aiohttp.ClientSession(
                cookie_jar=aiohttp.DummyCookieJar(), connector=aiohttp.TCPConnector(force_close=True)
            ) as http:
                for _ in range(4):
                    await poll(http, f"{url}/socket.io/?EIO=4&transport=polling")
            clients = [await reconnecting(url, ["websocket"]) for _ in range(2)]
            blue.process.terminate()
            await eventually(lambda: blue.process.poll() is not None, 40)
            assert blue.process.returncode == 0
            await eventually(lambda: all(client.connected for client in clients), 20)
            assert sorted(len(client.came) for client in clients) == [1, 2]
            for client in clients:
                await client.shutdown()


async def poll(http, url):
    """A session of which each request is a connection of its own."""
    async with http.get(url) as opened:
        assert opened.status == 200, await opened.text()
        url += "&sid=" + json.loads((await opened.text())[1:])["sid"]
    async with http.post(url, data="40") as posted:
        assert posted.status == 200, await posted.text()
    async with http.get(url) as polled:
        assert (await polled.text()).startswith("40{")
    async with http.post(url, data="1") as closed:  # else its node would wait for it as it stops
        assert closed.status == 200, await closed.text()
