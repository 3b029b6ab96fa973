"""What is said on the voting page's WebSocket: an id is a vote, and comes back when it is counted."""

from __future__ import annotations

import json
from collections.abc import Container

from socketio_cluster import BadMessage, Message


class BallotCodec:
    """In: ``2``. Out: ``2`` for a vote that counts, ``{"revision": …, "counts": …}``, ``{"error": …}``."""

    def __init__(self, choices: Container[int]) -> None:
        self._choices = choices

    def decode(self, data: str | bytes) -> Message:
        text = data if isinstance(data, str) else data.decode(errors="replace")
        if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) in self._choices):
            raise BadMessage(f"{text[:20]!r} is not on the ballot: send the number of a choice")
        return Message("vote", (int(text),))

    def encode(self, message: Message) -> str | None:
        if message.error is not None:
            return json.dumps({"error": message.error})
        if message.event == "connect_error":
            return json.dumps({"error": message.args[0]["message"]})
        if message.event == "counted":
            return str(message.args[0])
        if message.event == "tally":
            return json.dumps(message.args[0])
        return None  # the page has no use for the rest
