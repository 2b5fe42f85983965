"""The five writes as the writer thread carries them out, inside its transaction.

They are prepared on the caller's side (JSON, columns, checks), so that the thread that holds the lock does little but
SQL.
"""
# ruff: noqa: S608  (what is written into SQL are names from containers.yaml; values are always bound)

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import orjson

from handlers.platform.store import charges
from handlers.platform.store.port import (
    Create,
    Delete,
    Document,
    DocumentExists,
    DocumentMissing,
    Operation,
    Patch,
    Replace,
    StoreMisuse,
    Upsert,
    VersionConflict,
)
from handlers.platform.store.sqlite_compile import Statement, predicate
from handlers.platform.store.sqlite_layout import Layout, Row, milliseconds
from handlers.platform.store.values import apply_patch, check_patch, encode

Partition = str | tuple[str, ...]
Work = Callable[[sqlite3.Connection], Document | None]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A checked write: its partition, its size in bytes, its index terms, and what to do in the transaction."""

    pk: str
    size: int
    terms: int
    run: Work

    def units(self, document: Document | None) -> float:
        """Estimated request units, once it is known what was written."""
        return charges.write_units(len(document.raw) if document is not None else self.size, self.terms)


class Operations:
    """The writes of one container. `now` tells the time, `etag` makes a new one, `wrote` hears of each row's kind."""

    def __init__(
        self,
        layout: Layout,
        now: Callable[[], datetime],
        etag: Callable[[], str],
        wrote: Callable[[str | None], None],
    ) -> None:
        self._layout = layout
        self._now = now
        self._etag = etag
        self._wrote = wrote

    def prepare(self, operation: Operation, partition: Partition | None) -> Prepared:
        """Checks a write and makes it ready. Raises `StoreMisuse` and `DocumentTooLarge`."""
        if isinstance(operation, Create | Replace | Upsert):
            return self._prepare_document(operation, partition)
        if partition is None:
            raise StoreMisuse(f"{type(operation).__name__} needs the partition")
        pk, terms = self._layout.partition(partition), len(self._layout.paths)
        if isinstance(operation, Delete):
            return Prepared(pk, 0, terms, partial(self._delete, pk, operation))
        check_patch(operation, self._layout.fixed)
        condition = predicate(self._layout, operation.condition) if operation.condition is not None else None
        size = len(encode({**operation.sets, **operation.increments}))
        return Prepared(pk, size, 2 * terms, partial(self._patch, pk, operation, condition))

    def _prepare_document(self, operation: Create | Replace | Upsert, partition: Partition | None) -> Prepared:
        raw = encode(operation.document)
        row = self._layout.row(operation.document, raw, self._etag(), self._now())
        if partition is not None and self._layout.partition(partition) != row.pk:
            raise self._misuse("the document belongs to another partition")
        terms = sum(value is not None for value in row.values)
        if isinstance(operation, Create):
            return Prepared(row.pk, len(raw), terms, partial(self._put, row, self._layout.insert))
        if isinstance(operation, Upsert):
            return Prepared(row.pk, len(raw), 2 * terms, partial(self._put, row, self._layout.upsert))
        return Prepared(row.pk, len(raw), 2 * terms, partial(self._replace, row, operation.if_match))

    def _replace(self, row: Row, if_match: str | None, connection: sqlite3.Connection) -> Document:
        self._match(self._stored(row.pk, row.id, connection), if_match)
        return self._put(row, self._layout.upsert, connection)

    def _delete(self, pk: str, delete: Delete, connection: sqlite3.Connection) -> None:
        self._match(self._stored(pk, delete.id, connection), delete.if_match)
        connection.execute(self._layout.delete, (pk, delete.id))

    def _patch(self, pk: str, patch: Patch, condition: Statement | None, connection: sqlite3.Connection) -> Document:
        stored = self._stored(pk, patch.id, connection)
        self._match(stored, patch.if_match)
        if condition is not None and not self._holds(pk, patch.id, condition, connection):
            raise VersionConflict(f"{self._layout.container.name}: the condition does not hold")
        document = orjson.loads(stored.raw)
        apply_patch(document, patch)
        row = self._layout.row(document, encode(document), self._etag(), self._now())
        return self._put(row, self._layout.upsert, connection)

    def _stored(self, pk: str, id: str, connection: sqlite3.Connection) -> Document:
        """The document as it is. Raises `DocumentMissing`."""
        found = connection.execute(self._layout.read, (pk, id)).fetchone()
        if found is None or found[2] <= milliseconds(self._now()):
            raise DocumentMissing(f"{self._layout.container.name}: no such document")
        return Document(found[0], found[1])

    def _match(self, stored: Document, if_match: str | None) -> None:
        if if_match is not None and if_match != stored.etag:
            raise VersionConflict(f"{self._layout.container.name}: the document has changed")

    def _holds(self, pk: str, id: str, condition: Statement, connection: sqlite3.Connection) -> bool:
        sql = f"SELECT {condition.sql} FROM {self._layout.table} WHERE pk = ? AND id = ?"
        return bool(connection.execute(sql, (*condition.values, pk, id)).fetchone()[0])

    def _put(self, row: Row, sql: str, connection: sqlite3.Connection) -> Document:
        """Writes the row. What is in its way and past its time gives way; else `DocumentExists`."""
        try:
            connection.execute(sql, row.binding())
        except sqlite3.IntegrityError:
            expired = connection.execute(self._layout.purge_partition, (row.pk, milliseconds(self._now()))).rowcount
            if not expired:
                raise DocumentExists(f"{self._layout.container.name}: id or unique key is taken") from None
            connection.execute(sql, row.binding())
        self._wrote(row.kind)
        return Document(row.raw, row.etag)

    def _misuse(self, reason: str) -> StoreMisuse:
        return StoreMisuse(f"{self._layout.container.name}: {reason}")
