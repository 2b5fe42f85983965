"""Order numbers: a counter for each year, allocated in blocks; gaps are allowed (decision 29)."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

from handlers.contract.services import EventServices
from handlers.platform.concurrency import retrying
from handlers.platform.store.port import Create, DocumentExists, DocumentMissing, Patch

CONTAINER: Final = "counters"
BLOCK: Final = 20


class Numbers:
    """The numbers that this process may give. `services.room(Numbers)` is the one."""

    def __init__(self, services: EventServices) -> None:
        self._services = services
        self._lock = asyncio.Lock()
        self._year = 0
        self._left: list[int] = []

    async def next(self) -> str:
        """The next number, such as `HPH-2026-001234`. No other process gives it."""
        year = self._services.clock.now().year
        async with self._lock:
            if year != self._year or not self._left:
                last = await retrying(lambda: self._block(year), on=DocumentMissing)
                self._year, self._left = year, list(range(last, last - BLOCK, -1))
            return f"HPH-{year}-{self._left.pop():06d}"

    async def _block(self, year: int) -> int:
        """The last number of a new block."""
        store, name = self._services.store, f"order_number-{year}"
        try:
            counter = await store.write(CONTAINER, Patch(name, increments={"last": BLOCK}), partition=name)
        except DocumentMissing:
            with suppress(DocumentExists):
                await store.write(CONTAINER, Create({"id": name, "name": name, "last": 0}))
            raise
        if counter is None:
            raise DocumentMissing(name)
        return int(counter.data["last"])
