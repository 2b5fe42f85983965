"""Publishes outbox rows: each at least once, those of an aggregate in the order of their commits (decision 36).

One relay at a time works on a feed of the store (lease). It reads on from the position it noted in the lease,
publishes, and moves the position only when the bus has acknowledged; a crash at any point publishes some rows a second
time and leaves none out. It is woken by commits and polls nothing.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from typing import Final

from handlers.platform.bus.port import BusError, EventBus
from handlers.platform.dead_letters import DeadLetters
from handlers.platform.leases import Lease, LeaseLost
from handlers.platform.publisher import Publisher, Sink
from handlers.platform.store.port import DocumentStore, StoreError
from handlers.platform.waiting import told

log = logging.getLogger(__name__)

GROUP: Final = "outbox-relay"
PAGE: Final = 256  # rows
WAIT: Final = 1.0  # seconds until it looks again without having been woken
SAVE_SECONDS: Final = 2.0  # so much is published again after a crash, for a write less per event
_FIRST_PAUSE: Final = 0.02
_LONGEST_PAUSE: Final = 2.0


class Relay:
    """The relay of one process.

    `sinks`: rows of these topics go to a function instead of the bus; it must not mind getting a row twice. `lease`:
    seconds after which a relay that shows no sign of life is replaced.
    """

    def __init__(
        self,
        store: DocumentStore,
        bus: EventBus,
        letters: DeadLetters,
        *,
        sinks: Mapping[str, Sink] | None = None,
        lease: float = 30.0,
    ) -> None:
        self.publisher = Publisher(bus, letters, sinks or {})
        self._store = store
        self._lease = lease
        self._stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begins with every feed of the store, as far as no other process works on it."""
        for feed in await self._store.feeds():
            self._tasks.append(asyncio.create_task(self._tend(feed), name=f"relay-{feed}"))

    def running(self) -> bool:
        """Whether every feed is being tended."""
        return bool(self._tasks) and not any(task.done() for task in self._tasks)

    async def stop(self, seconds: float = 10.0) -> None:
        """Lets what is under way finish, notes the positions, gives the leases back."""
        self._stopping.set()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        await self.abandon()

    async def abandon(self) -> None:
        """Ends at once and saves nothing, as a crash would."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _tend(self, feed: str) -> None:
        """Works on a feed while it can have the lease, and waits for it otherwise."""
        while not self._stopping.is_set():
            lease = Lease(self._store, GROUP, feed, seconds=self._lease)
            try:
                if await lease.acquire():
                    await _Pump(self._store, self.publisher, feed, lease, self._stopping).run()
                    continue
            except LeaseLost:
                log.warning("another process publishes %s now", feed)
            except StoreError as error:
                log.warning("the relay waits for the store: %s", error)
            except Exception:
                log.exception("the relay failed at %s", feed)
            await told(self._stopping, min(self._lease / 6, _LONGEST_PAUSE))


class _Pump:
    """Works on one feed under one lease."""

    def __init__(
        self, store: DocumentStore, publisher: Publisher, feed: str, lease: Lease, stopping: asyncio.Event
    ) -> None:
        self._store = store
        self._publisher = publisher
        self._feed = feed
        self._lease = lease
        self._stopping = stopping
        self._position: str | None = lease.note.get("position")
        self._noted = self._position
        self._kept = time.monotonic()

    async def run(self) -> None:
        """Until the relay stops. Raises `LeaseLost`, and `StoreError` when the store is away."""
        while not self._stopping.is_set():
            found = await self._store.changes(self._feed, self._position, PAGE)
            if not found.items:
                await self._keep()
                await self._wait()
            elif await self._publish([document.data for document in found.items]):
                self._position = found.next
                await self._keep()
        await self._keep(now=True)
        await self._lease.release()

    async def _publish(self, rows: list[dict[str, object]]) -> bool:
        """Until the bus has taken them all; keeps the lease meanwhile. False: it was told to stop before."""
        pause = _FIRST_PAUSE
        while True:
            try:
                await self._publisher.publish(rows)
            except (BusError, StoreError) as error:
                log.warning("the relay cannot publish: %s", error)
                if await told(self._stopping, pause):
                    return False
                pause = min(2 * pause, _LONGEST_PAUSE)
                await self._keep()
            else:
                return True

    async def _wait(self) -> None:
        """For new rows; not long with a position that is still to be noted."""
        seconds = SAVE_SECONDS if self._position != self._noted else min(WAIT, self._lease.seconds / 6)
        changed = asyncio.ensure_future(self._store.changed(seconds))
        stopped = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait({changed, stopped}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            changed.cancel()
            stopped.cancel()

    async def _keep(self, *, now: bool = False) -> None:
        """Notes the position, not at every row; renews the lease well before it ends."""
        age = time.monotonic() - self._kept
        unsaved = self._position != self._noted
        if (unsaved and (now or age >= SAVE_SECONDS)) or age >= self._lease.seconds / 3:
            await self._lease.keep({"position": self._position})
            self._noted = self._position
            self._kept = time.monotonic()
