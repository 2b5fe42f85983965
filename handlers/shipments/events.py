"""What shipments do when they hear of orders, payments and parcels.

They play the agent logistics-carrier-selection while that is not deployed (decision 39): a paid order gets a carrier
from the table, or is rejected. They take over from a deployed one that is silent (decision 74). The shipment itself is
made from what is booked, whoever has booked it.
"""

from __future__ import annotations

from typing import Any, Final

from generated import events as e
from handlers.contract.parcels import CallOff
from handlers.contract.services import EventServices
from handlers.orders import store as orders
from handlers.orders.saga import FINAL
from handlers.orders.telling import units
from handlers.platform.clock import timestamp
from handlers.platform.events import Event
from handlers.platform.store.port import Create, Document, Operation, Replace
from handlers.pricing.prices import Prices
from handlers.pricing.shipping import CarrierRate, Rejection
from handlers.pricing.tax import Destination
from handlers.shipments import changes, rules, states, store, views
from handlers.shipments.call_off_parcel import call_off_parcel

AGENT: Final = "logistics-carrier-selection"

Json = dict[str, Any]


async def on_payment_processed(event: Event[e.PaymentProcessedData], services: EventServices) -> None:
    """Books a parcel for a paid order, once. One that has ended meanwhile gets none."""
    await _book(event, services)


async def on_shipment_overdue(event: Event[e.ShipmentOverdueData], services: EventServices) -> None:
    """Books the parcel in place of the agent that is silent, unless that is left to staff; once."""
    if services.settings.take_over_silent_agents:
        await _book(event, services)


async def _book(event: Event[Any], services: EventServices) -> None:
    order_id = event.data["order_id"]

    async def build() -> list[Operation]:
        order = await orders.proven(services.store, order_id, event.data["user_id"])
        if order.data["status"] in FINAL or await store.of_order(services.store, order_id) is not None:
            return []
        return _booked_or_rejected(services, event, order.data)

    await services.inbox.once(event, store.CONTAINER, order_id, build)


async def on_shipment_scheduled(event: Event[e.ShipmentScheduledData], services: EventServices) -> None:
    """Makes the shipment of what was booked, once; none where the order has ended."""
    data = event.data
    order_id = data["order_id"]
    order = await orders.proven(services.store, order_id)
    await store.note_whereabouts(services.store, data["shipment_id"], order_id)

    async def build() -> list[Operation]:
        found = await store.of_order(services.store, order_id)
        if found is not None and (store.is_shipment(found) or found.data["called_off"]):
            return []
        made = views.new_shipment(data, order.data, timestamp(services.clock.now()))
        if found is None:
            return [Create({**made, "id": rules.shipment_id_of(order_id)})]
        # What was booked has told of it already, and its counter of events goes on.
        kept = {name: value for name, value in found.data.items() if name not in ("kind", "called_off")}
        return [Replace({**kept, **made}, if_match=found.etag)]

    await services.inbox.once(event, store.CONTAINER, order_id, build)


async def on_order_cancelled(event: Event[e.OrderCancelledData], services: EventServices) -> None:
    """Calls the parcel off, where that was not done before: by a process that knew no call-off. May be done twice.

    One that is with the carrier by then has to come back, and staff see so on the shipment.
    """
    data = event.data
    wanted = CallOff(
        order_id=data["order_id"],
        user_id=data["user_id"],
        reason=data["reason"],
        cancelled_by=data["cancelled_by"],
        correlation_id=event.correlation_id,
        causation_id=event.id,
    )
    if not await call_off_parcel(services, wanted):
        await _edit(event, services, lambda shipment: _warned(shipment, event, services))


async def on_eta_updated(event: Event[e.ETAUpdatedData], services: EventServices) -> None:
    """Keeps the latest estimate of a parcel that is under way."""
    data = event.data

    def edit(shipment: Json) -> Json:
        now = max(timestamp(services.clock.now()), shipment["updated_at"])
        return {**shipment, "estimated_delivery": data["estimated_delivery"], "updated_at": now}

    await _edit(event, services, edit)


async def on_route_issue_detected(event: Event[e.RouteIssueDetectedData], services: EventServices) -> None:
    """Adds a delay or problem to a parcel that is under way, or what is now known of it."""
    await _edit(
        event, services, lambda shipment: states.with_issue(shipment, event.data["issue"], services.clock.now())
    )


async def on_user_deleted(event: Event[e.UserDeletedData], services: EventServices) -> None:
    """Takes the person out of the shipments of a deleted user; where a parcel is under way, once it has arrived."""
    async for order in orders.of_user(services.store, event.data["user_id"]):
        await _forget(event, services, order["order_id"])


async def _forget(event: Event[e.UserDeletedData], services: EventServices, order_id: str) -> None:
    async def build() -> list[Operation]:
        found = await store.of_order(services.store, order_id)
        if found is None or not store.is_shipment(found):
            return []
        return [Replace(changes.settle({**found.data, "forget": True}), if_match=found.etag)]

    await services.inbox.once(event, store.CONTAINER, order_id, build)


async def _edit(event: Event[Any], services: EventServices, edit: Any) -> None:
    """Changes a shipment that is under way, once; nothing where there is none, or another one is meant."""
    order_id = event.data["order_id"]

    async def build() -> list[Operation]:
        found = await store.of_order(services.store, order_id)
        if found is None or not store.is_shipment(found) or not _meant(found, event):
            return []
        return [Replace(edit(found.data), if_match=found.etag)]

    await services.inbox.once(event, store.CONTAINER, order_id, build)


def _meant(found: Document, event: Event[Any]) -> bool:
    same = found.data["shipment_id"] == event.data.get("shipment_id", found.data["shipment_id"])
    return bool(same and found.data["status"] not in states.FINAL)


def _warned(shipment: Json, event: Event[Any], services: EventServices) -> Json:
    """Staff see on the shipment that the parcel has to come back."""
    now = services.clock.now()
    issue = {
        "issue_id": f"issue-{event.id[-48:].lstrip('_.-')}",
        "type": "other",
        "severity": "high",
        "description": "The order was cancelled: the parcel has to come back.",
        "detected_at": timestamp(now),
    }
    return states.with_issue(shipment, issue, now)


def _booked_or_rejected(services: EventServices, event: Event[Any], order: Json) -> list[Operation]:
    address = order["shipping_address"]
    destination = Destination(address["country"], address.get("state"))
    method = order["shipping"]["method"]
    rate = services.room(Prices).shipping.choose_carrier(method, destination, order["grams"])
    if not isinstance(rate, CarrierRate):
        return _rejected(services, event, rate)
    shipment_id = rules.shipment_id_of(order["order_id"])
    booking: Json = {
        "shipment_id": shipment_id,
        "order_id": order["order_id"],
        "carrier": rate.carrier,
        "service_level": method,
        "tracking_number": rules.tracking_number_of(shipment_id),
        "items": units(order),
        "estimated_delivery": timestamp(rules.arrival(services.clock.now(), rate.days)),
        "weight": {"value": order["grams"] / 1000, "unit": "kg"},
    }
    place = store.place_taken(order["order_id"], called_off=False)
    return _with_event(services, event, place, "ShipmentScheduled", booking)


def _rejected(services: EventServices, event: Event[Any], reason: Rejection) -> list[Operation]:
    order_id = event.data["order_id"]
    place = store.place_taken(order_id, called_off=True)
    return _with_event(services, event, place, "ShipmentRejected", {"order_id": order_id, "reason": reason})


def _with_event(
    services: EventServices, event: Event[Any], document: Json, event_type: str, data: Json
) -> list[Operation]:
    row = services.outbox.follow(event, store.CONTAINER, document, event_type=event_type, data=data, source=AGENT)
    return [Create(document), row]
