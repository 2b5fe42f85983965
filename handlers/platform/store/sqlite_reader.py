"""Reading connections: one for the event loop, a few for threads.

A statement runs inline unless it is known to be slow: by the caller's hint, by its plan (a scan without an index), or
because it was slow the last time. A hop to a thread costs about 100 microseconds, so short reads do not take it.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

from handlers.platform.clock import Clock
from handlers.platform.store.port import Document, StoreUnavailable
from handlers.platform.store.sqlite_compile import Statement
from handlers.platform.store.sqlite_errors import unavailable
from handlers.platform.store.sqlite_layout import NEVER, Layout, milliseconds
from handlers.platform.store.sqlite_schema import INLINE_CACHE_KB, connect

Rows = list[tuple[Any, ...]]

_THREADS: Final = 2
_INLINE_WAIT: Final = 0.2  # seconds; readers wait for nobody but a process that holds the file exclusively
_SLOW: Final = 0.003  # seconds inline from which on a statement goes to a thread
_FAST: Final = 0.001  # and below which it comes back
_KNOWN: Final = 2048
TOGETHER: Final = 32  # point reads in one statement


class Reader:
    """The reading side of the store."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._inline = connect(path, busy_timeout=_INLINE_WAIT, writes=False, cache_kb=INLINE_CACHE_KB)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="store-reader")
        self._spare: queue.SimpleQueue[sqlite3.Connection] = queue.SimpleQueue()
        self._slow: dict[str, bool] = {}
        self._closed = False

    def one(self, layout: Layout, pk: str, id: str, clock: Clock) -> Document | None:
        """A point read."""
        try:
            found = self._inline.execute(layout.read, (pk, id)).fetchone()
        except sqlite3.Error as error:
            raise self._failure(error) from error
        return _living(found, clock) if found is not None else None

    def many(self, layout: Layout, keys: Sequence[tuple[str, str]], clock: Clock) -> list[Document | None]:
        """Point reads of one container by (pk, id), some in a statement: half of the cost of as many statements."""
        found: list[Document | None] = [None] * len(keys)
        try:
            for start in range(0, len(keys), TOGETHER):
                some = keys[start : start + TOGETHER]
                values = [part for key in some for part in key]
                for row in self._inline.execute(layout.read_together(len(some)), values):
                    found[start + row[3]] = _living(row, clock)
        except sqlite3.Error as error:
            raise self._failure(error) from error
        return found

    async def rows(self, statement: Statement, *, slow: bool) -> Rows:
        """All rows of a statement."""
        try:
            if slow or self._is_slow(statement):
                return await self._in_thread(statement)
            return self._here(statement)
        except sqlite3.Error as error:
            raise self._failure(error) from error

    def plan(self, statement: Statement) -> list[str]:
        """The steps of SQLite's plan."""
        steps = self._inline.execute(f"EXPLAIN QUERY PLAN {statement.sql}", statement.values)
        return [str(step[3]) for step in steps]

    def close(self) -> None:
        """Ends the threads and closes the connections. May be called twice."""
        self._closed = True
        self._threads.shutdown(wait=True)
        self._inline.close()
        while not self._spare.empty():
            self._spare.get_nowait().close()

    def _is_slow(self, statement: Statement) -> bool:
        known = self._slow.get(statement.sql)
        return self._scans(statement) if known is None else known

    def _scans(self, statement: Statement) -> bool:
        """Asks SQLite for its plan, once for each text: reading a whole table is no work for the event loop."""
        scans = any(step.startswith("SCAN c_") and "INDEX" not in step for step in self.plan(statement))
        self._remember(statement.sql, slow=scans)
        return scans

    def _remember(self, sql: str, *, slow: bool) -> None:
        if len(self._slow) >= _KNOWN:
            self._slow.clear()
        self._slow[sql] = slow

    def _here(self, statement: Statement) -> Rows:
        started = time.perf_counter()
        rows = self._inline.execute(statement.sql, statement.values).fetchall()
        if time.perf_counter() - started > _SLOW:
            self._remember(statement.sql, slow=True)
        return rows

    async def _in_thread(self, statement: Statement) -> Rows:
        if self._closed:
            raise StoreUnavailable("the document store is closed")
        rows, took = await asyncio.get_running_loop().run_in_executor(self._threads, self._elsewhere, statement)
        if took < _FAST:
            self._remember(statement.sql, slow=False)
        return rows

    def _elsewhere(self, statement: Statement) -> tuple[Rows, float]:
        connection = self._borrow()
        started = time.perf_counter()
        try:
            rows = connection.execute(statement.sql, statement.values).fetchall()
        finally:
            self._spare.put(connection)
        return rows, time.perf_counter() - started

    def _borrow(self) -> sqlite3.Connection:
        try:
            return self._spare.get_nowait()
        except queue.Empty:
            return connect(self._path, busy_timeout=_INLINE_WAIT, writes=False)

    def _failure(self, error: sqlite3.Error) -> StoreUnavailable:
        return StoreUnavailable("the document store is closed") if self._closed else unavailable(error)


def _living(row: tuple[Any, ...], clock: Clock) -> Document | None:
    """The document of a row that begins with `Layout.read`'s columns, unless its time is over."""
    if row[2] != NEVER and row[2] <= milliseconds(clock.now()):
        return None
    return Document(row[0], row[1])
