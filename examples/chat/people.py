"""Who is in the chat, on whichever node: a table in SQLite that the nodes of this machine share."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor

# The name is the key, so two nodes cannot give it to two people.
TABLE = """create table if not exists people (
    name text primary key collate nocase, sid text unique not null, kind text not null)"""
NODE_OF = "substr(sid, 1, 8)"  # a sid begins with the id of its node


class People:
    """The table; its calls run in a thread, so a disk that is slow stops nobody."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1)
        self._db: sqlite3.Connection | None = None

    async def _run(self, work, *args):
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *args)

    def _open(self) -> sqlite3.Connection:
        if self._db is None:
            self._db = sqlite3.connect(self._path, isolation_level=None, timeout=10)
            self._db.execute("pragma journal_mode = wal")
            self._db.execute(TABLE)
        return self._db

    async def add(self, name: str, sid: str, kind: str, nodes: Collection[str]) -> bool:
        """Give a person this name; False when it is taken by somebody on one of the live nodes."""

        def work() -> bool:
            db, marks = self._open(), ",".join("?" * len(nodes))
            db.execute("begin immediate")
            try:
                with db:
                    db.execute(
                        f"delete from people where name = ? and {NODE_OF} not in ({marks})", (name, *nodes)
                    )
                    db.execute("insert into people values (?, ?, ?)", (name, sid, kind))
            except sqlite3.IntegrityError:
                return False
            return True

        return await self._run(work)

    async def remove(self, sid: str) -> str | None:
        """Take a person out; returns the name, None for somebody without."""

        def work() -> str | None:
            found = self._open().execute("delete from people where sid = ? returning name", (sid,)).fetchall()
            return found[0][0] if found else None

        return await self._run(work)

    async def everybody(self, nodes: Collection[str]) -> list[dict[str, str]]:
        """The people on live nodes, by name: ``[{"name": …, "kind": …}, …]``."""

        def work() -> list[dict[str, str]]:
            marks = ",".join("?" * len(nodes))
            query = f"select name, kind from people where {NODE_OF} in ({marks}) order by name"
            return [{"name": name, "kind": kind} for name, kind in self._open().execute(query, tuple(nodes))]

        return await self._run(work)
