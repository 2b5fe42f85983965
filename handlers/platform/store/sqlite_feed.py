"""The outbox rows of the file in the order of their commits: what the change feed is on Cosmos.

One writer at a time numbers the rows of a table upwards, so that who has seen number n has seen all before it. A
position holds the last number of every container; a container that it does not know begins at its first row.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import orjson

from handlers.platform.store.port import Changes, Document, Json, StoreMisuse
from handlers.platform.store.sqlite_compile import Statement
from handlers.platform.store.sqlite_layout import FEED, Layout
from handlers.platform.store.sqlite_reader import Reader
from handlers.platform.wake import Bell, Wake

NAME: Final = "outbox"


class Feed:
    """Reads the feed, and rings when a commit had a row for it."""

    def __init__(self, layouts: Iterable[Layout], reader: Reader, wake: Wake) -> None:
        self._layouts = [layout for layout in layouts if layout.feeds]
        self._reader = reader
        self._wake = wake
        self._bell: Bell | None = None
        self._touched = False

    def wrote(self, kind: str | None) -> None:
        """Notes what the transaction under way has written. For the writer's thread."""
        if kind == FEED:
            self._touched = True

    def committed(self) -> None:
        """Rings when the transaction had rows for the feed. For the writer's thread."""
        if self._touched:
            self._touched = False
            self._wake.ring()

    async def changes(self, feed: str, after: str | None, limit: int) -> Changes:
        """See `DocumentStore.changes`."""
        if feed != NAME:
            raise StoreMisuse(f"there is no feed {feed!r}")
        position: Json = orjson.loads(after) if after is not None else {}
        items: list[Document] = []
        if not self._layouts:
            return Changes(items, orjson.dumps(position).decode())
        self._layouts.append(self._layouts.pop(0))  # each begins in turn, lest a busy one keep the others waiting
        for layout in self._layouts:
            room = limit - len(items)
            if room <= 0:
                break
            name = layout.container.name
            rows = await self._reader.rows(Statement(layout.feed, (position.get(name, 0), room)), slow=False)
            if rows:
                items += [Document(raw, etag) for _, raw, etag in rows]
                position[name] = rows[-1][0]
        return Changes(items, orjson.dumps(position).decode())

    async def changed(self, seconds: float) -> None:
        """See `DocumentStore.changed`."""
        if self._bell is None:
            self._bell = self._wake.listen()
        await self._bell.wait(seconds)

    def close(self) -> None:
        """Stops listening."""
        if self._bell is not None:
            self._bell.close()
            self._bell = None
