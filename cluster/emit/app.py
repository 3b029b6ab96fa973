"""The ASGI application of the emit port: it takes events by ``POST /emit``, and describes itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

from msgspec import UnsetType

from socketio_cluster.cluster.emit import answers
from socketio_cluster.cluster.emit.answers import Answer
from socketio_cluster.cluster.emit.body import Body, TooLarge
from socketio_cluster.cluster.emit.event import BODY_BYTES, BadEvent, Event, read_events
from socketio_cluster.cluster.emit.openapi import body_schema, openapi
from socketio_cluster.cluster.emit.page import describe
from socketio_cluster.cluster.emit.tokens import Tokens
from socketio_cluster.manager.bus.channels import Room
from socketio_cluster.manager.client_manager import ClusterManager
from socketio_cluster.manager.confirmed_emits import ConfirmedEmits, Outcome, ReadyEvent
from socketio_cluster.manager.errors import EventTooLarge
from socketio_cluster.manager.queries.selection import aim

AT_ONCE: Final = 32
"""Requests at a time, with a body each. One more is refused."""
SECONDS: Final = 5.0
"""So long the bus has to take the events of a request, as those of an ``AsyncEmitter``."""


class EmitApp:
    """Emits what programs with a token send.

    Args:
        manager: returns the manager of the server whose clients are meant; None when there is none.
        tokens: who may emit.
        counts: counts the requests to emit, by status of the answer.
    """

    def __init__(
        self, manager: Callable[[], ClusterManager | None], tokens: Tokens, counts: Counter[str]
    ) -> None:
        self._manager = manager
        self._tokens = tokens
        self._counts = counts
        self._open = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve an HTTP request, and ignore everything else."""
        if scope["type"] != "http":
            return
        method, path = scope["method"], scope["path"]
        if path == "/emit":
            body = Body(headers := dict(scope["headers"]), receive)
            answer = await self._post(headers, body) if method == "POST" else answers.use("POST")
            await body.discard()
            self._counts[str(answer.status.value)] += 1
        elif path not in _PAGES:
            answer = answers.error(HTTPStatus.NOT_FOUND, f"there is only /emit, {', '.join(_PAGES)}")
        else:
            answer = _PAGES[path]() if method in ("GET", "HEAD") else answers.use("GET")
        await answer.send(send, bodiless=method == "HEAD")

    async def _post(self, headers: dict[bytes, bytes], body: Body) -> Answer:
        if not self._tokens.allow(headers.get(b"authorization", b"")):
            return answers.unauthorized()
        if self._open >= AT_ONCE:
            return answers.later(f"{AT_ONCE} requests wait already: nothing was emitted")
        self._open += 1
        try:
            return await self._emit(await body.read())
        except TooLarge:
            text = f"a body has at most {BODY_BYTES} bytes: nothing was emitted"
            return answers.error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, text, {"limit": BODY_BYTES})
        except BadEvent as error:
            return _mistake(error)
        except EventTooLarge as error:
            return answers.error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, str(error))
        finally:
            self._open -= 1

    async def _emit(self, body: bytes) -> Answer:
        events, batch = read_events(body)
        manager = self._manager()
        if manager is None:
            return answers.error(HTTPStatus.SERVICE_UNAVAILABLE, "the application has no ClusterManager")
        emits = ConfirmedEmits(manager)
        ready = [_encode(emits, event, number if batch else None) for number, event in enumerate(events)]
        outcomes = await emits.emit(ready, SECONDS)
        if all(outcome is Outcome.EMITTED for outcome in outcomes):
            return answers.ok({"emitted": len(outcomes)})
        entries = {str(each): [n for n, one in enumerate(outcomes) if one is each] for each in Outcome}
        return answers.later("the bus is away: the events of these entries", entries)


def _encode(emits: ConfirmedEmits, event: Event, entry: int | None) -> ReadyEvent:
    """Encode an event. Raises ``BadEvent`` for one that no client could read."""
    try:
        target = aim(_rooms(event.to), except_=_rooms(event.except_), namespace=event.namespace)
        return emits.encode(event.event, event.arguments, target, volatile=event.volatile)
    except EventTooLarge:
        raise
    except (ValueError, TypeError, RecursionError) as error:
        raise BadEvent(str(error), entry, "event") from None


def _rooms(given: str | list[str] | UnsetType) -> set[Room] | None:
    return None if isinstance(given, UnsetType) else {given} if isinstance(given, str) else set(given)


def _mistake(error: BadEvent) -> Answer:
    entry = {} if error.entry is None else {"entry": error.entry}
    field = {} if error.field is None else {"field": error.field}
    where = ", ".join([*(f"entry {number}" for number in entry.values()), *field.values()])
    text = f"{where}: {error}" if where else str(error)
    return answers.error(HTTPStatus.BAD_REQUEST, f"{text}; nothing was emitted", {**entry, **field})


_PAGES: Final[dict[str, Callable[[], Answer]]] = {
    "/": lambda: answers.page(describe()),
    "/openapi.json": lambda: answers.ok(openapi()),
    "/schema.json": lambda: answers.ok(body_schema()),
}
