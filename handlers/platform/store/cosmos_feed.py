"""The outbox rows of the account: the change feed of every container that has such rows, range by range.

The feed shows the latest version of whatever changed, so the rows are picked out here; they are only ever inserted, so
none is missed. A position holds, for each part of the feed's range, the SDK's continuation, taken from the answer's own
headers (the iterator's comes from headers that concurrent calls share); it is good after a range was split or merged
(`cosmos_positions`). A reader that finds nothing is not made to read past the same other documents again: how far it
got is kept in the process.

Looking costs request units, so a feed is looked at when this process wrote to it, and else once in `LOOK` seconds.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from azure.cosmos.exceptions import CosmosHttpResponseError

from handlers.platform.store import charges
from handlers.platform.store.cosmos_layout import CosmosLayout, document_of
from handlers.platform.store.cosmos_positions import Part, cut, divided, parts_of, position_of
from handlers.platform.store.cosmos_retry import Reads, refusal
from handlers.platform.store.port import Changes, Document, Json, StoreMisuse
from handlers.platform.store.sqlite_layout import FEED

LOOK: Final = 1.0

# How many rings there had been when this task last looked; what it starts inherits that.
_heard: ContextVar[int] = ContextVar("cosmos_feed_heard", default=-1)


@dataclass(slots=True)
class _Seen:
    """What is known of a feed: the reader's position, how far there was nothing behind it, and when that was seen."""

    after: str | None = None
    nothing_until: str | None = None
    looked: float = 0.0
    touched: bool = True


class Feeds:
    """Reads the feeds, and rings when this process has written a row."""

    def __init__(self, layouts: Iterable[CosmosLayout], proxy: Callable[[str], Awaitable[Any]], reads: Reads) -> None:
        self._containers = [layout.container.name for layout in layouts if FEED in layout.container.kinds]
        self._proxy = proxy
        self._reads = reads
        self._seen: dict[str, _Seen] = {}
        self._rings = 0
        self._bell = asyncio.Event()

    async def names(self, *, fresh: bool = False) -> list[str]:
        """See `DocumentStore.feeds`. Costs no request unless `fresh`: the SDK asks again when a range has gone."""
        found = [(container, await self._ranges(container, fresh=fresh)) for container in self._containers]
        names = [f"{container}:{low}-{high}" for container, ranges in found for low, high in ranges]
        self._seen = {name: seen for name, seen in self._seen.items() if name in names}
        return names

    def overlap(self, feed: str, other: str) -> bool:
        """See `DocumentStore.overlap`."""
        (container, low, high), (others, start, end) = self._bounds(feed), self._bounds(other)
        return container == others and low < end and start < high

    def inherited(self, feed: str, positions: Mapping[str, str | None]) -> str | None:
        """See `DocumentStore.inherited`."""
        _, low, high = self._bounds(feed)
        parts: list[Part] = []
        for other, position in positions.items():
            _, start, end = self._bounds(other)
            parts += parts_of(position) if position is not None else [(start, end, None)]
        return position_of(cut(parts, low, high))

    async def changes(self, feed: str, after: str | None, limit: int) -> Changes:
        """See `DocumentStore.changes`. A transaction is never cut, so there may be a few more than `limit`."""
        container, low, high = self._bounds(feed)
        _heard.set(self._rings)
        seen = self._seen.setdefault(feed, _Seen())
        known = seen.nothing_until if after == seen.after else None
        if known is not None and not seen.touched and time.monotonic() - seen.looked < LOOK:
            return Changes([], known)
        seen.touched, seen.looked = False, time.monotonic()
        position = known or after
        parts = parts_of(position) if position else await self._parts(container, low, high)
        items, parts = await self._read(container, parts, limit)
        at = position_of(parts)
        seen.after, seen.nothing_until = (after, at) if not items else (at, None)
        return Changes(items, at)

    def wrote(self, container: str, kind: str) -> None:
        """Rings when a row of this kind belongs into a feed."""
        if kind != FEED:
            return
        for feed, seen in self._seen.items():
            seen.touched = seen.touched or feed.startswith(f"{container}:")
        self._rings += 1
        self._bell.set()
        self._bell = asyncio.Event()

    async def changed(self, seconds: float) -> None:
        """See `DocumentStore.changed`. Between processes nothing rings: after `seconds` it is time to look."""
        if _heard.get() == self._rings:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._bell.wait()
        _heard.set(self._rings)

    def _bounds(self, feed: str) -> tuple[str, str, str]:
        container, _, bounds = feed.partition(":")
        low, dash, high = bounds.partition("-")
        if container not in self._containers or not dash:
            raise StoreMisuse(f"there is no feed {feed!r}")
        return container, low, high

    async def _ranges(self, container: str, *, fresh: bool = False) -> list[tuple[str, str]]:
        """The bounds of the container's ranges as they are now, or as they were last known."""
        proxy = await self._proxy(container)

        async def ranges() -> list[Json]:
            return [one async for one in proxy.read_feed_ranges(force_refresh=fresh)]

        return [(one["Range"]["min"], one["Range"]["max"]) for one in await self._reads.run(ranges, container)]

    async def _parts(self, container: str, low: str, high: str) -> list[Part]:
        """A feed from its beginning: by the ranges of now, for the SDK cannot go on in one that spans several."""
        ranges = await self._ranges(container, fresh=True)
        return [(max(low, start), min(high, end), None) for start, end in ranges if start < high and low < end]

    async def _read(self, container: str, parts: list[Part], limit: int) -> tuple[list[Document], list[Part]]:
        """The next rows of the first part that has any; it is the last to be asked at the next time."""
        for _ in range(len(parts)):
            low, high, position = parts[0]
            rows, position = await self._read_part(container, low, high, position, limit)
            parts = [*parts[1:], *divided((low, high, position))]
            if rows:
                return rows, parts
        return [], parts

    async def _read_part(
        self, container: str, low: str, high: str, position: str | None, limit: int
    ) -> tuple[list[Document], str | None]:
        """Page after page until there are rows or there is no more."""
        proxy = await self._proxy(container)
        scope: Json = {"Range": {"min": low, "max": high, "isMinInclusive": True, "isMaxInclusive": False}}
        while True:
            try:
                page, at = await self._reads.run(partial(_page, proxy, scope, position, limit), container)
            except CosmosHttpResponseError as error:
                raise refusal(error, container) from error
            position = at or position
            rows = [document_of(row) for row in page if row.get("kind") == FEED]
            if rows or not page:
                return rows, position


async def _page(proxy: Any, scope: Json, position: str | None, limit: int) -> tuple[list[Json], str | None]:
    """One page of the change feed, and the position behind it."""
    answers: list[Mapping[str, Any]] = []

    def answered(headers: Mapping[str, Any], _: Any) -> None:
        answers.append(headers)
        charges.charge(float(headers.get("x-ms-request-charge") or 0))

    start: Json = {"continuation": position} if position else {"feed_range": scope, "start_time": "Beginning"}
    pages = proxy.query_items_change_feed(max_item_count=limit, response_hook=answered, **start).by_page()
    rows: list[Json] = []
    with suppress(StopAsyncIteration):
        rows = [row async for row in await anext(pages)]
    return rows, str(answers[-1]["etag"]) if answers else None
