"""The body of ``POST /emit``: its types, which are its JSON Schema too, and the mistakes in one."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

BODY_BYTES: Final = 1024 * 1024
MOST_EVENTS: Final = 1000
"""The events of one request."""

Text = Annotated[str, Meta(min_length=1)]
Rooms = Text | Annotated[list[Text], Meta(min_length=1, max_length=MOST_EVENTS)]


class Event(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"except_": "except"}):
    """An event for clients of the cluster."""

    event: Annotated[str, Meta(min_length=1, description="The name of the event", examples=["news"])]
    data: Annotated[
        Any, Meta(description="Its only argument, any JSON value", examples=[{"title": "Dinner is ready"}])
    ] = UNSET
    args: Annotated[
        list[Any] | UnsetType,
        Meta(description="All its arguments, in the place of `data`; without either there are none"),
    ] = UNSET
    namespace: Annotated[str, Meta(pattern="^/", description="The namespace of the clients")] = "/"
    to: Annotated[
        Rooms | UnsetType,
        Meta(
            description="A room or a sid, or a list of them; without it all clients of the namespace",
            examples=["kitchen"],
        ),
    ] = UNSET
    except_: Annotated[
        Rooms | UnsetType, Meta(description="A room or a sid, or a list of them, whose clients are left out")
    ] = UNSET
    volatile: Annotated[
        bool, Meta(description="Whether clients that cannot take it at once do not get it")
    ] = False

    @property
    def arguments(self) -> list[Any]:
        """The arguments that handlers get."""
        if self.args is not UNSET:
            return self.args
        return [] if self.data is UNSET else [self.data]


Batch = Annotated[list[Event], Meta(min_length=1, max_length=MOST_EVENTS)]
_BODY: Final = msgspec.json.Decoder(Event | Batch)
_PLACE: Final = re.compile(r" - at `\$(?:\[(\d+)\])?(?:\.(\w+))?.*`$")
_FIELD: Final = re.compile(r"(?:unknown|required) field `(\w+)`")


class BadEvent(ValueError):
    """A mistake in a body, with the entry of the batch, from 0, and the field, where they are known."""

    def __init__(self, text: str, entry: int | None = None, field: str | None = None) -> None:
        super().__init__(text)
        self.entry = entry
        self.field = field


def read_events(body: bytes) -> tuple[list[Event], bool]:
    """Return the events of a body, and whether it is a batch. Raises ``BadEvent``."""
    try:
        value = _BODY.decode(body)
    except msgspec.ValidationError as error:
        raise _located(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadEvent(f"the body is no JSON: {error}") from None
    events = value if isinstance(value, list) else [value]
    for number, event in enumerate(events):
        if event.data is not UNSET and event.args is not UNSET:
            entry = number if isinstance(value, list) else None
            raise BadEvent("either `data` or `args`, not both", entry, "args")
    return events, isinstance(value, list)


def schemas(template: str = "#/$defs/{name}") -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the JSON Schema of the body, and those that it refers to by name through ``template``."""
    (body,), components = msgspec.json.schema_components([Event | Batch], ref_template=template)
    return body, components


def _located(text: str) -> BadEvent:
    """Return the error for a text of msgspec, which names the place as "$[3].to"."""
    place, wrong = _PLACE.search(text), _FIELD.search(text)
    entry, field = place.groups() if place is not None else (None, None)
    words = text if place is None else text[: place.start()]
    return BadEvent(words, None if entry is None else int(entry), wrong[1] if wrong is not None else field)
