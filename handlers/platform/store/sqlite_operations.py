"""The five writes as the writer thread carries them out, inside its transaction.

They are prepared on the caller's side (JSON, columns, checks), so that the thread that holds the lock does little but
SQL.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

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
        """Writes the row over what is there, if it is what it should be: looks at it only when nothing was changed."""
        sql, values = self._layout.update, (*row.changes(), row.pk, row.id, milliseconds(self._now()))
        if if_match is not None:
            sql, values = f"{sql} AND etag = ?", (*values, if_match)
        if not self._execute(row.pk, sql, values, connection):
            self._stored(row.pk, row.id, connection)
            raise self._changed()
        self._wrote(row.kind)
        return Document(row.raw, row.etag)

    def _delete(self, pk: str, delete: Delete, connection: sqlite3.Connection) -> None:
        self._match(self._stored(pk, delete.id, connection), delete.if_match)
        connection.execute(self._layout.delete, (pk, delete.id))

    def _patch(self, pk: str, patch: Patch, condition: Statement | None, connection: sqlite3.Connection) -> Document:
        stored = self._stored(pk, patch.id, connection, condition)
        self._match(stored, patch.if_match)
        document = orjson.loads(stored.raw)
        apply_patch(document, patch)
        row = self._layout.row(document, encode(document), self._etag(), self._now())
        return self._replace(row, None, connection)

    def _stored(self, pk: str, id: str, connection: sqlite3.Connection, condition: Statement | None = None) -> Document:
        """The document as it is. Raises `DocumentMissing`; `VersionConflict` when the condition does not hold."""
        layout, sql, values = self._layout, self._layout.read, (pk, id)
        if condition is not None:
            sql = layout.read.replace(" FROM ", f", {condition.sql} FROM ", 1)
            values = (*condition.values, pk, id)
        found = connection.execute(sql, values).fetchone()
        if found is None or found[2] <= milliseconds(self._now()):
            raise DocumentMissing(f"{layout.container.name}: no such document")
        if condition is not None and not found[3]:
            raise VersionConflict(f"{layout.container.name}: the condition does not hold")
        return Document(found[0], found[1])

    def _match(self, stored: Document, if_match: str | None) -> None:
        if if_match is not None and if_match != stored.etag:
            raise self._changed()

    def _put(self, row: Row, sql: str, connection: sqlite3.Connection) -> Document:
        self._execute(row.pk, sql, row.binding(), connection)
        self._wrote(row.kind)
        return Document(row.raw, row.etag)

    def _execute(self, pk: str, sql: str, values: tuple[Any, ...], connection: sqlite3.Connection) -> int:
        """Writes rows, answers how many. What is in the way and past its time gives way; else `DocumentExists`."""
        try:
            return connection.execute(sql, values).rowcount
        except sqlite3.IntegrityError:
            expired = connection.execute(self._layout.purge_partition, (pk, milliseconds(self._now()))).rowcount
            if not expired:
                raise DocumentExists(f"{self._layout.container.name}: id or unique key is taken") from None
            return connection.execute(sql, values).rowcount

    def _changed(self) -> VersionConflict:
        return VersionConflict(f"{self._layout.container.name}: the document has changed")

    def _misuse(self, reason: str) -> StoreMisuse:
        return StoreMisuse(f"{self._layout.container.name}: {reason}")
