"""Organisations, their storehouses and the alarms of these, in SQLite."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from examples.alarms.sensors import Limits, measure, wrong

CATCH_UP = 3600
"""Seconds that are looked at again when no node was running."""

LATE = 5
"""Seconds that are still pushed when all nodes were too busy in their time."""

Row = dict[str, Any]


class Warehouse:
    """The database; every call runs in one thread of its own."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1)
        self._db: sqlite3.Connection | None = None

    async def rows(self, query: str, *args: Any) -> list[Row]:
        """Ask; the rows by column name."""
        return await self._run(self._rows, query, *args)

    async def tick(self, second: int) -> tuple[list[Row], list[Row]]:
        """Measure up to this second what no other node has: the measurements, and the alarms that began.

        The first node to move the clock gets them, the others nothing. So all nodes may try, and one that
        dies leaves no gap.
        """
        return await self._run(self._tick, second)

    async def _run(self, work: Any, *args: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *args)

    def _open(self) -> sqlite3.Connection:
        if self._db is None:
            db = sqlite3.connect(self._path, isolation_level=None, timeout=10)
            db.row_factory = sqlite3.Row
            db.execute("pragma journal_mode = wal")
            db.executescript(Path(__file__).with_name("warehouse.sql").read_text())
            self._db = db
        return self._db

    def _rows(self, query: str, *args: Any) -> list[Row]:
        return [dict(row) for row in self._open().execute(query, args)]

    def _tick(self, second: int) -> tuple[list[Row], list[Row]]:
        db = self._open()
        db.execute("begin immediate")
        with db:
            [(last,)] = db.execute("select second from clock").fetchall()
            if last >= second:
                return [], []
            houses = self._rows("select * from storehouse")
            alarms = list(_alarms(houses, max(last + 1, second - CATCH_UP), second))
            db.executemany("insert or ignore into alarm values (:storehouse, :second, :kind, :value)", alarms)
            db.execute("update clock set second = ?", (second,))
        fresh = range(max(last, second - LATE) + 1, second + 1)
        measured = [_measurement(house, at) for at in fresh for house in houses]
        return measured, [one for one in alarms if one["second"] in fresh]


def limits_of(house: Row) -> Limits:
    return Limits(house["coldest"], house["warmest"], house["wettest"])


def _measurement(house: Row, second: int) -> Row:
    reading = measure(house["id"], limits_of(house), second)
    return {"storehouse": house["id"], "second": second, **reading._asdict()}


def _alarms(houses: list[Row], first: int, last: int) -> Iterator[Row]:
    """An alarm for each second in which a value leaves its limits, none while it stays outside."""
    for house in houses:
        limits = limits_of(house)
        before = wrong(measure(house["id"], limits, first - 1), limits)
        for second in range(first, last + 1):
            now = wrong(measure(house["id"], limits, second), limits)
            for kind in now.keys() - before.keys():
                yield {"storehouse": house["id"], "second": second, "kind": kind, "value": now[kind]}
            before = now
