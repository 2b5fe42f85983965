"""Carriers are asked about parcels, and what is new in their answer is added as if they had reported it."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from handlers.contract.services import EventServices
from handlers.partners.breaker import PartnerUnavailable
from handlers.partners.carriers import Carriers, Parcel, Report, Scan
from handlers.platform.clock import moment
from handlers.platform.concurrency import retrying, settled
from handlers.platform.store.port import Document, DocumentMissing, DocumentStore, Eq, Query, Sort, StoreError
from handlers.shipments import changes, states, store, views
from handlers.shipments.changes import Cause

log = logging.getLogger(__name__)

Json = dict[str, Any]

AT_ONCE: Final = 100
_UNDER_WAY: Final = tuple(status for status in reversed(states.STATUSES) if status not in states.FINAL)


def carriers_of(services: EventServices) -> Carriers:
    """The carriers. Raises `PartnerUnavailable` where none are set up."""
    if services.carriers is None:
        raise PartnerUnavailable("Carriers are not set up")
    return services.carriers


def parcel_of(shipment: Json) -> Parcel:
    """A shipment as its carrier knows it."""
    return Parcel(
        carrier=shipment["carrier"],
        tracking_number=shipment["tracking_number"],
        origin=views.written(shipment["origin"]),
        destination=views.written(shipment["destination"]),
        booked_at=moment(shipment["created_at"]),
        due_at=moment(shipment["estimated_delivery"]),
    )


async def asked(services: EventServices, found: Document, cause: Cause) -> tuple[Report, Json]:
    """What the carrier says about a shipment, and the shipment with what is new in it. Raises `PartnerUnavailable`."""
    report = await carriers_of(services).track(parcel_of(found.data))
    order_id = found.data["order_id"]

    async def attempt() -> Json:
        current = await store.of_order(services.store, order_id)
        if current is None:
            raise DocumentMissing(order_id)
        steps = list(_steps(current.data, report, services.clock.now()))
        if not steps:
            return current.data
        batch, after = changes.stepped(services, current, steps, cause)
        await settled(services.store, store.CONTAINER, order_id, batch)
        return after

    return report, await retrying(attempt)


def _steps(shipment: Json, report: Report, now: datetime) -> Iterator[Json]:
    """The shipment after each scan that is new, fits in time, and that the table allows."""
    known = {event["event_id"] for event in shipment["events"]}
    for scan in report.scans:
        if scan.id not in known and _follows(shipment, scan, now):
            shipment = states.moved(
                shipment,
                scan.status,
                event_id=scan.id,
                occurred=scan.moment,
                now=now,
                location=scan.location,
                words=scan.words,
            )
            yield shipment


def _follows(shipment: Json, scan: Scan, now: datetime) -> bool:
    return states.may_move(shipment, scan.status) and states.fits_in_time(shipment, scan.moment, now)


async def ask_all(services: EventServices, job: str) -> int:
    """Asks about every parcel under way; answers how many that were.

    `job`: the id of this run. One that fails does not hold up the others.
    """
    done = 0
    async for found in under_way(services.store):
        done += await _asked_safely(services, found, Cause(job))
    return done


async def under_way(documents: DocumentStore) -> AsyncIterator[Document]:
    """Every parcel that has not come to its end. What is read grows with these, and not with all there ever were.

    Status by status, each along an index, and the furthest first: one that moves on meanwhile is not met again.
    """
    for status in _UNDER_WAY:
        query = Query(
            store.CONTAINER,
            where=Eq("status", status),
            sort=(Sort("created_at", descending=True),),
            limit=AT_ONCE,
            purpose="parcels_under_way",
        )
        while True:
            page = await documents.query(query)
            for found in page.items:
                yield found
            if page.next is None:
                break
            query = replace(query, after=page.next)


async def _asked_safely(services: EventServices, found: Document, cause: Cause) -> bool:
    try:
        await asked(services, found, cause)
    except (PartnerUnavailable, StoreError) as error:
        log.warning("parcel not followed", extra={"reason": type(error).__name__})
        return False
    except Exception as error:
        # A defect of ours, or a document that is broken: the other parcels have their turn. Texts may hold addresses.
        seen = {"shipment": found.data.get("shipment_id"), "reason": type(error).__name__}
        log.error("a parcel cannot be followed", extra=seen)  # noqa: TRY400 - see above
        return False
    return True
