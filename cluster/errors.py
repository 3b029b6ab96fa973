"""The error for mistakes that a user can correct."""

from __future__ import annotations


class UsageError(Exception):
    """The user has made a mistake. It is shown as one sentence without a traceback, with exit code 2."""
