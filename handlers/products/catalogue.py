"""The catalogue of this process: the index over all products, how it is filled, and how it stays up to date.

The index is filled once, when the process starts. What this process writes it learns at once (`learn`); what others
write it finds by asking for what has changed since (one indexed query over `updated_at`): when they say so, which is
within a second (`Responses.watch`), and every two seconds in any case. A product that was deleted elsewhere without
a word, because Redis was away, is noticed when it is about to be shown. What this process finds changed, it says.
"""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

from handlers.categories.store import Categories
from handlers.contract.services import EventServices
from handlers.platform.clock import moment, timestamp
from handlers.platform.memo import Memo
from handlers.platform.store.port import Document, Scalar
from handlers.products import store
from handlers.products.index.entry import reading
from handlers.products.index.index import Index
from handlers.products.index.port import InMemorySearch, SearchIndex

log = logging.getLogger(__name__)

ASK_SECONDS: Final = 2.0
LOAD_STEP: Final = 500  # more at once is no faster, and what was read leaves holes in the memory
ASK_STEP: Final = 100
# Writers' clocks differ, and a write takes a moment to be seen: what is asked for again each time.
OVERLAP: Final = timedelta(seconds=10)
KEPT_DOCUMENTS: Final = 8 * 1024 * 1024  # about 4,000 products
KEEP_SECONDS: Final = 30.0


class Catalogue:
    """All products, found by whatever a list, a search or a facet asks for. `services.room(Catalogue)` is the one."""

    def __init__(self, services: EventServices) -> None:
        self._services = services
        self._index = Index()
        self.search: SearchIndex = InMemorySearch()
        self.loaded = False
        self._asked_at = 0.0
        self._asking = False
        self._latest = ""
        self._documents: Memo[Document] = Memo(KEPT_DOCUMENTS, KEEP_SECONDS, lambda document: len(document.raw))
        self._counted: tuple[int, Mapping[str, int]] = (-1, {})
        services.responses.watch(store.CONTAINER, self._refresh, self._look)
        categories = services.room(Categories)
        categories.counts = self.active_by_category
        categories.has_products = self.has_products

    async def start(self) -> None:
        """Fills the index: about 0.1 s for a thousand products."""
        started = time.monotonic()
        before = self._index.generation
        with _without_collector():
            await self._read_changes(None, LOAD_STEP)
            self._index.prepare()
        if self.loaded:
            self._tell(before)
        self.loaded = True
        self._asked_at = time.monotonic()
        log.info("catalogue read", extra={"products": len(self._index), "seconds": round(self._asked_at - started, 2)})

    async def index(self) -> Index:
        """The index, at most a few seconds behind what other processes write."""
        if not self.loaded:
            await self.start()
        self._look()
        return self._index

    def _look(self) -> None:
        """Asks for what has changed, in the background, when that is due."""
        if self.loaded and not self._asking and time.monotonic() - self._asked_at > ASK_SECONDS:
            self._asking = True
            self._services.background.spawn(self._ask(), "read changed products")

    def learn(self, document: Document) -> None:
        """Takes in a product as it is in the store now."""
        before = self._index.generation
        self._index.put(reading(document.data, document.etag))
        self._keep(document.data["product_id"], document)
        self._tell(before)

    def forget(self, product_id: str) -> None:
        """Takes out a product that is gone."""
        before = self._index.generation
        self._index.remove(product_id)
        self._tell(before, product_id)

    async def active(self, id_or_slug: str) -> Document | None:
        """The active product of an id or slug as it is in the store."""
        entry = (await self.index()).find(id_or_slug)
        if entry is not None and entry.status == "active":
            document = await store.read(self._services.store, entry.category, entry.id)
            if document is not None and document.etag == entry.version:
                return document  # as the index knows it, so there is no need to look into it
        document = await self.find(id_or_slug)
        return document if document is not None and document.data["status"] == "active" else None

    async def find(self, id_or_slug: str) -> Document | None:
        """The product of an id or slug as it is in the store, in any status: one point read if the index knows it."""
        entry = (await self.index()).find(id_or_slug)
        if entry is not None:
            document = await store.read(self._services.store, entry.category, entry.id)
            if document is None:
                self.forget(entry.id)  # it has gone, or moved: then it is found below, and may even be older
            else:
                if document.etag != entry.version:
                    self.learn(document)
                if id_or_slug in (entry.id, document.data["slug"]):
                    return document
        document = await store.locate(self._services.store, id_or_slug)
        if document is not None:
            self.learn(document)
        return document

    async def documents(self, slots: Sequence[int]) -> list[Document]:
        """The documents behind slots, in their order, from memory where they have not changed.

        One that has gone since is left out, and forgotten.
        """
        entries = self._index.entries(slots)
        known = self._documents.find([(entry.id, entry.version) for entry in entries])
        here = [document for document in known if document is not None]
        if len(here) == len(entries):
            return here
        missing = [entry for entry, document in zip(entries, known, strict=True) if document is None]
        read = await store.read_many(self._services.store, [(entry.category, entry.id) for entry in missing])
        found: dict[str, Document] = {}
        for entry, there in zip(missing, read, strict=True):
            document = there
            if document is None:
                self.forget(entry.id)
                document = await store.locate(self._services.store, entry.id)  # it may have moved
            if document is None:
                continue
            found[entry.id] = document
            if document.etag == entry.version:
                self._keep(entry.id, document)
            else:
                self.learn(document)
        both = [document or found.get(entry.id) for entry, document in zip(entries, known, strict=True)]
        return [document for document in both if document is not None]

    def _keep(self, product_id: str, document: Document) -> None:
        # Without what was parsed of it, which takes five times the room.
        self._documents.put(product_id, document.etag, Document(document.raw, document.etag))

    def active_by_category(self) -> Mapping[str, int]:
        """How many active products lie directly in each category."""
        if self._counted[0] != self._index.generation:
            active = self._index.having("sactive")
            categories = self._index.terms("c")
            counts = {term[1:]: (self._index.having(term) & active).bit_count() for term in categories}
            self._counted = (self._index.generation, counts)
        return self._counted[1]

    async def has_products(self, category: str) -> bool:
        """Whether there are products of any status directly in a category."""
        return await store.any_in(self._services.store, category)

    async def _ask(self) -> None:
        before = self._index.generation
        try:
            await self._read_changes(self._since(), ASK_STEP)
            self._tell(before)
        finally:
            self._asked_at = time.monotonic()
            self._asking = False

    async def _refresh(self, gone: Sequence[str]) -> None:
        """Another process says that products have changed. That needs not be said again."""
        if not self.loaded:
            return
        await self._read_changes(self._since(), ASK_STEP)
        self._asked_at = time.monotonic()
        for product_id in gone:
            if self._index.find(product_id) is not None:
                await self.find(product_id)

    def _tell(self, before: int, *gone: str) -> None:
        if self._index.generation != before:
            self._services.responses.changed(store.CONTAINER, *gone)

    def _since(self) -> str | None:
        """From when on to ask: with overlap while changes are recent, so that a quiet catalogue costs nothing."""
        if not self._latest:
            return None
        recent = timestamp(self._services.clock.now() - 2 * OVERLAP)
        return self._latest if self._latest < recent else timestamp(moment(self._latest) - OVERLAP)

    async def _read_changes(self, since: str | None, step: int) -> None:
        after: tuple[Scalar, ...] | None = None
        while True:
            page = await store.changed(self._services.store, since, after, step)
            self._index.put_many(reading(item.data, item.etag) for item in page.items if self._is_news(item))
            if page.items:
                self._latest = max(self._latest, page.items[-1].data["updated_at"])
            if page.next is None:
                return
            after = page.next

    def _is_news(self, document: Document) -> bool:
        known = self._index.find(document.data["product_id"])
        return known is None or known.version != document.etag


@contextmanager
def _without_collector() -> Iterator[None]:
    """Millions of objects are made that all stay: looking for garbage among them would take most of the time."""
    running = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if running:
            gc.enable()
