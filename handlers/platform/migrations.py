"""Migrations: stored documents are brought into a newer shape while the shop is open.

A migration is a pure function from a document to the one that should be there, or None when there is nothing to do; so
it may run twice, in two processes, or again after it was killed. Every write is guarded by the etag that was read: a
document that somebody changes meanwhile is never overwritten, but read and looked at again. When to use one, and in
which order with a release: `handlers/migrations.md`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final, TypeVar

from generated.containers import Container
from handlers.platform.concurrency import retrying
from handlers.platform.store.port import (
    Delete,
    Document,
    DocumentMissing,
    DocumentStore,
    Query,
    Replace,
    Scalar,
    StoreUnavailable,
    Upsert,
    VersionConflict,
)
from handlers.platform.store.values import place, value_at

log = logging.getLogger(__name__)

T = TypeVar("T")
Json = dict[str, Any]

# Where it is noted how far a run is: a document for each migration that has begun and not ended.
POSITIONS: Final = "checkpoints"
GROUP: Final = "migrations"
PAGE: Final = 100
# Some ten seconds: the pause doubles from 2 ms. Whoever runs the command is there to run it again.
_ATTEMPTS: Final = 13


@dataclass(frozen=True, slots=True)
class Migration:
    """What is done to which documents, and why.

    `queries`: each along an index of its container, across partitions with a purpose on the allow list; they may find
    more than is changed. Page size and position are set by the run. `change` is pure, leaves its argument as it is,
    and answers None where nothing is to do; id, kind and partition key stay. One that is changed after its release
    gets a new name, for positions are noted by name.
    """

    name: str
    reason: str
    queries: tuple[Query, ...]
    change: Callable[[Json], Json | None]


@dataclass(slots=True)
class Progress:
    """How far a run is.

    `changed`: documents written; with a dry run, those that would be. `conflicts`: how often another writer was faster.
    `failed`: documents that could not be changed, those before a killed run's end included; the log says why.
    """

    seen: int = 0
    changed: int = 0
    conflicts: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class _Position:
    """The page to go on from: the number of its query, and the keyset position in it (None: the first)."""

    query: int = 0
    after: tuple[Scalar, ...] | None = None


class MigrationDefect(Exception):
    """A migration answered a document that belongs in another place."""


@dataclass(slots=True)
class MigrationRun:
    """One run of a migration over a store.

    `rate`: at most so many documents a second are looked at, and so at most so many are written. `on_change` is told
    the id of each that is changed (or would be), `on_page` how far it is after each page.
    """

    store: DocumentStore
    containers: Mapping[str, Container]
    migration: Migration
    rate: float
    dry: bool = False
    on_change: Callable[[str], None] = lambda _: None
    on_page: Callable[[Progress], None] = lambda _: None
    progress: Progress = field(default_factory=Progress)

    async def run(self) -> Progress:
        """Looks at every document, from where a killed run was; a dry run at all of them, and writes nothing.

        Raises `StoreUnavailable` when the store stays unavailable; what was done is done, and the next run goes on.
        """
        position = _Position() if self.dry else await self._read_position()
        while position.query < len(self.migration.queries):
            position = await self._run_page(position)
            if not self.dry:
                await self._note(position)
            self.on_page(self.progress)
        if not self.dry:
            await _patiently(self._forget_position)
        return self.progress

    async def _run_page(self, position: _Position) -> _Position:
        query = replace(self.migration.queries[position.query], limit=PAGE, after=position.after)
        page = await _patiently(partial(self.store.query, query))
        for found in page.items:
            began = time.monotonic()
            await self._look_at(query.container, found)
            await asyncio.sleep(max(0.0, 1 / self.rate - (time.monotonic() - began)))
        return _Position(position.query + 1) if page.next is None else _Position(position.query, page.next)

    async def _look_at(self, container: str, found: Document) -> None:
        """Changes one document, if there is something to do. One that cannot be changed does not hold up the others."""
        self.progress.seen += 1
        try:
            await self._change(container, found)
        except StoreUnavailable:
            raise
        except Exception as error:
            # A broken document, or one too large or always contested. Texts of errors may hold what is in documents.
            self.progress.failed += 1
            reason = type(error).__name__
            log.error("%s: %s cannot be migrated: %s", container, found.data["id"], reason)  # noqa: TRY400 - see above

    async def _change(self, container: str, found: Document) -> None:
        paths = self.containers[container].partition_key
        parts = tuple(str(value_at(found.data, path.split("."))) for path in paths)
        partition = parts[0] if len(parts) == 1 else parts
        document_id = found.data["id"]
        known: Document | None = found

        async def attempt() -> bool:
            nonlocal known
            current, known = known or await self.store.read(container, partition, document_id), None
            after = self.migration.change(current.data) if current is not None else None
            if current is None or after is None:
                return False
            _check_place(paths, current.data, after)
            if self.dry:
                return True
            try:
                await self.store.write(container, Replace(after, if_match=current.etag))
            except VersionConflict:
                self.progress.conflicts += 1
                raise
            except DocumentMissing:
                return False
            return True

        # A lost answer is a `StoreUnavailable` too: what is read anew says whether anything is left to do.
        if await retrying(attempt, attempts=_ATTEMPTS, on=(VersionConflict, StoreUnavailable)):
            self.progress.changed += 1
            self.on_change(document_id)

    async def _read_position(self) -> _Position:
        noted = await _patiently(partial(self.store.read, POSITIONS, GROUP, self.migration.name))
        if noted is None:
            return _Position()
        after = noted.data["after"]
        self.progress.failed = noted.data["failed"]
        return _Position(noted.data["query"], tuple(after) if after is not None else None)

    async def _note(self, position: _Position) -> None:
        """All before it has been looked at. Of two runs at once each says so truly, so that the last word may win."""
        row = {"id": self.migration.name, "consumer_group": GROUP, "failed": self.progress.failed}
        row |= {"query": position.query, "after": list(position.after) if position.after is not None else None}
        await _patiently(partial(self.store.write, POSITIONS, Upsert(row)))

    async def _forget_position(self) -> None:
        try:
            await self.store.write(POSITIONS, Delete(self.migration.name), partition=GROUP)
        except DocumentMissing:
            log.info("another run of this migration has ended")


async def _patiently(ask: Callable[[], Awaitable[T]]) -> T:
    return await retrying(ask, attempts=_ATTEMPTS, on=StoreUnavailable)


def _check_place(paths: tuple[str, ...], before: Json, after: Json) -> None:
    """Raises `MigrationDefect`: a document that moves is a create and a delete, which no etag guards together."""
    same = all(before.get(name) == after.get(name) for name in ("id", "kind"))
    if not same or place(paths, before) != place(paths, after):
        raise MigrationDefect("a migration keeps id, kind and partition key")
