"""Ends what waits too long: looks at the orders whose moment has come, bucket by bucket (decisions 35, 51, 74).

An order has one row in `deadlines`, written before the order. What its moment means is asked of the order then: it may
have moved on and wait for something else, later, or for nothing. One process at a time does this, by a lease whose note
says how far the buckets are done.

No order is ended that may only wait for us: while the event side is behind (`platform/event_lag.py`) nothing is
judged, and afterwards each order gets the full time of its status again. An order whose event was lost, or became a
dead letter, ends after that time all the same. Before an order ends unpaid, its payment is looked at, and closed at the
provider.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from handlers.contract.services import EventServices
from handlers.orders import process, store
from handlers.orders.bells import Bells
from handlers.orders.rules import Finding, News
from handlers.orders.saga import DEADLINES
from handlers.platform.clock import moment, timestamp
from handlers.platform.concurrency import retrying, settled
from handlers.platform.event_lag import EventLag
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
# Looks at the payment of an order that is to end unpaid. None: it cannot be told now.
PaymentCheck = Callable[[EventServices, Json], Awaitable[Finding | None]]

EVERY: Final = 5.0  # seconds
_MINUTE: Final = timedelta(minutes=1)
# Rows are written minutes before they are due; a clock or a write may be this late.
_SLACK: Final = timedelta(minutes=3)
_AT_ONCE: Final = 100
# Orders looked at side by side: each may ask the payment provider.
_ABREAST: Final = 8
# Rows live for days only: who waits longer is looked at in between.
_LONGEST: Final = timedelta(days=1)
# The pause after a row has failed: a minute, doubled each time up to an hour.
_DOUBLINGS: Final = 6


def event_lag(services: EventServices) -> EventLag:
    """What this process knows of the event side's lag: `services.room(event_lag)`."""
    return EventLag(services.store, services.clock)


async def unchecked(_: EventServices, __: Json) -> Finding | None:
    """Where nobody takes payments: what was not paid in time is not paid."""
    return Finding("payment_overdue")


class Watchdog:
    """Looks after deadlines while it runs.

    `groups`: the groups that move orders, with the topics they hear of orders on. `check_payment`: before an order ends
    unpaid.
    """

    def __init__(
        self,
        services: EventServices,
        groups: Mapping[str, Sequence[str]] | None = None,
        *,
        check_payment: PaymentCheck = unchecked,
    ) -> None:
        self._services = services
        self._check_payment = check_payment
        self._lease = Lease(services.store, "watchdog", "orders")
        self._lag = services.room(event_lag)
        if groups is not None:
            self._lag.groups = groups
        self._task: asyncio.Task[None] | None = None
        self.failed = 0
        self.shipments_overdue = 0
        self.put_off = 0

    def start(self) -> None:
        """Begins."""
        watch = self._services.telemetry.watch
        watch("deadlines_failed", "Deadlines that could not be looked at: see the log.", lambda: self.failed)
        watch(
            "shipments_overdue",
            "Paid orders for which no carrier was booked in time: the carrier agent is silent.",
            lambda: self.shipments_overdue,
        )
        watch("deadlines_put_off", "Deadlines that waited for the payment provider.", lambda: self.put_off)
        watch(
            "deadlines_suspended_seconds",
            "For how long no deadline has been judged, because the event side is behind.",
            self._lag.seconds_behind,
            kind="gauge",
        )
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
        return await self._lease.during(self._sweep())

    async def _sweep(self) -> int:
        now, note = self._services.clock.now(), self._lease.note
        self._lag.take_over(note)
        await self._lag.measure(self._services.bus)
        # No note: this is the first sweep there ever was, and nothing can be older.
        bucket = moment(note["done_until"]) if "done_until" in note else now - _SLACK
        done = 0
        try:
            while store.bucket_of(bucket) <= store.bucket_of(now):
                done += await self._bucket(store.bucket_of(bucket), now)
                bucket += _MINUTE
        finally:
            done_until = min(bucket, now - _SLACK)
            await self._lease.keep({"done_until": timestamp(done_until), **self._lag.note()})
        return done

    async def _bucket(self, bucket: str, now: datetime) -> int:
        """How many orders of a bucket were looked at. Raises `StoreError` when one stays where it is."""
        query = Query(
            store.DEADLINES,
            partition=bucket,
            where=Range("due_at", le=timestamp(now)),
            sort=(Sort("due_at"),),
            limit=_AT_ONCE,
        )
        done = 0
        while True:
            page = await self._services.store.query(query)
            for at in range(0, len(page.items), _ABREAST):
                await self._lag.measure(self._services.bus)
                done += await self._abreast(page.items[at : at + _ABREAST])
            if page.next is None:
                return done
            query = replace(query, after=page.next)

    async def _abreast(self, rows: Sequence[Document]) -> int:
        """How many of some orders were looked at. All come to their end, whatever becomes of one."""
        results = await asyncio.gather(*map(self._looked_at, rows), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return sum(result is True for result in results)

    async def _looked_at(self, row: Document) -> bool:
        """Does what is due for one order, then its row goes. One that fails is looked at later, for itself."""
        try:
            await self.look(row.data)
        except Exception as error:
            # The type alone: texts may hold what logs must not.
            reason, failures = type(error).__name__, row.data.get("failures", 0) + 1
            seen = {"order_id": row.data.get("order_id"), "reason": reason, "failures": failures}
            log.error("a deadline failed", extra=seen)  # noqa: TRY400 - see above
            self.failed += 1
            later = self._services.clock.now() + _MINUTE * 2 ** min(failures - 1, _DOUBLINGS)
            await store.put_off(self._services.store, row.data, later, reason)
            await self._remove(row)
            return False
        await self._remove(row)
        return True

    async def _remove(self, row: Document) -> None:
        """A row that was written anew meanwhile, for later in this minute, stays."""
        with suppress(DocumentMissing, VersionConflict):
            delete = Delete(row.data["id"], if_match=row.etag)
            await self._services.store.write(store.DEADLINES, delete, partition=row.data["bucket"])

    async def look(self, row: Json) -> None:
        """What has become of an order, and what follows from it."""
        await retrying(lambda: self._look(row))

    async def _look(self, row: Json) -> None:
        services, order_id, user_id = self._services, row["order_id"], row["user_id"]
        found = await store.read(services.store, user_id, order_id)
        if found is None:
            await _never_placed(services, row)
            return
        await process.free_unused(services, row["promo_code"], found.data)
        if found.data["deadline_at"] is None:
            return
        now, judged_from = services.clock.now(), self._judged_from(found.data)
        finding = await self._finding(found.data) if judged_from <= now else None
        if finding is None:
            later = min(judged_from, now + _LONGEST) if judged_from > now else now + _MINUTE
            await store.watch(services.store, order_id, user_id, later)
            return
        news = News(trigger=finding.trigger, correlation_id=new_id("watchdog"), facts=finding.facts)
        batch, after = await process.transition(services, found, news)
        if after["deadline_at"] is not None:
            # It goes on, by what its payment says.
            later = min(moment(after["deadline_at"]), now + _LONGEST)
            await store.watch(services.store, order_id, user_id, max(later, now + _MINUTE))
        if batch:
            await settled(services.store, store.CONTAINER, user_id, batch)
            services.room(Bells).ring(order_id)
        if finding.trigger == "shipment_overdue" and batch:
            self.shipments_overdue += 1
            log.error("no carrier was booked in time", extra={"order_id": order_id})

    def _judged_from(self, order: Json) -> datetime:
        """The order's deadline, or later: it has its full time without a lag of the event side."""
        wait = DEADLINES[order["status"]].after
        return max(moment(order["deadline_at"]), self._lag.not_before(wait))

    async def _finding(self, order: Json) -> Finding | None:
        """What the order's deadline comes to. None: the payment provider cannot tell now."""
        trigger = DEADLINES[order["status"]].trigger
        if trigger != "payment_overdue":
            return Finding(trigger)
        finding = await self._check_payment(self._services, order)
        self.put_off += finding is None
        return finding


async def _never_placed(services: EventServices, row: Json) -> None:
    """The process that was placing the order ended before it did: its promo code can be used again.

    Unless the order is being placed anew: that attempt has a row of its own, which is due later.
    """
    if row["promo_code"] is not None:
        await promotions.expire(services.store, row["promo_code"], row["order_id"], row["due_at"])
