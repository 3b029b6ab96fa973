"""The mistakes a user can correct."""

from __future__ import annotations


class UsageError(Exception):
    """A mistake in what was asked: shown as one sentence, without a traceback, exit code 2."""
