"""What SQLite's errors mean for a caller. Messages name the file's role, never its place or content."""

from __future__ import annotations

import sqlite3
from typing import Final

from handlers.platform.store.port import OutcomeUnknown, StoreUnavailable

CHANGED: Final = "another version of the program has changed the document store: restart this process"
_MEANING: Final = {
    sqlite3.SQLITE_FULL: "no room left on the disk of the document store's file",
    sqlite3.SQLITE_CORRUPT: "the document store's file is corrupt; restore it from a backup",
    sqlite3.SQLITE_NOTADB: "the document store's file is not a database; restore it from a backup",
    sqlite3.SQLITE_BUSY: "the document store's file is locked by another process",
    sqlite3.SQLITE_LOCKED: "the document store's file is locked by another process",
    sqlite3.SQLITE_READONLY: "the document store's file is read-only",
    sqlite3.SQLITE_CANTOPEN: "the document store's file cannot be opened",
    sqlite3.SQLITE_PERM: "the document store's file cannot be opened",
    sqlite3.SQLITE_IOERR: "the disk of the document store's file fails",
    sqlite3.SQLITE_NOMEM: "the document store is out of memory",
}
# A commit whose sync fails may still be found by a later recovery.
_SYNC_FAILED: Final = frozenset({sqlite3.SQLITE_IOERR_FSYNC, sqlite3.SQLITE_IOERR_DIR_FSYNC})


def unavailable(error: sqlite3.Error, *, committing: bool = False) -> StoreUnavailable:
    """The store error for an error of the file or the disk."""
    code = code_of(error)
    if committing and code in _SYNC_FAILED:
        return OutcomeUnknown("the disk of the document store's file failed while it wrote a commit")
    if "no such column" in str(error) or "no such table" in str(error):
        return StoreUnavailable(CHANGED)
    return StoreUnavailable(_MEANING.get(code & 0xFF, "the document store's file cannot be used"))


def is_of_the_file(error: sqlite3.Error) -> bool:
    """Whether everything fails (disk, file, lock), and not only the statement."""
    return code_of(error) & 0xFF in _MEANING


def is_busy(error: sqlite3.Error) -> bool:
    """Whether another process holds the lock."""
    return code_of(error) & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def code_of(error: sqlite3.Error) -> int:
    """SQLite's extended result code; 0 when the error is Python's own."""
    return getattr(error, "sqlite_errorcode", 0) or 0
