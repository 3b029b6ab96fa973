"""The secret of a cluster: one line, or several while it is being changed.

The first signs, all are believed. So a secret is changed without a moment at which two nodes refuse each
other, in three rounds of restarts: old and new; new and old; new alone.
"""

from __future__ import annotations

from typing import Final

SHORTEST: Final = 16


def secrets_in(text: str | None) -> list[str]:
    """The secrets in a setting, without the blanks around them; none when there is no setting."""
    lines = [line.strip() for line in (text or "").splitlines()]
    return [line for line in lines if line]
