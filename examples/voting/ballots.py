"""The votes of all nodes of this machine: one row per voter in SQLite, so no vote counts twice or is lost."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

TABLES = """
create table if not exists votes (voter text primary key, choice integer not null) without rowid;
create table if not exists revision (number integer not null);
insert into revision select 0 where not exists (select * from revision);
"""
PAUSE = 0.05
"""Seconds in which votes are gathered: they then cost one transaction, and one event for everybody."""

Tally = tuple[int, dict[int, int]]
"""A number that grows with each change, and how many have voted for each choice."""


class Ballots:
    """Counts votes; ``changed`` is awaited with each new tally, before those who voted go on."""

    def __init__(self, path: str, changed: Callable[[Tally], Awaitable[None]]) -> None:
        self._path = path
        self._changed = changed
        self._thread = ThreadPoolExecutor(1)
        self._db: sqlite3.Connection | None = None
        self._gathered: dict[str, int] = {}
        self._round: asyncio.Task[None] | None = None

    async def cast(self, voter: str, choice: int) -> None:
        """Vote, in the place of an earlier vote; returns when it is in the database."""
        self._gathered[voter] = choice
        if self._round is None:
            self._round = asyncio.create_task(self._count())
        await asyncio.shield(self._round)

    async def tally(self) -> Tally:
        """How it stands."""
        return await self._run(self._read)

    async def _count(self) -> None:
        await asyncio.sleep(PAUSE)
        votes, self._gathered, self._round = self._gathered, {}, None
        await self._changed(await self._run(self._write, votes))

    async def _run(self, work, *args):
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *args)

    def _open(self) -> sqlite3.Connection:
        if self._db is None:
            self._db = sqlite3.connect(self._path, isolation_level=None, timeout=10)
            self._db.execute("pragma journal_mode = wal")
            self._db.executescript(TABLES)
        return self._db

    def _write(self, votes: dict[str, int]) -> Tally:
        db = self._open()
        db.execute("begin immediate")
        with db:
            db.executemany(
                "insert into votes values (?, ?) on conflict do update set choice = excluded.choice",
                votes.items(),
            )
            db.execute("update revision set number = number + 1")
            return self._read()  # inside the transaction: the number belongs to these counts

    def _read(self) -> Tally:
        counts = "select (select number from revision), choice, count(*) from votes group by choice"
        rows = self._open().execute(counts).fetchall()
        return rows[0][0] if rows else 0, {choice: count for _, choice, count in rows}
