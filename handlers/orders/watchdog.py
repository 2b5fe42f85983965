"""Ends what waits too long: looks at the orders whose moment has come, bucket by bucket (decisions 35, 51).

An order has one row in `deadlines`, written before the order. What its moment means is asked of the order then: it may
have moved on and wait for something else, later, or for nothing. One process at a time does this, by a lease whose note
says how far the buckets are done.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from handlers.contract.services import EventServices
from handlers.orders import process, store
from handlers.orders.bells import Bells
from handlers.orders.rules import News
from handlers.orders.saga import DEADLINES
from handlers.platform.clock import moment, timestamp
from handlers.platform.concurrency import retrying, settled
from handlers.platform.ids import new_id
from handlers.platform.leases import Lease, LeaseLost
from handlers.platform.store.port import (
    Delete,
    Document,
    DocumentMissing,
    Query,
    Range,
    Sort,
    StoreError,
    VersionConflict,
)
from handlers.pricing import promotions

log = logging.getLogger(__name__)

Json = dict[str, Any]

EVERY: Final = 5.0  # seconds
_MINUTE: Final = timedelta(minutes=1)
# Rows are written minutes before they are due; a clock or a write may be this late.
_SLACK: Final = timedelta(minutes=3)
_AT_ONCE: Final = 100


class Watchdog:
    """Looks after deadlines while it runs."""

    def __init__(self, services: EventServices) -> None:
        self._services = services
        self._lease = Lease(services.store, "watchdog", "orders")
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins."""
        self._task = asyncio.create_task(self._run(), name="watchdog")

    async def stop(self) -> None:
        """Ends, and lets another process go on."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        with suppress(StoreError):
            await self._lease.release()

    async def _run(self) -> None:
        while True:
            try:
                await self.sweep()
            except (StoreError, LeaseLost) as error:
                log.warning("deadlines were not looked at", extra={"reason": type(error).__name__})
            except Exception as error:
                # One bad round must not end the watch for good. The type alone: texts may hold what logs must not.
                log.error("a round failed", extra={"reason": type(error).__name__})  # noqa: TRY400 - see above
            await asyncio.sleep(EVERY)

    async def sweep(self) -> int:
        """Looks at everything that is due; answers how many orders that was, 0 where another process does it."""
        if not await self._lease.acquire():
            return 0
        now = self._services.clock.now()
        note = self._lease.note.get("done_until")
        # No note: this is the first sweep there ever was, and nothing can be older.
        bucket = moment(note) if note is not None else now - _SLACK
        done, done_until = 0, now - _SLACK
        while store.bucket_of(bucket) <= store.bucket_of(now):
            looked_at, waiting = await self._bucket(store.bucket_of(bucket), now)
            done += looked_at
            done_until = min(done_until, bucket) if waiting else done_until
            bucket += _MINUTE
        await self._lease.keep({"done_until": timestamp(done_until)})
        return done

    async def _bucket(self, bucket: str, now: datetime) -> tuple[int, int]:
        """How many orders of a bucket were looked at, and how many could not be."""
        query = Query(
            store.DEADLINES,
            partition=bucket,
            where=Range("due_at", le=timestamp(now)),
            sort=(Sort("due_at"),),
            limit=_AT_ONCE,
        )
        done = waiting = 0
        while True:
            page = await self._services.store.query(query)
            for row in page.items:
                looked_at = await self._looked_at(row)
                done, waiting = done + looked_at, waiting + (not looked_at)
            if page.next is None:
                return done, waiting
            query = replace(query, after=page.next)

    async def _looked_at(self, row: Document) -> bool:
        """Does what is due for one order, then its row goes. An order that cannot be moved now is looked at again."""
        try:
            await look(self._services, row.data)
            # A row that was written anew meanwhile, for later in this minute, stays.
            with suppress(DocumentMissing, VersionConflict):
                delete = Delete(row.data["id"], if_match=row.etag)
                await self._services.store.write(store.DEADLINES, delete, partition=row.data["bucket"])
        except StoreError as error:
            log.warning("a deadline waits", extra={"reason": type(error).__name__})
            return False
        except Exception as error:
            # One bad order must not hold up the others; it is looked at again, and the log says so each time.
            order_id = row.data.get("order_id")
            log.error("a deadline failed", extra={"order_id": order_id, "reason": type(error).__name__})  # noqa: TRY400 - see above
            return False
        return True


async def look(services: EventServices, row: Json) -> None:
    """What has become of an order, and what follows from it."""
    order_id, user_id = row["order_id"], row["user_id"]

    async def attempt() -> None:
        found = await store.read(services.store, user_id, order_id)
        if found is None:
            await _never_placed(services, row)
            return
        await process.free_unused(services, row["promo_code"], found.data)
        due = found.data["deadline_at"]
        if due is None:
            return
        if moment(due) > services.clock.now():
            await store.watch(services.store, order_id, user_id, moment(due))
            return
        news = News(trigger=DEADLINES[found.data["status"]].trigger, correlation_id=new_id("watchdog"))
        batch, _ = process.operations(services, found, news)
        await settled(services.store, store.CONTAINER, user_id, batch)
        services.room(Bells).ring(order_id)

    await retrying(attempt)


async def _never_placed(services: EventServices, row: Json) -> None:
    """The process that was placing the order ended before it did: its promo code can be used again.

    Unless the order is being placed anew: that attempt has a row of its own, which is due later.
    """
    if row["promo_code"] is not None:
        await promotions.expire(services.store, row["promo_code"], row["order_id"], row["due_at"])
