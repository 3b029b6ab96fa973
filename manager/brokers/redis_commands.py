"""The commands that publish a batch, in their wire form."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from hashlib import sha1
from itertools import groupby
from typing import Any, Final

from socketio_cluster.manager.brokers.redis_scripts import HISTORY_SCRIPTS, RECORD
from socketio_cluster.manager.brokers.redis_session_scripts import SESSION_SCRIPTS
from socketio_cluster.manager.bus.broker import Publication
from socketio_cluster.manager.bus.channels import Channels
from socketio_cluster.manager.bus.envelope import read_header, read_number
from socketio_cluster.manager.bus.store import cluster_of

Word = bytes | str | int | float

GROUP: Final = 100
"""The most events of one script call. It takes the server about a millisecond, then others get a turn."""

NAMES_KEPT: Final = 4096
"""The number of sets of channels whose wire form is remembered."""

SCRIPTS: Final = (*HISTORY_SCRIPTS, *SESSION_SCRIPTS)

_NAMES: Final = {script: sha1(script.encode(), usedforsecurity=False).hexdigest() for script in SCRIPTS}
"""The name under which a server knows a script."""


def command(*words: Word) -> bytes:
    """Return a command in its wire form."""
    return b"*%d\r\n%b" % (len(words), _words(*words))


def _words(*words: Word) -> bytes:
    """Return the wire form of some of the words of a command."""
    parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"".join([b"$%d\r\n%b\r\n" % (len(part), part) for part in parts])


def call(script: str, cluster: str, *words: Word) -> bytes:
    """Return the command that runs a script for a cluster."""
    return command("EVALSHA", _NAMES[script], 1, f"{cluster}:recovery", *words)


def publish_head(word: bytes) -> bytes:
    """Return the beginning of each command that publishes. ``word`` is PUBLISH or SPUBLISH."""
    return b"*3\r\n$%d\r\n%b\r\n" % (len(word), word)


def publish_commands(batch: Sequence[Publication], word: bytes) -> list[bytes]:
    """Return a command for each channel of each publication. ``word`` is PUBLISH or SPUBLISH.

    ``native/_batch.c`` does the same for most batches.
    """
    head = publish_head(word)
    commands: list[bytes] = []
    for publication in batch:
        payload, names = publication.payload, map(str.encode, publication.channels)
        commands += [
            b"%b$%d\r\n%b\r\n$%d\r\n%b\r\n" % (head, len(name), name, len(payload), payload) for name in names
        ]
    return commands


def publish_owners(batch: Sequence[Publication]) -> list[list[int]]:
    """Return for each of these commands the indexes of its publications."""
    return [[at] for at, publication in enumerate(batch) for _ in publication.channels]


def recording_commands(batch: Sequence[Publication], word: bytes) -> list[bytes]:
    """Return the commands for a batch in which events are recorded."""
    commands, before = [], 0
    for group in _groups(batch):
        some = [batch[at] for at in group]
        if some[0].recorded:
            commands.append(_record(some, word, before))
            before = read_number(some[-1].payload)
        else:
            commands += publish_commands(some, word)
    return commands


def recording_owners(batch: Sequence[Publication]) -> list[list[int]]:
    """Return for each of these commands the indexes of its publications."""
    owners = []
    for group in _groups(batch):
        recorded = batch[group[0]].recorded
        owners += [group] if recorded else [[at] for at in group for _ in batch[at].channels]
    return owners


def refused_events(replies: Iterable[Any]) -> Iterator[tuple[int, int, str]]:
    """Yield each recorded event that this user may not publish: its command, its place in that, and why."""
    for at, reply in enumerate(replies):
        if type(reply) is list:
            for place, why in zip(reply[1::2], reply[2::2], strict=True):
                yield at, place, why.decode(errors="replace")


def _groups(batch: Sequence[Publication]) -> Iterator[list[int]]:
    """Yield the indexes of publications that follow each other and are all recorded, or all not.

    What is for bridges alone falls behind the recorded events beside it, so that those stay together: with a
    bridge there is such a copy of each event.
    """
    at = 0
    for apart, run in groupby([not (each.recorded or _for_bridges(each)) for each in batch]):
        indexes = list(range(at, at + len(list(run))))
        at += len(indexes)
        recorded = [] if apart else [index for index in indexes if batch[index].recorded]
        yield from (recorded[start : start + GROUP] for start in range(0, len(recorded), GROUP))
        if len(recorded) < len(indexes):
            yield [index for index in indexes if not batch[index].recorded]


def _for_bridges(publication: Publication) -> bool:
    return len(publication.channels) == 1 and Channels.is_of_bridges(publication.channels[0])


def _record(events: Sequence[Publication], word: bytes, before: int) -> bytes:
    """Return the command that records and publishes events of one sender.

    It fails unless the event with the number ``before`` is recorded. If the server has refused the command
    before this one, what that had would be taken for a repeat when it is sent again.
    """
    origin = read_header(events[0].payload).origin
    parts, count = [_words(word, origin, before)], 3
    for event in events:
        payload = event.payload
        number = b"%d" % read_number(payload)
        names, named = _names(event.channels, event.recorded)
        count += 2 + named
        parts.append(b"$%d\r\n%b\r\n$%d\r\n%b\r\n%b" % (len(number), number, len(payload), payload, names))
    start = _words("EVALSHA", _NAMES[RECORD], 1, f"{cluster_of(events[0].recorded[0])}:recovery")
    return b"*%d\r\n%b%b" % (4 + count, start, b"".join(parts))


@lru_cache(NAMES_KEPT)
def _names(channels: tuple[str, ...], recorded: tuple[str, ...]) -> tuple[bytes, int]:
    """Return in wire form how many channels there are, and these, and the same of histories.

    Returns also how many words that is. Events go again and again to the same channels.
    """
    words: list[Word] = [len(channels), *channels, len(recorded), *recorded]
    return _words(*words), len(words)
