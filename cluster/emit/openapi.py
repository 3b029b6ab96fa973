"""What the emit port says about itself: an OpenAPI document and the JSON Schema in it."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version
from typing import Any, Final

from socketio_cluster.cluster.emit.event import BODY_BYTES, MOST_EVENTS, schemas

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
STATUSES: Final = {
    "200": "The bus has all events: every node that lives delivers them",
    "400": "A mistake in the body, of which nothing was emitted; `entry` and `field` say where it is",
    "401": "The token is missing or wrong",
    "413": f"More than {BODY_BYTES} bytes, or an event that the bus cannot hold; nothing was emitted",
    "503": (
        "The bus is away, or too many requests wait. Without lists nothing was emitted. `not_emitted` has "
        "the entries that nobody gets; of those in `uncertain` that is not known"
    ),
}
"""The meaning of each status of an answer."""


@cache
def body_schema() -> dict[str, Any]:
    """Return the JSON Schema of a body."""
    body, events = schemas()
    return {"$schema": DIALECT, "title": "The body of POST /emit", **body, "$defs": events}


@cache
def openapi() -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of the port."""
    body, events = schemas("#/components/schemas/{name}")
    lists = {name: {"type": "array", "items": {"type": "integer"}} for name in ("not_emitted", "uncertain")}
    emitted = {"type": "object", "required": ["emitted"], "properties": {"emitted": {"type": "integer"}}}
    places = {"entry": {"type": "integer"}, "field": {"type": "string"}, "limit": {"type": "integer"}}
    error = {
        "type": "object",
        "required": ["error"],
        "properties": {
            "error": {"type": "string"},
            **places,
            "emitted": {"type": "array", "items": {"type": "integer"}},
            **lists,
        },
    }
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": DIALECT,
        "info": {
            "title": "socketio-cluster: emit",
            "version": version("socketio-cluster"),
            "description": f"Emits to Socket.IO clients on all nodes, up to {MOST_EVENTS} events at once.",
        },
        "paths": {
            "/emit": {
                "post": {
                    "summary": "Emit one event, or several in their order",
                    "operationId": "emit",
                    "security": [{"token": []}],
                    "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
                    "responses": {
                        status: _response(text, "Emitted" if status == "200" else "Error")
                        for status, text in STATUSES.items()
                    },
                }
            }
        },
        "components": {
            "schemas": {**events, "Emitted": emitted, "Error": error},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _response(text: str, schema: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"description": text, "content": content}
