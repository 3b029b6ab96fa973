"""``LocalRoom``: the clients of this node that are in one room."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from socketio_cluster.manager.bus.channels import Room

if TYPE_CHECKING:
    from socketio_cluster.manager.clients.client import Client

FEW: Final = 10
"""So many clients are kept as a tuple. It takes a third of a dict's bytes, and a fan-out need not copy it.

To add or to remove a client copies the tuple, so there is a limit.
"""


class LocalRoom(Mapping[str, "Client"]):
    """A room, which maps the sids of its clients to the clients, in the order in which they have entered.

    ``name`` is the one object with the room's name, which all its clients share. A room named None has
    everybody in the namespace. ``held`` are the clients; a client is added once. ``subscribed`` is set when
    the room's channel is taken. That lasts for as long as the room has clients, also over a lost connection.
    """

    __slots__ = ("held", "name", "subscribed")

    def __init__(self, name: Room | None) -> None:
        self.name = name
        self.held: tuple[Client, ...] | dict[str, Client] = ()
        self.subscribed = False

    def add(self, client: Client) -> None:
        """Put a client in."""
        held = self.held
        if isinstance(held, dict):
            held[client.sid] = client
        elif len(held) < FEW:
            self.held = (*held, client)
        else:
            self.held = {each.sid: each for each in (*held, client)}

    def remove(self, client: Client) -> None:
        """Take a client out."""
        held = self.held
        if isinstance(held, dict):
            del held[client.sid]
        else:
            at = held.index(client)
            self.held = held[:at] + held[at + 1 :]

    def clients(self) -> Sequence[Client]:
        """Return the clients of now. Others may enter and leave while they are walked."""
        held = self.held
        return list(held.values()) if isinstance(held, dict) else held

    def by_sid(self) -> dict[str, Client]:
        """Return the clients by their sids, in a dict that must not be changed."""
        held = self.held
        return held if isinstance(held, dict) else {client.sid: client for client in held}

    def __getitem__(self, sid: str) -> Client:
        return self.by_sid()[sid]

    def __iter__(self) -> Iterator[str]:
        return iter(self.by_sid())

    def __len__(self) -> int:
        return len(self.held)
