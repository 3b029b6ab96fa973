"""The answers of the emit port."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final, NamedTuple

_EVERY: Final = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))
_PAGE: Final = (
    (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
)

Headers = Iterable[tuple[bytes, bytes]]


class Answer(NamedTuple):
    """A status, a body and its type, and more headers."""

    status: HTTPStatus
    body: bytes
    kind: bytes = b"application/json"
    headers: Headers = ()

    async def send(self, send: Any, *, bodiless: bool) -> None:
        """Send it through ASGI; ``bodiless`` is for HEAD."""
        length = str(len(self.body)).encode()
        headers = [(b"content-type", self.kind), (b"content-length", length), *_EVERY, *self.headers]
        await send({"type": "http.response.start", "status": self.status.value, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if bodiless else self.body})


def ok(value: object, headers: Headers = ()) -> Answer:
    """Answer with JSON."""
    return _json(HTTPStatus.OK, value, headers)


def page(html: bytes) -> Answer:
    """Answer with a page that runs no script and loads nothing."""
    return Answer(HTTPStatus.OK, html, b"text/html; charset=utf-8", _PAGE)


def error(
    status: HTTPStatus, text: str, more: Mapping[str, object] | None = None, headers: Headers = ()
) -> Answer:
    """Answer with a sentence and more fields."""
    return _json(status, {"error": text, **(more or {})}, headers)


def later(text: str, more: Mapping[str, object] | None = None) -> Answer:
    """Answer that the same may go well a second later."""
    return error(HTTPStatus.SERVICE_UNAVAILABLE, text, more, headers=((b"retry-after", b"1"),))


def use(method: str) -> Answer:
    """Answer that this is no method for the path."""
    return error(HTTPStatus.METHOD_NOT_ALLOWED, f"use {method}", headers=((b"allow", method.encode()),))


def unauthorized() -> Answer:
    """Answer that a token is missing, or is none of ours."""
    wanted = ((b"www-authenticate", b"Bearer"),)
    return error(HTTPStatus.UNAUTHORIZED, "it takes Authorization: Bearer with a valid token", headers=wanted)


def _json(status: HTTPStatus, value: object, headers: Headers) -> Answer:
    return Answer(status, json.dumps(value).encode() + b"\n", headers=headers)
