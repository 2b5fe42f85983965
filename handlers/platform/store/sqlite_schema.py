"""Opens the file and brings its tables in line with the containers; does nothing when they are already."""
# ruff: noqa: S608  (what is written into SQL are names from containers.yaml; values are always bound)

from __future__ import annotations

import hashlib
import os
import sqlite3
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from handlers.platform.store.port import StoreUnavailable
from handlers.platform.store.sqlite_compile import json_path
from handlers.platform.store.sqlite_errors import is_busy
from handlers.platform.store.sqlite_layout import FORMAT, Layout

_STATEMENTS: Final = 512
# Pages a connection keeps, in kB; behind them is the system's cache. The larger is for the one that reads on the loop.
_CACHE_KB: Final = 8 * 1024
INLINE_CACHE_KB: Final = 32 * 1024
_WAL_PAGES: Final = 4000  # about 16 MB between checkpoints: fewer syncs of the main file
_WAL_BYTES: Final = 64 * 1024 * 1024


def connect(path: Path, *, busy_timeout: float, writes: bool, cache_kb: int = _CACHE_KB) -> sqlite3.Connection:
    """A connection with this store's settings. `writes=False` refuses every write."""
    if writes:
        # Documents are personal data: the file is the owner's alone, as are the files SQLite puts next to it.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    connection = sqlite3.connect(
        path, timeout=busy_timeout, isolation_level=None, check_same_thread=False, cached_statements=_STATEMENTS
    )
    connection.execute(f"PRAGMA cache_size = -{cache_kb}")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA temp_store = MEMORY")
    if writes:
        _write_ahead(connection, busy_timeout)
        connection.execute(f"PRAGMA wal_autocheckpoint = {_WAL_PAGES}")
        connection.execute(f"PRAGMA journal_size_limit = {_WAL_BYTES}")
    else:
        connection.execute("PRAGMA query_only = ON")
    return connection


def fingerprint(layouts: Iterable[Layout]) -> str:
    """What the tables and indexes should be, as one short text."""
    statements = [text for layout in layouts for text in (*layout.tables(), *sorted(layout.indexes().values()))]
    return f"{FORMAT}-{hashlib.sha256(chr(10).join(statements).encode()).hexdigest()[:16]}"


def prepare(connection: sqlite3.Connection, layouts: list[Layout]) -> str:
    """Creates and changes tables and indexes as needed, in one transaction. Answers the fingerprint it recorded."""
    wanted = fingerprint(layouts)
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute("CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID")
        if _differs(recorded_fingerprint(connection), wanted):
            for layout in layouts:
                _bring_in_line(connection, layout)
            record(connection, "fingerprint", wanted)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return wanted


def _differs(recorded: str | None, wanted: str) -> bool:
    if recorded is not None and int(recorded.partition("-")[0]) > FORMAT:
        raise StoreUnavailable("the document store's file was written by a newer version of the program")
    return recorded != wanted


def recorded_fingerprint(connection: sqlite3.Connection) -> str | None:
    """The fingerprint in the file; another process with other containers may have changed it."""
    found = connection.execute("SELECT value FROM meta WHERE key = 'fingerprint'").fetchone()
    return None if found is None else str(found[0])


def record(connection: sqlite3.Connection, key: str, value: str) -> None:
    """Writes one entry about the file itself."""
    connection.execute("INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)", (key, value))


def _write_ahead(connection: sqlite3.Connection, busy_timeout: float) -> None:
    """Two processes that switch a new file at once get "locked" without any waiting, so we wait ourselves."""
    deadline = time.monotonic() + busy_timeout
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if not is_busy(error) or time.monotonic() >= deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _bring_in_line(connection: sqlite3.Connection, layout: Layout) -> None:
    for statement in layout.tables():
        connection.execute(statement)
    wanted = layout.indexes()
    present = {f'"{name}"' for name in _indexes(connection, layout)}
    for name in present - {*wanted}:
        connection.execute(f"DROP INDEX {name}")
    _columns(connection, layout)
    for name in wanted.keys() - present:
        connection.execute(wanted[name])


def _columns(connection: sqlite3.Connection, layout: Layout) -> None:
    """Adds the columns of paths that are new and fills them; takes away those no longer needed, lest they go stale."""
    rows = connection.execute(f"PRAGMA table_info({layout.table})").fetchall()
    present = {f"[{row[1]}]" for row in rows if row[1].startswith("v_")}
    wanted = {layout.columns[path]: path for path in layout.paths}
    for column in sorted(present - wanted.keys()):
        connection.execute(f"ALTER TABLE {layout.table} DROP COLUMN {column}")
    for column in sorted(wanted.keys() - present):
        connection.execute(f"ALTER TABLE {layout.table} ADD COLUMN {column}")
        at = json_path(wanted[column])
        connection.execute(
            f"UPDATE {layout.table} SET {column} = CASE json_type(doc, ?) WHEN 'true' THEN x'01' "
            "WHEN 'false' THEN x'00' WHEN 'array' THEN x'02' WHEN 'object' THEN x'02' ELSE json_extract(doc, ?) END",
            (at, at),
        )


def _indexes(connection: sqlite3.Connection, layout: Layout) -> list[str]:
    rows = connection.execute(f"PRAGMA index_list({layout.table})").fetchall()
    return [row[1] for row in rows if row[3] == "c"]
