"""The greeting of two nodes: each checks the other before a request is passed on.

Both prove that they know the cluster's secret and prefix, by keyed BLAKE2b over the id of the wanted node and
a random number of each side. So no clocks are compared, and a recorded greeting cannot be used again. A
stranger at the address of a dead node learns nothing, and the node's successor there does not get its
requests. Without a secret the proof only shows that the right node was reached.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from hashlib import blake2b
from secrets import token_bytes
from typing import Final, Protocol, TypeVar

from socketio_cluster.cluster.forward.line import NodeLine
from socketio_cluster.manager.bus.envelope import secrets_in
from socketio_cluster.manager.ids import NODE_CHARS

NONCE: Final = 16
PROOF: Final = 16


class NotANode(ConnectionError):
    """The other side does not know the secret, or is not the wanted node."""


class Key:
    """The key that the nodes of one cluster share, made from its prefix and secrets."""

    def __init__(self, prefix: str, secret: str | None) -> None:
        # `person` keeps these proofs apart from the signatures of envelopes, which have the same parts.
        inner = [blake2b(each.encode()).digest() for each in secrets_in(secret) or [""]]
        self._keys = [blake2b(prefix.encode(), key=each, person=b"forward").digest() for each in inner]

    def proof(self, role: bytes, node: bytes, asker: bytes, owner: bytes) -> bytes:
        """Return the proof for a role (asker or owner), a node, and the random numbers of both sides."""
        return _proof(self._keys[0], role + node + asker + owner)

    def proves(self, proof: bytes, role: bytes, node: bytes, asker: bytes, owner: bytes) -> bool:
        """Return whether ``proof`` is that proof, by any secret of the cluster."""
        asked = role + node + asker + owner
        return any(hmac.compare_digest(proof, _proof(key, asked)) for key in self._keys)


def _proof(key: bytes, asked: bytes) -> bytes:
    return blake2b(asked, key=key, digest_size=PROOF).digest()


class HasKey(Protocol):
    """An object that a greeting can find."""

    @property
    def key(self) -> Key:
        """The key of its cluster."""


Owner = TypeVar("Owner", bound=HasKey)


async def greet(line: NodeLine, key: Key, node: str) -> None:
    """Check that the other side is ``node``; raise ``NotANode`` if not, or ``LineLost``."""
    name, mine = node.encode(), token_bytes(NONCE)
    line.write(name + mine)
    reply = await line.read()
    theirs = reply[:NONCE]
    if not key.proves(reply[NONCE:], b"owner", name, mine, theirs):
        raise NotANode(f"what answers in the place of node {node} is not that node of this cluster")
    line.write(key.proof(b"asker", name, mine, theirs))
    line.trust()


async def welcome(line: NodeLine, find: Callable[[str], Owner | None]) -> Owner:
    """Check that the other side is a node; return the owner that it asks for.

    Raises ``NotANode`` when it is none, or asks for a node that is not here, and ``LineLost``.
    """
    asked = await line.read()
    name, theirs = asked[:NODE_CHARS], asked[NODE_CHARS:]
    owner = find(name.decode("ascii", "replace"))
    if owner is None or len(theirs) != NONCE:
        raise NotANode("asks for a node that is not here")
    mine = token_bytes(NONCE)
    line.write(mine + owner.key.proof(b"owner", name, theirs, mine))
    if not owner.key.proves(await line.read(), b"asker", name, theirs, mine):
        raise NotANode("does not know the secret and prefix of this cluster")
    line.trust()
    return owner
