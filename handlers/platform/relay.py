"""Publishes outbox rows: each at least once, those of an aggregate in the order of their commits (decision 36).

One relay at a time works on a feed of the store (lease). It reads on from the position it noted in the lease,
publishes, and moves the position only when the bus has acknowledged; a crash at any point publishes some rows a second
time and leaves none out. It is woken by commits and polls nothing.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from typing import Final

from handlers.platform.bus.port import EventBus
from handlers.platform.dead_letters import DeadLetters
from handlers.platform.feed_leases import POSITION, FeedLeases
from handlers.platform.leases import Lease, LeaseLost
from handlers.platform.publisher import Publisher, Row, Sink
from handlers.platform.store.port import DocumentStore, StoreError
from handlers.platform.waiting import told

log = logging.getLogger(__name__)

GROUP: Final = "outbox-relay"
PAGE: Final = 256  # rows
WAIT: Final = 1.0  # seconds until it looks again without having been woken
SAVE_SECONDS: Final = 2.0  # so much is published again after a crash, for a write less per event
FIRST_SAVE: Final = 0.05  # the first pauses of a life are shorter, lest one that ends soon has noted nothing
RELIST: Final = 5.0  # seconds; the SDK learns of a split when it reads, so that a look costs nothing
_FIRST_PAUSE: Final = 0.02
_LONGEST_PAUSE: Final = 2.0


class Relay:
    """The relay of one process.

    `sinks`: rows of these topics go to a function instead of the bus; it must not mind getting a row twice. `lease`:
    seconds after which a relay that shows no sign of life is replaced. `relist`: seconds between looks at which feeds
    there are, for the store may divide its rows otherwise (`feed_leases`).
    """

    def __init__(
        self,
        store: DocumentStore,
        bus: EventBus,
        letters: DeadLetters,
        *,
        sinks: Mapping[str, Sink] | None = None,
        lease: float = 30.0,
        relist: float = RELIST,
    ) -> None:
        self.publisher = Publisher(bus, letters, sinks or {})
        self._store = store
        self._leases = FeedLeases(store, GROUP, lease)
        self._pause = min(lease / 6, _LONGEST_PAUSE)
        self._relist = relist
        self._stopping = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None
        self._tended: dict[str, tuple[asyncio.Task[None], asyncio.Event]] = {}
        self._leaving: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Begins with every feed of the store, as far as no other process works on it."""
        await self._list()
        self._watching = asyncio.create_task(self._watch(), name="relay-feeds")

    def running(self) -> bool:
        """Whether every feed is being tended."""
        watching = self._watching is not None and not self._watching.done()
        return watching and bool(self._tended) and not any(task.done() for task, _ in self._tended.values())

    async def stop(self, seconds: float = 10.0) -> None:
        """Lets what is under way finish, notes the positions, gives the leases back."""
        self._stopping.set()
        for _, ending in self._tended.values():
            ending.set()
        tasks = self.tasks()
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)
        await self.abandon()

    async def abandon(self) -> None:
        """Ends at once and saves nothing, as a crash would."""
        tasks = self.tasks()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def tasks(self) -> list[asyncio.Task[None]]:
        """What it is doing: the look at the feeds, and one named after each feed."""
        watching = [self._watching] if self._watching is not None else []
        return [*watching, *self._leaving, *(task for task, _ in self._tended.values())]

    async def _watch(self) -> None:
        """Looks again and again which feeds there are."""
        while not await told(self._stopping, self._relist):
            try:
                await self._list()
            except StoreError as error:
                log.warning("the relay cannot see which feeds there are: %s", error)
            except Exception:
                log.exception("the relay failed at looking which feeds there are")

    async def _list(self) -> None:
        """Begins with feeds that are new, and lets go of those that are no more: who reads their heirs ends them."""
        feeds = await self._store.feeds()
        if self._stopping.is_set():
            return
        for feed in [feed for feed in self._tended if feed not in feeds]:
            task, ending = self._tended.pop(feed)
            ending.set()
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)
        for feed in feeds:
            if feed not in self._tended:
                ending = asyncio.Event()
                self._tended[feed] = asyncio.create_task(self._tend(feed, ending), name=f"relay-{feed}"), ending

    async def _tend(self, feed: str, ending: asyncio.Event) -> None:
        """Works on a feed while it can have the lease, and waits for it otherwise."""
        while not ending.is_set():
            try:
                lease = await self._leases.claim(feed)
                if lease is not None:
                    await _Pump(self._store, self.publisher, feed, lease, ending).run()
                    continue
            except LeaseLost:
                log.warning("another process publishes %s now", feed)
            except StoreError as error:
                log.warning("the relay waits for the store: %s", error)
            except Exception:
                log.exception("the relay failed at %s", feed)
            await told(ending, self._pause)


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
        self._position: str | None = lease.note.get(POSITION)
        self._noted = self._position
        self._kept = time.monotonic()
        self._save = 0.0  # seconds between two notes; the first comes with the first acknowledgement

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

    async def _publish(self, rows: Sequence[Row]) -> bool:
        """Until the bus has taken them all; keeps the lease meanwhile. False: it was told to stop before."""
        pause = _FIRST_PAUSE
        while rest := await self._publisher.publish(rows):
            pause = _FIRST_PAUSE if len(rest) < len(rows) else min(2 * pause, _LONGEST_PAUSE)
            rows = rest
            if await told(self._stopping, pause):
                return False
            await self._keep()
        return True

    async def _wait(self) -> None:
        """For new rows; not long with a position that is still to be noted."""
        seconds = min(self._save if self._position != self._noted else WAIT, self._lease.seconds / 6)
        changed = asyncio.ensure_future(self._store.changed(seconds))
        stopped = asyncio.ensure_future(self._stopping.wait())
        try:
            await asyncio.wait({changed, stopped}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            changed.cancel()
            stopped.cancel()

    async def _keep(self, *, now: bool = False) -> None:
        """Notes the position, not at every row; renews the lease well before it ends.

        The pauses between two notes double from `FIRST_SAVE` to `SAVE_SECONDS`: a process that is killed again and
        again publishes about half of what it published in each life once more, and not all of it for ever.
        """
        age = time.monotonic() - self._kept
        unsaved = self._position != self._noted
        if unsaved and (now or age >= self._save):
            self._save = min(max(FIRST_SAVE, 2 * self._save), SAVE_SECONDS)
            await self._note()
        elif age >= self._lease.seconds / 3:
            await self._note()

    async def _note(self) -> None:
        await self._lease.keep({POSITION: self._position})
        self._noted = self._position
        self._kept = time.monotonic()
