"""The supervisor's probe port: it answers whether the node lives and is ready, gives metrics, and drains."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Final, Protocol

from socketio_cluster.cluster.probes.http import HttpServer, ProbeAnswer, ProbeRequest
from socketio_cluster.cluster.probes.names import may_ask
from socketio_cluster.cluster.probes.status import Report, Verdict, WorkerState, live, ready
from socketio_cluster.cluster.probes.status_socket import ask

STATUS_SECONDS: Final = 0.5
"""A worker that takes longer counts as silent. A Kubernetes probe waits for one second."""
METRICS_SECONDS: Final = 3.0


class Worker(Protocol):
    """The part of a slot that probes use."""

    node: str

    @property
    def status_socket(self) -> Path:
        """The path at which its process answers."""

    @property
    def state(self) -> WorkerState:
        """The state that the supervisor knows."""


class Probes:
    """Answers the requests. Each answer comes within the seconds above, whatever the workers do.

    Args:
        workers: returns the workers of the node.
        drain: begins the drain of all of them.
        names: host names to which it answers, besides addresses and other names that nobody else can own.
    """

    def __init__(
        self,
        workers: Callable[[], Sequence[Worker]],
        drain: Callable[[], None],
        names: Collection[str] = (),
    ) -> None:
        self._workers = workers
        self._drain = drain
        self._names = names
        self._routes: dict[str, tuple[str, Callable[[], Awaitable[ProbeAnswer]]]] = {
            "/livez": ("GET", self._livez),
            "/readyz": ("GET", self._readyz),
            "/metrics": ("GET", self._metrics),
            "/drain": ("POST", self._begin_drain),
        }

    async def handle(self, request: ProbeRequest) -> ProbeAnswer:
        """Answer a request."""
        if "origin" in request.headers:
            return _text(HTTPStatus.FORBIDDEN, "not for web pages")
        if not may_ask(request.headers.get("host", ""), self._names):
            return _text(HTTPStatus.MISDIRECTED_REQUEST, "not by this name: --probe-names lists more")
        if request.path not in self._routes:
            return _text(HTTPStatus.NOT_FOUND, f"there is only {', '.join(self._routes)}")
        method, answer = self._routes[request.path]
        if request.method != method and (request.method, method) != ("HEAD", "GET"):
            refused = _text(HTTPStatus.METHOD_NOT_ALLOWED, f"use {method}")
            return ProbeAnswer(refused.status, refused.body, headers=(("Allow", method),))
        return await answer()

    async def _livez(self) -> ProbeAnswer:
        return _json(live(await self._reports()))

    async def _readyz(self) -> ProbeAnswer:
        return _json(ready(await self._reports()))

    async def _metrics(self) -> ProbeAnswer:
        texts = await self._ask("metrics", METRICS_SECONDS)
        from socketio_cluster.cluster.metrics import CONTENT_TYPE, merge

        return ProbeAnswer(HTTPStatus.OK, merge([text for text in texts.values() if text]), CONTENT_TYPE)

    async def _begin_drain(self) -> ProbeAnswer:
        self._drain()
        return _text(HTTPStatus.ACCEPTED, "draining")

    async def _reports(self) -> dict[str, Report]:
        states = {worker.node: worker.state for worker in self._workers()}
        texts = await self._ask("status", STATUS_SECONDS)
        statuses = {node: json.loads(text) for node, text in texts.items() if text}
        return {node: Report(state, statuses.get(node)) for node, state in states.items()}

    async def _ask(self, word: str, seconds: float) -> Mapping[str, bytes | None]:
        asked = [worker for worker in self._workers() if worker.state is WorkerState.SERVING]
        texts = await asyncio.gather(*(ask(worker.status_socket, word, seconds) for worker in asked))
        return {worker.node: text for worker, text in zip(asked, texts, strict=True)}


@asynccontextmanager
async def serve_probes(sock: socket.socket, probes: Probes) -> AsyncIterator[None]:
    """Serve on a listening socket while the context lasts."""
    server = await HttpServer(probes.handle).serve(sock)
    try:
        yield
    finally:
        server.close()


def _json(verdict: Verdict) -> ProbeAnswer:
    well, body = verdict
    status = HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE
    return ProbeAnswer(status, json.dumps(body).encode() + b"\n", "application/json")


def _text(status: HTTPStatus, text: str) -> ProbeAnswer:
    return ProbeAnswer(status, f"{text}\n".encode())
