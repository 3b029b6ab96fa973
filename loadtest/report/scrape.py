"""Asks servers for their CPU and memory, where they show them to Prometheus."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, build_opener

logger = logging.getLogger("socketio_cluster.loadtest")

TIMEOUT = 2.0
LONGEST = 4 * 2**20
"""More bytes than any page of metrics that is meant."""

CPU, MEMORY = "process_cpu_seconds_total", "process_resident_memory_bytes"
SAMPLE = re.compile(rf"^({CPU}|{MEMORY})(?:\{{(.*)\}})?\s+(\S+)", re.MULTILINE)
NODE = re.compile(r'(?:^|,)\s*node="((?:[^"\\]|\\.)*)"')


class Scraper:
    """Reads ``process_cpu_seconds_total`` and ``process_resident_memory_bytes`` of each label ``node``.

    Args:
        urls: the addresses of /metrics. Figures without the label stand under their host and port.
    """

    def __init__(self, urls: Iterable[str]) -> None:
        self._urls = [_with_path(url) for url in urls]
        self._before: dict[str, tuple[float, float]] = {}
        self._warned: set[str] = set()
        self._opener = build_opener(ProxyHandler({}))  # as the clients: the servers are reached directly

    def poll(self) -> dict[str, dict[str, float]]:
        """Give each node's ``cpu``, cores used since the last poll, and ``rss``, bytes.

        A node has no ``cpu`` the first time, nor after its restart. A server that cannot be asked is left
        out, with one warning in the log until it answers again.
        """
        if not self._urls:
            return {}
        found: dict[str, dict[str, float]] = {}
        with ThreadPoolExecutor(len(self._urls)) as pool:
            for url, text in zip(self._urls, pool.map(self._fetch, self._urls), strict=True):
                now = time.monotonic()
                for node, name, value in _samples(text, urlsplit(url).netloc):
                    figures = found.setdefault(node, {})
                    if name == MEMORY:
                        figures["rss"] = value
                    else:
                        figures.update(self._cpu(node, now, value))
        return found

    def _cpu(self, node: str, now: float, value: float) -> dict[str, float]:
        then, before = self._before.get(node, (now, value))
        self._before[node] = now, value
        return {"cpu": (value - before) / (now - then)} if now > then and value >= before else {}

    def _fetch(self, url: str) -> str:
        try:
            with self._opener.open(url, timeout=TIMEOUT) as response:
                text: str = response.read(LONGEST).decode(errors="replace")
        except (OSError, HTTPException, ValueError) as error:
            if url not in self._warned:
                logger.warning("no metrics from %s: %s", url, getattr(error, "reason", error))
                self._warned.add(url)
            return ""
        self._warned.discard(url)
        return text


def _with_path(url: str) -> str:
    url = url if "://" in url else f"http://{url}"
    if urlsplit(url).scheme not in ("http", "https"):
        raise ValueError(f"{url} is no address of metrics: give http://HOST:PORT/metrics")
    return url if urlsplit(url).path.strip("/") else f"{url.rstrip('/')}/metrics"


def _samples(text: str, otherwise: str) -> Iterator[tuple[str, str, float]]:
    for name, labels, value in SAMPLE.findall(text):
        node = NODE.search(labels)
        try:
            yield (node[1] if node else otherwise), name, float(value)
        except ValueError:
            continue
