"""What a bus can do besides carrying messages: number and keep events, and keep the sessions of clients.

This is an optional capability of a broker, which connection state recovery needs. A broker that has it

* numbers each publication with ``recorded`` channels, in the order in which it publishes them, and keeps it
  in the history of these channels; a publication that its sender sends again is neither numbered nor
  published twice;
* carries out the operations below, each as one step that nothing else can interrupt.

Names of rooms are written as in channels: ``sNAME`` for a text, ``iNUMBER`` for a number. Positions are
numbers of events: a client at a position has got, or was not owed, everything up to it. A *claim* is a random
text that its owner gets with a session; whoever claims the session next makes it void.
"""

from __future__ import annotations

from typing import Any, Final, Protocol, runtime_checkable

import msgspec

from socketio_cluster.manager.bus.stamp import Stamp
from socketio_cluster.manager.bus.stays import NONE, Stay, Stays


class Begin(msgspec.Struct, array_like=True, tag=1, frozen=True):
    """Start to keep history, if nobody has, for ``seconds`` and up to ``size`` bytes. Answer: ``Place``."""

    seconds: float
    size: int


class Look(msgspec.Struct, array_like=True, tag=9, frozen=True):
    """Ask where the history is. Answer: ``Place``, or None if nobody has begun one."""


class Place(msgspec.Struct, array_like=True, frozen=True):
    """The epoch, the number of the last event, and the floor: events up to it are not all kept any more.

    A bus whose history may begin anew at another server, while the former one still takes events, says to
    ``Begin`` and ``Look`` for how many seconds this one has been kept.
    """

    epoch: str
    last: int
    floor: int
    age: float | None = None


class Open(msgspec.Struct, array_like=True, tag=2, frozen=True):
    """Make a session, or write it anew, at ``position`` (0: the last event). Answer: ``Place``.

    ``secret`` is a digest of what only the client knows. ``node`` is its owner. It ends ``seconds`` after the
    last ``Renew``. ``rooms`` says of each room the position at which the client joined it, and ``stays`` what
    it is owed of rooms that it has left.
    """

    sid: str
    secret: str
    namespace: str
    node: str
    claim: str
    seconds: float
    position: int = 0
    rooms: dict[str, int] = {}
    data: bytes = b""
    stays: Stays = NONE


class Claim(msgspec.Struct, array_like=True, tag=3, frozen=True):
    """Take a session over. Answer: ``Claimed``, or why not; then nothing was changed.

    ``offset`` is where its client says that it is. The channel of a room is ``channels`` with the room's name
    behind it. The reasons are ``unknown`` (there is none with this sid and secret), ``epoch`` (the offset is
    none of this history) and ``late`` (not all that comes after the position is kept, or not all stays). A
    local hub of release 0.1 does not look at the offset, and answers None instead of a reason.
    """

    sid: str
    secret: str
    namespace: str
    node: str
    claim: str
    seconds: float
    channels: str = ""
    offset: Stamp | None = None


class Claimed(msgspec.Struct, array_like=True, frozen=True):
    """A session as it was before the claim.

    ``node`` is its owner so far, empty if the client was away. ``position`` is the offset's, if that is
    higher. ``rooms`` and ``stays`` are as in ``Open``, and ``tried`` as in ``Change``.
    """

    node: str
    position: int
    rooms: dict[str, int]
    data: bytes
    place: Place
    stays: Stays = NONE
    tried: tuple[int, int] = (0, 0)


class Change(msgspec.Struct, array_like=True, tag=4, frozen=True):
    """Change a session: rooms it has entered and left, and its data (None: as before).

    ``stays`` are those that have ended: its owner knows up to which event a client was in a room. With an
    empty ``claim`` only a session whose client is away is changed, or whose owner is ``gone``: that makes it
    one whose client is away. Then a stay ends with the last event, or
    when the room was closed, and a client that enters a room in which it is stays there from when it was:
    ``channels`` is as in ``Claim``. ``tried`` is the number of an event that may be too large for the
    client, and how often a replay to the client began with it. Answer: the number of the last event, or 0 if
    nothing was changed.
    """

    sid: str
    claim: str
    entered: list[str] = []
    left: list[str] = []
    data: bytes | None = None
    channels: str = ""
    stays: list[Stay] = []
    gone: str = ""
    tried: tuple[int, int] | None = None


class Renew(msgspec.Struct, array_like=True, tag=5, frozen=True):
    """Let sessions live on, at a position that their clients have reached.

    ``sessions`` are sids with their claims. Answer: the sids of those that are not there, or not with this
    claim.
    """

    sessions: list[tuple[str, str, int]]
    seconds: float


class Release(msgspec.Struct, array_like=True, tag=6, frozen=True):
    """Say that the client of a session is away: it has ``seconds`` to come back, or with 0 it will not.

    Answer: whether there is such a session. An empty ``claim`` stands for a session whose client is away, or
    whose owner is ``gone``.
    """

    sid: str
    claim: str
    seconds: float
    gone: str = ""


class Where(msgspec.Struct, array_like=True, tag=7, frozen=True):
    """Ask for the owner of a session. Answer: its node, an empty text while it is away, None if unknown."""

    sid: str
    namespace: str


class Gap(msgspec.Struct, array_like=True, tag=10, frozen=True):
    """Say that events may be missing in the history, so that no client goes on from before. Answer: True."""


class CloseRoom(msgspec.Struct, array_like=True, tag=11, frozen=True):
    """Take out of a room, which has this channel, all sessions that have entered it. Answer: True.

    Those are not meant that entered it later, or that their owners have written anew since, as they are in it
    again. It is looked at when a session is claimed, and kept for as long as events are: no session lives
    longer than that without its owner, who would take its client out of the room. ``seconds`` is how long
    a local hub of release 0.1 keeps it.
    """

    channel: str
    seconds: float = 86_400.0


class Read(msgspec.Struct, array_like=True, tag=8, frozen=True):
    """Read events after a position: those of these channels, or with None all. Answer: ``Piece``."""

    channels: list[str] | None
    after: int
    count: int
    size: int


class Tail(msgspec.Struct, array_like=True, tag=12, frozen=True):
    """Read the last events of a channel, those before the number ``before`` (0: all).

    Answer: ``Piece``. With ``done`` there is nothing older.
    """

    channel: str
    before: int
    count: int
    size: int


class Piece(msgspec.Struct, array_like=True, frozen=True):
    """Some events, each with its number, oldest first.

    Everything up to ``upto`` is in this piece or those before. With ``done`` there is nothing more.
    """

    events: list[tuple[int, bytes]]
    upto: int
    done: bool
    place: Place


Operation = Begin | Look | Open | Claim | Change | Renew | Release | Where | Read | Tail | Gap | CloseRoom
Result = Place | Claimed | Piece | list[str] | str | int | bool | None


ANSWERS: Final[dict[type[Operation], Any]] = {
    Begin: Place,
    Look: Place | None,
    Open: Place,
    Claim: Claimed | str | None,
    Change: int | bool,
    Renew: list[str],
    Release: bool,
    Where: str | None,
    Read: Piece,
    Tail: Piece,
    Gap: bool,
    CloseRoom: bool,
}
"""The type of the answer to each operation."""


def cluster_of(channel: str) -> str:
    """Return the prefix in braces with which all channels of a cluster begin."""
    return channel[: channel.index("}") + 1]


@runtime_checkable
class Store(Protocol):
    """A broker that can record."""

    async def ask(self, cluster: str, operation: Operation) -> Result:
        """Carry out an operation. ``cluster`` is the prefix of the channels in braces.

        Raises ``BrokerError``.
        """
