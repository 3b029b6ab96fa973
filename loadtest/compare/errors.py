"""What may go wrong in a comparison."""

from __future__ import annotations


class Trouble(Exception):
    """Something cannot be started or measured. The text says what, and what to do about it."""
