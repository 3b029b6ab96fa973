"""What may go wrong in a benchmark."""

from __future__ import annotations


class Missing(Exception):
    """A program or a package that a contender needs is not installed; the text names it."""


class Failed(Exception):
    """A measurement did not come to its end; the text says why."""
