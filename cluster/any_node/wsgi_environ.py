"""Requests of WSGI as those of ASGI, in which form they travel between nodes, and back."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from io import BytesIO
from typing import Any
from urllib.parse import quote

Environ = dict[str, Any]
Scope = dict[str, Any]

_PLAIN = {"CONTENT_TYPE": b"content-type", "CONTENT_LENGTH": b"content-length"}


def scope_of(environ: Environ) -> Scope:
    """Return the ASGI scope of a WSGI request (PEP 3333, in which texts are bytes in Latin-1)."""
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    websocket = environ.get("HTTP_UPGRADE", "").lower() == "websocket"
    return {
        "type": "websocket" if websocket else "http",
        "method": environ["REQUEST_METHOD"],
        "scheme": environ["wsgi.url_scheme"],
        "path": path.encode("latin-1").decode("utf-8", "replace"),
        "raw_path": quote(path.encode("latin-1")).encode(),
        "root_path": "",
        "query_string": environ.get("QUERY_STRING", "").encode("latin-1"),
        "headers": list(_headers(environ)),
        "client": _address(environ, "REMOTE_ADDR", "REMOTE_PORT"),
        "server": _address(environ, "SERVER_NAME", "SERVER_PORT"),
        "extensions": {},
    }


def environ_of(scope: Scope, body: bytes = b"") -> Environ:
    """Return the WSGI environ of a request that another node has passed on."""
    client, server = scope["client"] or ("", 0), scope["server"] or ("", 0)
    environ = {
        "REQUEST_METHOD": scope.get("method", "GET"),
        "SCRIPT_NAME": "",
        "PATH_INFO": scope["path"].encode("utf-8", "replace").decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": server[0],
        "SERVER_PORT": str(server[1]),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": client[0],
        "REMOTE_PORT": str(client[1]),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in scope["headers"]:
        key = name.decode("latin-1").upper().replace("-", "_")
        key = key if name.lower() in _PLAIN.values() else f"HTTP_{key}"
        text = value.decode("latin-1")
        environ[key] = f"{environ[key]},{text}" if key in environ else text
    return environ


def _headers(environ: Environ) -> Iterator[tuple[bytes, bytes]]:
    for key, value in environ.items():
        if key.startswith("HTTP_"):
            yield key[5:].lower().replace("_", "-").encode("latin-1"), value.encode("latin-1")
        elif key in _PLAIN and value:
            yield _PLAIN[key], value.encode("latin-1")


def _address(environ: Environ, host: str, port: str) -> tuple[str, int] | None:
    text = str(environ.get(port) or "0")
    return (environ[host], int(text) if text.isdecimal() else 0) if environ.get(host) else None
