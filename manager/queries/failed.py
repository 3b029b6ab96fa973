"""Why a node cannot answer a question."""

from __future__ import annotations


class Failed(Exception):
    """A question could not be answered, or not wholly; the text is for the one who asked."""
