"""The error of a question that a node cannot answer."""

from __future__ import annotations


class Failed(Exception):
    """A question could not be answered, or not completely. The asker gets the text."""
