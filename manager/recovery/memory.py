"""``Memory``: the history and the sessions of one cluster, which carry out the operations of ``store.py``."""

from __future__ import annotations

from secrets import token_urlsafe
from typing import Final

from socketio_cluster.manager.bus.stamp import EPOCH_CHARS, Stamp
from socketio_cluster.manager.bus.store import (
    Begin,
    Change,
    Claim,
    CloseRoom,
    Gap,
    Look,
    Open,
    Operation,
    Read,
    Release,
    Renew,
    Result,
    Tail,
    Where,
)
from socketio_cluster.manager.recovery.history import History
from socketio_cluster.manager.recovery.sessions import Sessions

SWEEP_SECONDS: Final = 1.0
"""Seconds between two searches for sessions and senders whose time is over."""


def new_epoch() -> str:
    """Make the name of a history. 36 random bits tell any two that follow each other apart."""
    return token_urlsafe(EPOCH_CHARS)[:EPOCH_CHARS]


class Memory:
    """What a bus remembers of one cluster. Times are seconds since 1970."""

    def __init__(self, now: float) -> None:
        self._history = History(new_epoch(), now)
        self._sessions = Sessions()
        self._swept = now

    def record(
        self, sender: str, sent: int, channels: tuple[str, ...], payload: bytes, now: float
    ) -> Stamp | None:
        """Number and keep an event. Returns None for one that was recorded before."""
        return self._history.record(sender, sent, channels, payload, now)

    def carry_out(self, operation: Operation, now: float) -> Result:
        """Carry out an operation."""
        history, sessions = self._history, self._sessions
        self._sweep(now)
        match operation:
            case Begin():
                return history.begin(operation)
            case Look():
                return history.place if history.begun else None
            case Open():
                return sessions.open(operation, history.place, now)
            case Claim():
                return sessions.claim(operation, history.place, now)
            case Change():
                return sessions.change(operation, history.place, now)
            case Renew():
                return sessions.renew(operation, history.place, now)
            case Release():
                return sessions.release(operation, now)
            case Where():
                return sessions.where(operation, now)
            case Read():
                return history.read(operation)
            case Tail():
                return history.tail(operation)
            case Gap():
                return history.gap()
            case CloseRoom():
                history.step()
                return sessions.close(operation, history.place, now + history.seconds)

    def _sweep(self, now: float) -> None:
        self._history.expire(now)
        if now - self._swept >= SWEEP_SECONDS:
            self._swept = now
            self._sessions.expire(now)
            self._history.forget_senders(now)
