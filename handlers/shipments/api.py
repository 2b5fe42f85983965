"""Operations of the tag `shipments`: all of them are for staff."""

from __future__ import annotations

from datetime import UTC
from typing import Any, Final

from pydantic import MISSING

from generated import models as m
from generated import params as p
from generated import views as v
from handlers.contract.acting import actor_of
from handlers.contract.call import Call
from handlers.contract.reply import Reply
from handlers.partners.breaker import PartnerUnavailable
from handlers.partners.carriers import tracking_url
from handlers.platform import etags
from handlers.platform.audit import audit_row
from handlers.platform.clock import moment, timestamp
from handlers.platform.concurrency import retrying, settled
from handlers.platform.errors import conflict, not_found, precondition_failed, unavailable, unprocessable
from handlers.platform.ids import new_id
from handlers.platform.paging import items_before
from handlers.platform.store.port import And, Condition, Document, Eq, Query, Sort, VersionConflict
from handlers.shipments import changes, states, store, tracking, views
from handlers.shipments.changes import Cause
from handlers.shipments.estimates import estimated
from handlers.shipments.notices import mailed, texted

_NEWEST: Final = (Sort("created_at", descending=True),)


async def list_shipments(params: p.ListShipmentsParameters, call: Call) -> v.ShipmentPage:
    """Shipments of all orders, newest first."""
    conditions: list[Condition] = [
        Eq(name, value) for name, value in (("status", params.status), ("carrier", params.carrier)) if value is not None
    ]
    query = Query(
        store.CONTAINER,
        partition=params.order_id,
        where=And(tuple(conditions)) if conditions else None,
        sort=_NEWEST,
        limit=params.limit,
        offset=items_before(params.page, params.limit),
        purpose="staff_shipments" if params.order_id is None else None,
    )
    cursors = call.services.cursors
    page = await call.services.store.query(cursors.apply(query, params.cursor))
    return {
        "items": [views.summary_view(each.data) for each in page.items],
        "page": params.page,
        "limit": params.limit,
        "next_cursor": cursors.next(query, page),
    }


async def get_shipment(params: p.GetShipmentParameters, call: Call) -> Reply[v.Shipment]:
    """A shipment, with the agent's estimate of its arrival where there is one."""
    found = await _found(params.shipment_id, call)
    view = views.shipment_view(found.data)
    view["estimated_delivery"] = await estimated(call.services, found.data)
    return Reply(view, etag=found.etag)


async def update_shipment_status(
    params: p.UpdateShipmentStatusParameters, body: m.ShipmentStatusChange, call: Call
) -> Reply[v.Shipment]:
    """Moves a shipment along its table. The order follows by the event."""

    async def attempt() -> Reply[v.Shipment]:
        found = await _found(params.shipment_id, call)
        etags.check(params.if_match, found.etag)
        after = _moved(found.data, body, call)
        batch, last = changes.stepped(call.services, found, [after], Cause(call.request_id))
        written = await settled(call.services.store, store.CONTAINER, last["order_id"], batch)
        etag = written[0].etag if written and written[0] is not None else None
        return Reply(views.shipment_view(last), etag=etag)

    try:
        return await retrying(attempt)
    except VersionConflict:
        if etags.expected(params.if_match) is not None:
            raise precondition_failed() from None
        raise unavailable("Others are changing this shipment") from None


async def notify_shipment_customer(
    params: p.NotifyShipmentCustomerParameters, body: m.ShipmentNotificationCreate, call: Call
) -> Reply[v.ShipmentNotification]:
    """Writes to the customer about a shipment, audited. The answer waits until the message is handed over."""
    found = await _found(params.shipment_id, call)
    shipment = found.data
    kind = body.kind if body.kind is not MISSING else "status_update"
    message = body.message if body.message is not MISSING else None
    try:
        send = texted if body.notification_type == "sms" else mailed
        recipient = await send(call.services, shipment, kind, message)
    except PartnerUnavailable as error:
        raise unavailable("The message cannot be sent now", retry_after=error.retry_after) from error
    notification: v.ShipmentNotification = {
        "notification_id": new_id("notification"),
        "shipment_id": params.shipment_id,
        "notification_type": body.notification_type,
        "kind": kind,
        "recipient": recipient,
        "status": "sent",
        "created_at": timestamp(call.services.clock.now()),
    }
    await _audited(shipment, "customer_notified", {"kind": kind, "channel": body.notification_type}, call)
    return Reply(notification)


async def get_carrier_tracking(params: p.GetCarrierTrackingParameters, call: Call) -> v.CarrierTracking:
    """Asks the carrier now; what is new is added to the shipment."""
    found = await _found(params.shipment_id, call)
    try:
        report, shipment = await tracking.asked(call.services, found, Cause(call.request_id))
    except PartnerUnavailable as error:
        raise unavailable("The carrier does not answer", retry_after=error.retry_after) from error
    return {
        "shipment_id": shipment["shipment_id"],
        "carrier": shipment["carrier"],
        "tracking_number": shipment["tracking_number"],
        "tracking_url": tracking_url(shipment["carrier"], shipment["tracking_number"]),
        "status": report.scans[-1].status,
        "carrier_status": report.words,
        "estimated_delivery": timestamp(report.due_at),
        "events": [
            {
                "event_id": scan.id,
                "status": scan.status,
                "location": scan.location,
                "timestamp": timestamp(scan.moment),
                "description": scan.words,
            }
            for scan in report.scans
        ],
        "fetched_at": timestamp(call.services.clock.now()),
    }


async def contact_carrier(
    params: p.ContactCarrierParameters, body: m.CarrierInquiryCreate, call: Call
) -> Reply[v.CarrierInquiry]:
    """Hands an inquiry to the carrier, audited."""
    found = await _found(params.shipment_id, call)
    shipment, inquiry_id = found.data, new_id("inquiry")
    try:
        carriers = tracking.carriers_of(call.services)
        reference = await carriers.contact(tracking.parcel_of(shipment), inquiry_id, body.issue_description)
    except PartnerUnavailable as error:
        raise unavailable("The carrier cannot be reached", retry_after=error.retry_after) from error
    await _audited(
        shipment, "carrier_contacted", {"inquiry_id": inquiry_id, "issue_description": body.issue_description}, call
    )
    inquiry: v.CarrierInquiry = {
        "inquiry_id": inquiry_id,
        "shipment_id": params.shipment_id,
        "carrier": shipment["carrier"],
        "issue_description": body.issue_description,
        "status": "open",
        "created_at": timestamp(call.services.clock.now()),
    }
    if reference is not None:
        inquiry["carrier_reference"] = reference
    return Reply(inquiry)


async def _found(shipment_id: str, call: Call) -> Document:
    found = await store.find(call.services.store, shipment_id)
    if found is None:
        raise not_found("Shipment", shipment_id=shipment_id)
    return found


def _moved(shipment: dict[str, Any], body: m.ShipmentStatusChange, call: Call) -> dict[str, Any]:
    if not states.may_move(shipment, body.new_status):
        raise conflict("This shipment cannot get there", "shipment_state_invalid", status=shipment["status"])
    now = call.services.clock.now()
    # Two reports in one millisecond, or of machines whose clocks differ, follow each other all the same.
    occurred = max(now, moment(shipment["events"][-1]["timestamp"]))
    if body.occurred_at is not MISSING:
        occurred = body.occurred_at.astimezone(UTC)
        if not states.fits_in_time(shipment, occurred, now):
            raise unprocessable("That was in the future, or before what is known", "shipment_time_invalid")
    after = states.moved(
        shipment,
        body.new_status,
        event_id=new_id("event"),
        occurred=occurred,
        now=now,
        location=body.location if body.location is not MISSING else None,
    )
    if body.notes is not MISSING:
        after["notes"] = body.notes
    return after


async def _audited(shipment: dict[str, Any], action: str, what: dict[str, str], call: Call) -> None:
    row = audit_row(
        store.CONTAINER,
        shipment,
        actor_of(call),
        entity_type="shipment",
        entity_id=shipment["shipment_id"],
        action=action,
        changes={name: (None, value) for name, value in what.items()},
        clock=call.services.clock,
    )
    await settled(call.services.store, store.CONTAINER, shipment["order_id"], [row])
