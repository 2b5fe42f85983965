"""The document store as the rooms see it: typed queries, guarded writes, one-partition batches.

Two adapters implement it, `sqlite` (default, embedded) and `cosmos`; `tests/platform/store` holds the conformance suite
that both pass. Semantics follow Azure Cosmos DB for NoSQL, the narrower of the two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import orjson

Json = dict[str, Any]
Scalar = str | int | float | bool

MAX_BATCH_OPERATIONS: Final = 100
MAX_BATCH_BYTES: Final = 2 * 1024 * 1024
MAX_DOCUMENT_BYTES: Final = 2 * 1024 * 1024
MAX_PATCH_FIELDS: Final = 10
MAX_IN_VALUES: Final = 256


class StoreMisuse(Exception):
    """The calling code is wrong: unknown container, query off the allow list, document without its partition key.

    Not a `StoreError`: nobody should catch it.
    """


class StoreError(Exception):
    """A store operation did not take effect. Subclasses say why."""


class DocumentExists(StoreError):
    """A document with this id, or with this unique key, is already in the partition."""


class DocumentMissing(StoreError):
    """There is no document with this id in the partition (or its time to live is over)."""


class VersionConflict(StoreError):
    """The document is not in the state the write was based on: its etag or a patch's condition does not hold."""


class DocumentTooLarge(StoreError):
    """A document or batch is over the limits above."""


class StoreUnavailable(StoreError):
    """The store cannot serve: disk full, file corrupt or locked, service throttled or away. Nothing was written."""


class StoreThrottled(StoreUnavailable):
    """The service answers, and refuses for now: more was asked of it than is provisioned. Nothing was written."""


class OutcomeUnknown(StoreUnavailable):
    """The answer to a write was lost; it may have taken effect. Read back before trying again."""


class Document:
    """A stored document: its JSON exactly as written, and its version.

    `raw` may be sent to a client as it is; `data` parses it at first use.
    """

    __slots__ = ("_data", "etag", "raw")

    def __init__(self, raw: bytes, etag: str) -> None:
        self.raw = raw
        self.etag = etag
        self._data: Json | None = None

    @property
    def data(self) -> Json:
        """The document as a dict of its own, parsed once."""
        if self._data is None:
            self._data = orjson.loads(self.raw)
        return self._data

    def __repr__(self) -> str:
        return f"Document(etag={self.etag!r}, {len(self.raw)} bytes)"


# --- conditions -----------------------------------------------------------------------------------------------------
# Paths are dotted: "price.amount". Operands are scalars, never null (facts/cosmos.md). Types count: 1 equals 1.0, but
# neither true nor "1"; a range holds for values of its bounds' type only. What is absent or null fits no condition
# but `Exists(path, present=False)`.


@dataclass(frozen=True, slots=True)
class Eq:
    """The value at `path` equals `value`."""

    path: str
    value: Scalar


@dataclass(frozen=True, slots=True)
class In:
    """The value at `path` is one of `values` (at most 256; none matches nothing)."""

    path: str
    values: Sequence[Scalar]


@dataclass(frozen=True, slots=True)
class Range:
    """The value at `path` is within bounds, each open (`gt`, `lt`) or closed (`ge`, `le`) or absent, not all absent."""

    path: str
    ge: Scalar | None = None
    gt: Scalar | None = None
    le: Scalar | None = None
    lt: Scalar | None = None


@dataclass(frozen=True, slots=True)
class Prefix:
    """The string at `path` starts with `value`, letter case counting (the empty prefix: any string)."""

    path: str
    value: str


@dataclass(frozen=True, slots=True)
class Contains:
    """The array at `path` has the element `value`."""

    path: str
    value: Scalar


@dataclass(frozen=True, slots=True)
class Exists:
    """There is a value at `path`, and it is not null; with `present=False`, there is none."""

    path: str
    present: bool = True


@dataclass(frozen=True, slots=True)
class Difference:
    """The number at `path` less the number at `less` is at least `ge`; what is no number fits nothing."""

    path: str
    less: str
    ge: int


@dataclass(frozen=True, slots=True)
class And:
    """All of the conditions hold (none given: true)."""

    conditions: Sequence[Condition]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one of the conditions holds (none given: false)."""

    conditions: Sequence[Condition]


Condition = Eq | In | Range | Prefix | Contains | Exists | Difference | And | Or


@dataclass(frozen=True, slots=True)
class Sort:
    """One key of an order. The field must be present in every matching document and of one type.

    A document without it is left out, as Cosmos leaves it out of a composite index. The keys of a query, without `id`,
    must be the end of one of the container's indexes, in its directions or all reversed.
    """

    path: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """What to read from one container.

    `partition`: the partition key value; for a hierarchical key a tuple, of which trailing parts may be missing. None
    reads across partitions and then needs `purpose`, one of those on the container's allow list (`cross_partition` in
    `infra/containers.yaml`).
    `kind`: None for the room's own documents; service rows (outbox, inbox, idempotency, hold) carry a `kind` field.
    `after`: the `Page.next` of the page before (keyset). `id` is always the last sort key, in the direction of the one
    before it; across partitions, the partition follows. `offset` is for page numbers and bounded by the contract.
    `slow`: a hint that this takes long (no index fits, or thousands of matches): the embedded adapter then keeps it
    off the event loop.
    """

    container: str
    partition: str | tuple[str, ...] | None = None
    where: Condition | None = None
    sort: tuple[Sort, ...] = ()
    limit: int = 20
    after: tuple[Scalar, ...] | None = None
    offset: int = 0
    kind: str | None = None
    purpose: str | None = None
    slow: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """A page of documents, and the keyset position to go on from (None: this was the last)."""

    items: list[Document]
    next: tuple[Scalar, ...] | None


@dataclass(frozen=True, slots=True)
class Changes:
    """The next rows of a feed, in order, and the position behind them (to be kept by the reader, opaque)."""

    items: list[Document]
    next: str


# --- writes ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Create:
    """Write a new document; `DocumentExists` when its id or a unique key is taken."""

    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Replace:
    """Write the whole document anew; `DocumentMissing`, or `VersionConflict` when `if_match` is not its etag."""

    document: Mapping[str, Any]
    if_match: str | None = None


@dataclass(frozen=True, slots=True)
class Upsert:
    """Write the whole document, there or not.

    Only for documents that one writer owns (projections, counters of one process).
    """

    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Patch:
    """Change fields of a document in place.

    `sets` replaces values (parents must exist), `increments` adds integers (to 0 where there is none), `removes`
    deletes (what is there). At most `MAX_PATCH_FIELDS` fields in all, none of them `id`, `kind` or part of the
    partition key. `condition` is judged on the stored document in the same step; `VersionConflict` when it or
    `if_match` does not hold. A field that is not as said above is a `StoreMisuse`: let the condition see to it.
    """

    id: str
    sets: Mapping[str, Any] = field(default_factory=dict)
    increments: Mapping[str, int] = field(default_factory=dict)
    removes: Sequence[str] = ()
    condition: Condition | None = None
    if_match: str | None = None


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove a document; `DocumentMissing`, or `VersionConflict` when `if_match` is not its etag."""

    id: str
    if_match: str | None = None


Operation = Create | Replace | Upsert | Patch | Delete
# Where a document is: container, partition (of one part), id.
Place = tuple[str, str, str]


class DocumentStore(Protocol):
    """Documents in containers and partitions. A partition is a string, or a tuple for hierarchical keys."""

    async def read(self, container: str, partition: str | tuple[str, ...], id: str) -> Document | None:
        """The document, or None. One point read."""
        ...

    async def read_many(self, places: Sequence[Place]) -> list[Document | None]:
        """The documents of these places, in the same order, None where there is none. Point reads, some at once."""
        ...

    async def query(self, query: Query) -> Page:
        """One page of the matching documents, in the query's order."""
        ...

    async def count(self, query: Query) -> int:
        """How many documents match (limit, offset, after and sort are ignored)."""
        ...

    async def write(
        self, container: str, operation: Operation, *, partition: str | tuple[str, ...] | None = None
    ) -> Document | None:
        """One write; `partition` is needed for `Patch` and `Delete`.

        Answers the document as it is now (None after `Delete`). A caller that is cancelled while it waits does not
        know whether the write took effect.
        """
        ...

    async def batch(
        self, container: str, partition: str | tuple[str, ...], operations: Sequence[Operation]
    ) -> list[Document | None]:
        """All of the writes or none, within one partition. Raises what the first failing operation raises."""
        ...

    async def feeds(self, *, fresh: bool = False) -> list[str]:
        """The feeds of outbox rows. Each row is in one of them, and so are all rows of a partition.

        They may become others while the store is open, as Cosmos splits and merges ranges: these are the ones that this
        process knows of; with `fresh` the store is asked.
        """
        ...

    def overlap(self, feed: str, other: str) -> bool:
        """Whether rows of the one may be rows of the other: they are the same, or one came of the other."""
        ...

    def inherited(self, feed: str, positions: Mapping[str, str | None]) -> str | None:
        """Where a feed begins that takes over from others, each read as far as its position says (None: not at all).

        What none of them covered is read from its beginning.
        """
        ...

    async def changes(self, feed: str, after: str | None, limit: int) -> Changes:
        """The next outbox rows of a feed, at most `limit`, those of a partition in the order of their commits.

        `after`: the `Changes.next` of the call before; None begins with the oldest row there is. Rows may come again,
        none is left out.
        """
        ...

    async def changed(self, seconds: float) -> None:
        """Returns when there may be new rows in a feed since the call before, after `seconds` at the latest."""
        ...

    async def ping(self) -> None:
        """Raises `StoreUnavailable` when the store cannot serve. For readiness."""
        ...

    async def close(self) -> None:
        """Finishes what was accepted and releases the store."""
        ...
