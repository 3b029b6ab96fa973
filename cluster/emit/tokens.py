"""The tokens that may emit by HTTP."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from hashlib import sha256
from typing import Final

SHORTEST: Final = 16
"""Characters of a token: ``openssl rand -hex 32`` makes a good one."""


class Tokens:
    """Tells whether a request brings one of the tokens, in a time that says nothing about them.

    Args:
        texts: the tokens, each of at least ``SHORTEST`` characters.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._digests = [sha256(text.encode()).digest() for text in texts]

    def allow(self, authorization: bytes) -> bool:
        """Whether a header ``Authorization`` has one of the tokens."""
        scheme, _, token = authorization.partition(b" ")
        digest = sha256(token.strip()).digest()
        matches = [hmac.compare_digest(digest, own) for own in self._digests]
        return any(matches) and scheme.lower() == b"bearer"


def read_tokens(text: str) -> list[str]:
    """Return the tokens of a text, a line each. Raises ``ValueError`` when there is none, or one is short."""
    tokens = text.split()
    if not tokens:
        raise ValueError("is none")
    if any(len(token) < SHORTEST for token in tokens):
        raise ValueError(f"is one with less than {SHORTEST} characters")
    return tokens
