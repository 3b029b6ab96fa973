"""Whose a name is: a table in SQLite that the nodes of this machine share."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor

# The name is the key, so two nodes cannot give it to two people.
TABLE = """create table if not exists people
    (name text primary key collate nocase, sid text unique not null, node text not null)"""


class Names:
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

    async def take(self, name: str, sid: str, node: str, nodes: Collection[str]) -> bool:
        """Give a person on a node this name; False when somebody else on one of the live nodes has it."""

        def work() -> bool:
            db, marks = self._open(), ",".join("?" * len(nodes))
            db.execute("begin immediate")
            try:
                with db:
                    db.execute(
                        f"delete from people where name = ? and (sid = ? or node not in ({marks}))",
                        (name, sid, *nodes),
                    )
                    db.execute("insert into people values (?, ?, ?)", (name, sid, node))
            except sqlite3.IntegrityError:
                return False
            return True

        return await self._run(work)

    async def free(self, sid: str, node: str) -> None:
        """Let others have the name of a person, who may be on another node with the same sid already."""
        query = "delete from people where sid = ? and node = ?"
        await self._run(lambda: self._open().execute(query, (sid, node)))
