"""The page that describes the emit port to people: made from what describes it to programs."""

from __future__ import annotations

from functools import cache
from html import escape
from pathlib import Path
from string import Template
from typing import Any, Final

from socketio_cluster.cluster.emit.event import MOST_EVENTS
from socketio_cluster.cluster.emit.openapi import STATUSES, body_schema

TEMPLATE: Final = Path(__file__).with_suffix(".html")


@cache
def describe() -> bytes:
    """Return the page as HTML."""
    properties = body_schema()["$defs"]["Event"]["properties"]
    fields = "".join(_field(name, schema) for name, schema in properties.items())
    statuses = "".join(_row(status, _text(meaning)) for status, meaning in STATUSES.items())
    template = Template(TEMPLATE.read_text(encoding="utf-8"))
    return template.substitute(fields=fields, statuses=statuses, most=MOST_EVENTS).encode()


def _field(name: str, schema: dict[str, Any]) -> str:
    kinds = [schema, *schema.get("anyOf", ())]
    kind = " or ".join(one["type"] for one in kinds if "type" in one) or "any"
    return _row(f"<code>{escape(name)}</code>", f'<td class="kind">{kind}', _text(schema["description"]))


def _row(head: str, *cells: str) -> str:
    return f"<tr><th>{head}{''.join(cells)}"


def _text(text: str) -> str:
    """Return a cell with a text, in which what stands between backticks is code."""
    parts = escape(text).split("`")
    inside = "".join(f"<code>{part}</code>" if odd % 2 else part for odd, part in enumerate(parts))
    return f"<td>{inside}"
