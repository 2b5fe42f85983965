"""How often products are looked at and put into carts: counted in memory, written in batches, never a write per read.

What was counted since the last batch is lost when the process is killed; when it is told to stop, it is written.
A batch is bounded: where many different products are looked at, as a crawler does, there would be a write for nearly
every read. What is looked at most is written first; the rest goes on being counted and comes with a later batch.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from typing import Any, Final

from handlers.contract.services import EventServices
from handlers.platform.concurrency import retrying
from handlers.platform.store.port import DocumentMissing, Patch, StoreError
from handlers.products.catalogue import Catalogue
from handlers.products.store import CONTAINER

log = logging.getLogger(__name__)

# The contract promises a minute at most.
EVERY_SECONDS: Final = 40.0
AT_ONCE: Final = 32
# A write costs as much as four details: in so many seconds a batch takes about half a percent of a core.
BATCH: Final = 500


class Counters:
    """The counts of this process that are not written yet."""

    def __init__(self, services: EventServices) -> None:
        self._services = services
        self._views: Counter[str] = Counter()
        self._carts: Counter[str] = Counter()
        self._timer: asyncio.TimerHandle | None = None

    def viewed(self, product_id: str) -> None:
        """A detail was read."""
        self._views[product_id] += 1
        self._schedule()

    def put_into_cart(self, product_id: str) -> None:
        """A product was put into a cart, in whatever quantity."""
        self._carts[product_id] += 1
        self._schedule()

    async def flush(self, most: int | None = None) -> None:
        """Writes what was counted, of at most so many products."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        chosen = (self._views + self._carts).most_common(most)
        products = sorted(product_id for product_id, _ in chosen)
        views = Counter({each: self._views.pop(each, 0) for each in products})
        carts = Counter({each: self._carts.pop(each, 0) for each in products})
        for start in range(0, len(products), AT_ONCE):
            chunk = products[start : start + AT_ONCE]
            await asyncio.gather(*(self._write(each, views[each], carts[each]) for each in chunk))
        if most is not None and (self._views or self._carts):
            self._schedule()

    def _schedule(self) -> None:
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(EVERY_SECONDS, self._due)

    def _due(self) -> None:
        self._timer = None
        self._services.background.spawn(self.flush(BATCH), "write product counters")

    async def _write(self, product_id: str, views: int, carts: int) -> None:
        try:
            await retrying(lambda: self._add(product_id, views, carts))
        except DocumentMissing:
            return  # deleted meanwhile
        except StoreError as error:
            log.warning("product counters not written", extra={"reason": type(error).__name__})
            self._views[product_id] += views
            self._carts[product_id] += carts

    async def _add(self, product_id: str, views: int, carts: int) -> None:
        catalogue = self._services.room(Catalogue)
        found = await catalogue.find(product_id)
        if found is None:
            return
        patch = counted(found.data, product_id, views, carts, found.etag)
        written = await self._services.store.write(CONTAINER, patch, partition=found.data["category_slug"])
        if written is not None:
            catalogue.learn(written)


def counted(product: dict[str, Any], product_id: str, views: int, carts: int, etag: str) -> Patch:
    """The change of a product's counters; the conversion rate follows from the others (decision 28)."""
    analytics = product["analytics"]
    rate = conversion_rate(analytics["purchases"], analytics["add_to_cart"] + carts)
    return Patch(
        product_id,
        increments={"analytics.views": views, "analytics.add_to_cart": carts},
        sets={"analytics.conversion_rate": rate},
        if_match=etag,
    )


def conversion_rate(purchases: int, carts: int) -> float:
    """Purchases by times put into a cart, to four decimals; 0 while nobody has."""
    return round(purchases / carts, 4) if carts else 0
