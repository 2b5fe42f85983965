"""Who reads a feed, and what becomes of its position when the store divides its rows into other feeds.

Cosmos splits a range that has grown, and may merge two that have shrunk. A feed that is new goes on where the ones it
came of were read to: their leases are taken, and in one batch they are ended and their heirs made, with the positions
cut to them. So no two readers have a row at the same time, whatever a process knows of the ranges, and a crash in
between leaves all of it or nothing. Only a feed that came of none begins with its oldest row.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from contextlib import suppress

from handlers.platform.leases import CONTAINER, Lease, beginning, has_been_ended
from handlers.platform.store.port import (
    Document,
    DocumentExists,
    DocumentMissing,
    DocumentStore,
    Query,
    StoreError,
    VersionConflict,
)

log = logging.getLogger(__name__)

_PAGE = 500
POSITION = "position"


class FeedLeases:
    """The leases of one group on the store's feeds. `seconds`: for how long one holds without a sign of life."""

    def __init__(self, store: DocumentStore, group: str, seconds: float) -> None:
        self._store = store
        self._group = group
        self._seconds = seconds

    async def claim(self, feed: str) -> Lease | None:
        """The lease on a feed; None while another has it, has one that the feed came of, or there is no such feed."""
        found = await self._store.read(CONTAINER, self._group, feed)
        if (found is None or has_been_ended(found.data)) and not await self._begin(feed):
            return None
        lease = self._lease(feed)
        return lease if await lease.acquire() else None

    async def _begin(self, feed: str) -> bool:
        """Whether the feed may be read now, after it took over from those before it."""
        listed = await self._store.feeds(fresh=True)
        known = await self._known()
        living = [name for name, document in known.items() if not has_been_ended(document.data)]
        if feed not in listed or feed in living:
            return feed in listed
        heirs, parents = self._family(feed, listed, living)
        if not parents and feed not in known:
            return True  # the first of all: from its oldest row
        return await self._hand_over(heirs, parents, known)

    def _family(self, feed: str, listed: Iterable[str], living: Iterable[str]) -> tuple[list[str], list[str]]:
        """The feeds that begin together, and those that end with it."""
        new = [name for name in listed if name not in living]
        heirs, parents = {feed}, set[str]()
        while True:
            older = {name for name in living if any(self._store.overlap(name, heir) for heir in heirs)}
            newer = {name for name in new if any(self._store.overlap(name, parent) for parent in older)}
            if older <= parents and newer <= heirs:
                return sorted(heirs), sorted(parents)
            parents |= older
            heirs |= newer

    async def _hand_over(self, heirs: list[str], parents: list[str], known: Mapping[str, Document]) -> bool:
        held: list[Lease] = []
        ended = False
        try:
            for name in parents:
                lease = self._lease(name)
                if not await lease.acquire():
                    return False  # it ends by itself once its holder learns of the new ranges
                held.append(lease)
            positions = {name: lease.note.get(POSITION) for name, lease in zip(parents, held, strict=True)}
            notes = [{POSITION: self._store.inherited(heir, positions)} for heir in heirs]
            made = [beginning(self._group, h, note, known.get(h)) for h, note in zip(heirs, notes, strict=True)]
            await self._store.batch(CONTAINER, self._group, [*made, *(lease.ending() for lease in held)])
            ended = True
        except (DocumentExists, DocumentMissing, VersionConflict):
            return False  # another was faster
        finally:
            if not ended:
                await _release(held)
        log.info("feeds %s go on where %s ended", ", ".join(heirs), ", ".join(parents))
        return True

    async def _known(self) -> dict[str, Document]:
        """All leases of the group."""
        found: dict[str, Document] = {}
        query = Query(CONTAINER, partition=self._group, limit=_PAGE)
        while True:
            page = await self._store.query(query)
            found |= {document.data["id"]: document for document in page.items}
            if page.next is None:
                return found
            query = Query(CONTAINER, partition=self._group, limit=_PAGE, after=page.next)

    def _lease(self, feed: str) -> Lease:
        return Lease(self._store, self._group, feed, seconds=self._seconds)


async def _release(held: Iterable[Lease]) -> None:
    """Best effort: what stays runs out by itself."""
    for lease in held:
        with suppress(StoreError):
            await lease.release()
