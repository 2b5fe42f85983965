"""The embedded document store: one SQLite file, durable, for several processes of one machine.

Reads run inline on the event loop, each from a snapshot that includes every write this process has acknowledged; what
is known to be slow goes to a thread. Writes go to the writer thread (`sqlite_writer`). Open after a fork, not before.
"""
# ruff: noqa: S608  (what is written into SQL are names from containers.yaml; values are always bound)

from __future__ import annotations

import asyncio
import itertools
import secrets
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

from generated.containers import Container
from handlers.platform.clock import Clock, SystemClock, timestamp
from handlers.platform.store import charges
from handlers.platform.store.port import (
    MAX_BATCH_BYTES,
    MAX_BATCH_OPERATIONS,
    Changes,
    Document,
    DocumentTooLarge,
    Operation,
    Page,
    Place,
    Query,
    Scalar,
    StoreMisuse,
    StoreUnavailable,
)
from handlers.platform.store.sqlite_compile import count, select, sort_keys
from handlers.platform.store.sqlite_errors import CHANGED, unavailable
from handlers.platform.store.sqlite_feed import NAME as FEED_NAME
from handlers.platform.store.sqlite_feed import Feed
from handlers.platform.store.sqlite_layout import PARTITION, Layout, milliseconds
from handlers.platform.store.sqlite_operations import Operations, Prepared
from handlers.platform.store.sqlite_reader import Reader
from handlers.platform.store.sqlite_rounds import Rounds
from handlers.platform.store.sqlite_schema import connect, prepare, record, recorded_fingerprint
from handlers.platform.store.sqlite_writer import Writer
from handlers.platform.store.values import scalar_at
from handlers.platform.wake import Wake

PURGE_STEP: Final = 25  # rows of a container, before it is the next one's turn
PING_TIMEOUT: Final = 2.0
MAX_LIMIT: Final = 10_000


class SqliteStore:
    """The `DocumentStore` on SQLite. Make one with `open`."""

    def __init__(self, path: Path, layouts: Mapping[str, Layout], clock: Clock, busy_timeout: float) -> None:
        self._layouts = layouts
        self._clock = clock
        writing = connect(path, busy_timeout=busy_timeout, writes=True)
        try:
            self._fingerprint = prepare(writing, [*layouts.values()])
        except BaseException:
            writing.close()
            raise
        self._reader = Reader(path)
        self._feed = Feed(layouts.values(), self._reader, Wake(path))
        self._rounds = Rounds(layouts.values())
        self._writer = Writer(
            writing,
            busy_timeout=busy_timeout,
            check=self._check,
            housekeeping=self._purge,
            committed=self._feed.committed,
        )
        origin, numbers = secrets.token_hex(6), itertools.count(1)
        self._operations = {
            name: Operations(layout, clock.now, lambda: f"{origin}{next(numbers):x}", self._feed.wrote)
            for name, layout in layouts.items()
        }

    @classmethod
    def open(
        cls,
        path: Path | str,
        containers: Mapping[str, Container],
        *,
        clock: Clock | None = None,
        busy_timeout: float = 30.0,
    ) -> SqliteStore:
        """Opens or creates the file and brings its tables in line with `containers`; may take a while after a change.

        `busy_timeout`: seconds to wait for another process that writes. Raises `StoreUnavailable`.
        """
        file = Path(path)
        with _opening(file):
            return cls(file, _layouts_of(containers), clock or SystemClock(), busy_timeout)

    @classmethod
    def prepare(cls, path: Path, containers: Mapping[str, Container], *, busy_timeout: float = 30.0) -> None:
        """Creates the file or brings it up to date, and closes it. Raises `StoreUnavailable` when it cannot be used."""
        with _opening(path), closing(connect(path, busy_timeout=busy_timeout, writes=True)) as connection:
            prepare(connection, [*_layouts_of(containers).values()])

    async def read(self, container: str, partition: str | tuple[str, ...], id: str) -> Document | None:
        """The document, or None. One point read."""
        layout = self._layout(container)
        document = self._reader.one(layout, layout.partition(partition), id, self._clock)
        _charge(document)
        return document

    async def read_many(self, places: Sequence[Place]) -> list[Document | None]:
        """The documents of these places, in the same order, None where there is none. Point reads."""
        by_container: dict[str, list[int]] = {}
        for at, (container, _, _) in enumerate(places):
            by_container.setdefault(container, []).append(at)
        found: list[Document | None] = [None] * len(places)
        for container, indices in by_container.items():
            layout = self._layout(container)
            keys = [(layout.partition(places[at][1]), places[at][2]) for at in indices]
            for at, document in zip(indices, self._reader.many(layout, keys, self._clock), strict=True):
                _charge(document)
                found[at] = document
        return found

    async def query(self, query: Query) -> Page:
        """One page of the matching documents, in the query's order."""
        if not 1 <= query.limit <= MAX_LIMIT or query.offset < 0:
            raise StoreMisuse(f"limit {query.limit}, offset {query.offset}")
        layout = self._layout(query.container)
        rows = await self._reader.rows(select(layout, query, self._now()), slow=query.slow)
        page = rows[: query.limit]
        items = [Document(raw, etag) for raw, etag, _ in page]
        charges.charge(charges.query_units(len(items) + query.offset, sum(len(item.raw) for item in items)))
        return Page(items, _position(layout, query, items[-1], page[-1][2]) if len(rows) > query.limit else None)

    async def count(self, query: Query) -> int:
        """How many documents match (limit, offset, after and sort are ignored)."""
        rows = await self._reader.rows(count(self._layout(query.container), query, self._now()), slow=query.slow)
        matches = int(rows[0][0])
        charges.charge(charges.count_units(matches))
        return matches

    async def write(
        self, container: str, operation: Operation, *, partition: str | tuple[str, ...] | None = None
    ) -> Document | None:
        """One write; `partition` is needed for `Patch` and `Delete`."""
        self._layout(container)
        return (await self._commit([self._operations[container].prepare(operation, partition)]))[0]

    async def batch(
        self, container: str, partition: str | tuple[str, ...], operations: Sequence[Operation]
    ) -> list[Document | None]:
        """All of the writes or none, within one partition. Raises what the first failing operation raises."""
        self._layout(container)
        prepared = [self._operations[container].prepare(operation, partition) for operation in operations]
        if not 1 <= len(prepared) <= MAX_BATCH_OPERATIONS:
            raise StoreMisuse(f"a batch has 1 to {MAX_BATCH_OPERATIONS} operations, not {len(prepared)}")
        if sum(one.size for one in prepared) > MAX_BATCH_BYTES:
            raise DocumentTooLarge(f"a batch has at most {MAX_BATCH_BYTES} bytes")
        return await self._commit(prepared)

    def plan(self, query: Query) -> list[str]:
        """SQLite's plan for a query, step by step: for people and tests that look after the indexes."""
        return self._reader.plan(select(self._layout(query.container), query, self._now()))

    async def ping(self) -> None:
        """Raises `StoreUnavailable` when the store cannot serve. Writes and syncs a line, for only that proves it."""
        moment = timestamp(self._clock.now())
        written = self._writer.submit([lambda connection: record(connection, "ping", moment)])
        try:
            await asyncio.wait_for(asyncio.shield(written), PING_TIMEOUT)
        except TimeoutError as error:
            written.add_done_callback(lambda done: done.cancelled() or done.exception())
            raise StoreUnavailable(f"the document store did not write within {PING_TIMEOUT:g} s") from error

    async def feeds(self, *, fresh: bool = False) -> list[str]:
        """One, always: a single writer at a time orders everything."""
        return [FEED_NAME]

    def overlap(self, feed: str, other: str) -> bool:
        """There is but one feed."""
        return feed == other

    def inherited(self, feed: str, positions: Mapping[str, str | None]) -> str | None:
        """The one feed's own position."""
        return positions.get(feed)

    async def changes(self, feed: str, after: str | None, limit: int) -> Changes:
        """The next outbox rows of a feed, at most `limit`."""
        return await self._feed.changes(feed, after, limit)

    async def changed(self, seconds: float) -> None:
        """Waits for a commit with outbox rows, of any process."""
        await self._feed.changed(seconds)

    async def close(self) -> None:
        """Finishes what was accepted and releases the file. May be called twice."""
        self._feed.close()
        await asyncio.wrap_future(self._writer.stop())
        self._reader.close()

    async def _commit(self, prepared: list[Prepared]) -> list[Document | None]:
        results = await self._writer.submit([one.run for one in prepared])
        for one, document in zip(prepared, results, strict=True):
            charges.charge(one.units(document))
        return results

    def _layout(self, container: str) -> Layout:
        layout = self._layouts.get(container)
        if layout is None:
            raise StoreMisuse(f"there is no container {container!r} (infra/containers.yaml)")
        return layout

    def _now(self) -> int:
        return milliseconds(self._clock.now())

    def _check(self, connection: sqlite3.Connection) -> None:
        if recorded_fingerprint(connection) != self._fingerprint:
            raise StoreUnavailable(CHANGED)

    def _purge(self, connection: sqlite3.Connection) -> bool:
        """Removes some of the rows whose time is over; nobody sees them any more. Whether there may be more."""
        now = self._now()

        def step(layout: Layout) -> bool:
            rows = f"SELECT seq FROM {layout.table} WHERE expires < {2**63 - 1} AND expires <= ? LIMIT {PURGE_STEP}"
            gone = connection.execute(f"DELETE FROM {layout.table} WHERE seq IN ({rows})", (now,))
            return gone.rowcount >= PURGE_STEP

        return self._rounds.clear(step)


def _layouts_of(containers: Mapping[str, Container]) -> dict[str, Layout]:
    return {name: Layout(container) for name, container in containers.items()}


@contextmanager
def _opening(path: Path) -> Iterator[None]:
    """Makes the folder, and turns what goes wrong around opening the file into `StoreUnavailable`."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except sqlite3.Error as error:
        raise unavailable(error) from error
    except OSError as error:
        raise StoreUnavailable("the document store's file cannot be opened") from error


def _charge(document: Document | None) -> None:
    """Notes a point read."""
    charges.charge(charges.read_units(len(document.raw) if document is not None else 0))


def _position(layout: Layout, query: Query, last: Document, pk: str) -> tuple[Scalar, ...]:
    """The keyset position behind the page's last document."""
    keys = sort_keys(layout, query)
    return tuple(pk if sort.path == PARTITION else scalar_at(last.data, sort.path) for sort in keys)
