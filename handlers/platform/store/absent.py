"""The store of a process that keeps no documents: the gateway, whose operations are handled elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from handlers.platform.store.port import Changes, Document, Operation, Page, Place, Query, StoreMisuse

Partition = str | tuple[str, ...]


class AbsentStore:
    """Refuses every access as the programming error that it is, and is always ready."""

    async def read(self, container: str, partition: Partition, id: str) -> Document | None:
        """Raises `StoreMisuse`."""
        raise _misuse(container)

    async def read_many(self, places: Sequence[Place]) -> list[Document | None]:
        """Raises `StoreMisuse`."""
        raise _misuse(", ".join({container for container, _, _ in places}))

    async def query(self, query: Query) -> Page:
        """Raises `StoreMisuse`."""
        raise _misuse(query.container)

    async def count(self, query: Query) -> int:
        """Raises `StoreMisuse`."""
        raise _misuse(query.container)

    async def write(
        self, container: str, operation: Operation, *, partition: Partition | None = None
    ) -> Document | None:
        """Raises `StoreMisuse`."""
        raise _misuse(container)

    async def batch(
        self, container: str, partition: Partition, operations: Sequence[Operation]
    ) -> list[Document | None]:
        """Raises `StoreMisuse`."""
        raise _misuse(container)

    async def feeds(self, *, fresh: bool = False) -> list[str]:
        """There are none."""
        return []

    def overlap(self, feed: str, other: str) -> bool:
        """Raises `StoreMisuse`."""
        raise _misuse(f"{feed}, {other}")

    def inherited(self, feed: str, positions: Mapping[str, str | None]) -> str | None:
        """Raises `StoreMisuse`."""
        raise _misuse(f"{feed}, {', '.join(positions)}")

    async def changes(self, feed: str, after: str | None, limit: int) -> Changes:
        """Raises `StoreMisuse`."""
        raise _misuse(feed)

    async def changed(self, seconds: float) -> None:
        """Nothing changes here."""
        await asyncio.sleep(seconds)

    async def ping(self) -> None:
        """Nothing that could be down."""

    async def close(self) -> None:
        """Nothing to release."""


def _misuse(container: str) -> StoreMisuse:
    return StoreMisuse(f"{container}: this process keeps no documents")
