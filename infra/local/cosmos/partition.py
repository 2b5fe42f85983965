"""A physical partition: a range of hashed keys, its documents, its clock of commits."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Final

from infra.local.cosmos.wire import Json

_LAG: Final = 5.0  # seconds

PartitionKey = tuple[str | int | float | bool | None, ...]


@dataclass(slots=True)
class Stored:
    """One version of a document, system properties included. `lsn`: the number of its commit."""

    document: Json
    etag: str
    lsn: int
    size: int
    epk: str
    expires: float
    previous: Stored | None = None
    at: float = field(default_factory=time.monotonic)

    def as_seen(self, lag: float, seen: int) -> Stored | None:
        """The version that a replica shows which is `lag` seconds behind, but has the commit `seen`."""
        found: Stored | None = self
        newest = time.monotonic() - lag
        while found is not None and found.lsn > seen and found.at > newest:
            found = found.previous
        return found


@dataclass(slots=True)
class Physical:
    """`low` inclusive, `high` exclusive, as hex of the hashed partition key. `generation`: when the range was made."""

    id: str
    low: str
    high: str
    generation: int = 1
    parents: tuple[str, ...] = ()
    lsn: int = 0
    items: dict[PartitionKey, dict[str, Stored]] = field(default_factory=dict)
    _undo: list[Callable[[], None]] | None = None

    def get(self, key: PartitionKey, id: str, now: float) -> Stored | None:
        """The current version; None when there is none or its time is over."""
        found = self.items.get(key, {}).get(id)
        return found if found is not None and found.expires > now else None

    def logical(self, key: PartitionKey, now: float) -> list[Stored]:
        """The documents of a logical partition."""
        return [stored for stored in self.items.get(key, {}).values() if stored.expires > now]

    def all(self, now: float) -> Iterator[Stored]:
        """The documents of the range."""
        for logical in self.items.values():
            for stored in logical.values():
                if stored.expires > now:
                    yield stored

    def next_lsn(self) -> int:
        """The number of a write; the writes of a batch share one, so that a change feed shows all of them or none."""
        if self._undo is None:
            self.lsn += 1
        return self.lsn

    def put(self, key: PartitionKey, id: str, stored: Stored) -> None:
        """Writes a version."""
        logical = self.items.setdefault(key, {})
        before = logical.get(id)
        if self._undo is not None:
            self._undo.append(lambda: self._restore(key, id, before))
        # What a replica that is behind still shows: never a state inside of a transaction.
        earlier = before.previous if before is not None and before.lsn == stored.lsn else before
        # Versions are kept for as long as a replica may be behind, and one more.
        old = earlier is not None and earlier.at < stored.at - _LAG
        stored.previous = replace(earlier, previous=None) if earlier is not None and old else earlier
        logical[id] = stored

    def remove(self, key: PartitionKey, id: str) -> None:
        """Deletes a document."""
        before = self.items[key].pop(id)
        if self._undo is not None:
            self._undo.append(lambda: self._restore(key, id, before))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of the block's writes or, when it raises, none."""
        self.lsn += 1
        self._undo = []
        try:
            yield
        except BaseException:
            for undo in reversed(self._undo):
                undo()
            self.lsn -= 1
            raise
        finally:
            self._undo = None

    def changed_since(self, lsn: int, now: float) -> list[Stored]:
        """The latest versions of what was written after a commit, in the order of commits."""
        return sorted((stored for stored in self.all(now) if stored.lsn > lsn), key=lambda stored: stored.lsn)

    def session_token(self, lsn: int | None = None) -> str:
        """What a client sends back to read its own writes."""
        return f"{self.id}:0#{self.lsn if lsn is None else lsn}"

    def _restore(self, key: PartitionKey, id: str, before: Stored | None) -> None:
        if before is None:
            self.items[key].pop(id, None)
        else:
            self.items[key][id] = before
