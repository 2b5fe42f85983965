"""What moves an order when its participants report. Every change goes through the table (`saga.py`)."""

from __future__ import annotations

from typing import Final

from generated import events as e
from handlers.contract.services import EventServices
from handlers.orders import store
from handlers.orders.process import free_promo, hear
from handlers.orders.rules import settled
from handlers.orders.saga import Trigger
from handlers.platform.clock import moment, timestamp
from handlers.platform.concurrency import retrying
from handlers.platform.events import Event
from handlers.platform.store.port import Replace

_PARCEL: Final[dict[str, Trigger]] = {
    "picked_up": "parcel_moving",
    "in_transit": "parcel_moving",
    "out_for_delivery": "parcel_moving",
    "exception": "parcel_held_up",
    "delivered": "parcel_arrived",
    "returned": "parcel_returned",
}


async def on_inventory_reserved(event: Event[e.InventoryReservedData], services: EventServices) -> None:
    """The order waits for its payment."""
    await hear(services, event, "stock_reserved")


async def on_inventory_reservation_failed(
    event: Event[e.InventoryReservationFailedData], services: EventServices
) -> None:
    """The order ends: out of stock."""
    await hear(services, event, "stock_refused")


async def on_inventory_released(event: Event[e.InventoryReleasedData], services: EventServices) -> None:
    """Nothing: the order has ended already, and its end is what set the stock free."""


async def on_payment_processed(event: Event[e.PaymentProcessedData], services: EventServices) -> None:
    """The order is paid; or, when it has ended, the money goes back."""
    data = event.data
    payment: dict[str, str] = {}
    if "payment_intent_id" in data:  # an order that costs nothing has none
        payment["payment_intent_id"] = data["payment_intent_id"]
    if "method" in data:
        payment["method"] = data["method"]
    await hear(services, event, "payment_received", {"payment": payment, "paid_at": data["paid_at"]})


async def on_payment_pending(event: Event[e.PaymentPendingData], services: EventServices) -> None:
    """The order waits for a payment that is settled after days; nothing is due of the customer."""
    await hear(services, event, "payment_pending", {"payment": {"payment_intent_id": event.data["payment_intent_id"]}})


async def on_payment_attempt_failed(event: Event[e.PaymentAttemptFailedData], services: EventServices) -> None:
    """The order goes on waiting for its money, and says why it has not come."""
    data = event.data
    payment = {"payment_intent_id": data["payment_intent_id"]}
    if "failure_message" in data:
        payment["failure_message"] = data["failure_message"]
    await hear(services, event, "payment_declined", {"payment": payment})
    found = await store.read(services.store, data["user_id"], data["order_id"])
    if found is not None and found.data["status"] == "awaiting_payment":
        # After a delayed payment its row lies weeks ahead, and the deadline is near again.
        await store.watch(services.store, data["order_id"], data["user_id"], moment(found.data["deadline_at"]))


async def on_payment_failed(event: Event[e.PaymentFailedData], services: EventServices) -> None:
    """The order ends, and its promo code can be used again: failed when the payment was declined, else cancelled."""
    data = event.data
    trigger: Trigger = "payment_abandoned" if data["failure_code"] == "abandoned" else "payment_failed"
    payment = {"failure_message": data["failure_message"]} if "failure_message" in data else {}
    await hear(services, event, trigger, {"payment": payment})
    found = await store.read(services.store, data["user_id"], data["order_id"])
    if found is not None and found.data["status"] == "payment_failed":
        await free_promo(services, found.data)


async def on_refund_processed(event: Event[e.RefundProcessedData], services: EventServices) -> None:
    """Some or all of the money has gone back."""
    data = event.data
    # Events of before contract 2.0 do not say how much has gone back in all.
    facts = {"amount_refunded": data["amount_refunded"]} if "amount_refunded" in data else {}
    await hear(services, event, "refunded_in_full" if data["fully_refunded"] else "refunded_in_part", facts)


async def on_refund_failed(event: Event[e.RefundFailedData], services: EventServices) -> None:
    """Money that had gone back is here again."""
    left = event.data["amount_refunded"]
    await hear(services, event, "refund_failed_in_part" if left else "refund_failed", {"amount_refunded": left})


async def on_shipment_scheduled(event: Event[e.ShipmentScheduledData], services: EventServices) -> None:
    """The parcel is being prepared."""
    data = event.data
    shipping = {
        "shipment_id": data["shipment_id"],
        "carrier": data["carrier"],
        "tracking_number": data["tracking_number"],
        "estimated_delivery": data["estimated_delivery"],
    }
    await hear(services, event, "shipment_scheduled", {"shipping": shipping})


async def on_shipment_rejected(event: Event[e.ShipmentRejectedData], services: EventServices) -> None:
    """The order ends: no carrier takes it."""
    await hear(services, event, "shipment_refused")


async def on_shipment_cancelled(event: Event[e.ShipmentCancelledData], services: EventServices) -> None:
    """The order ends, unless it has: what called its parcel off ended before it could say so."""
    data = event.data
    await hear(services, event, "shipment_cancelled", reason=data["reason"], actor=data["cancelled_by"])


async def on_shipment_status_updated(event: Event[e.ShipmentStatusUpdatedData], services: EventServices) -> None:
    """The parcel got further, or stuck; the timeline shows where."""
    data = event.data
    trigger = _PARCEL.get(data["status"])
    if trigger is None:
        return
    place = data.get("location")
    town = ", ".join(place[name] for name in ("city", "state") if name in place) if place is not None else None
    facts = {"current_location": place} if place is not None else {}
    await hear(services, event, trigger, facts, stage=data["status"], location=town)


async def on_eta_updated(event: Event[e.ETAUpdatedData], services: EventServices) -> None:
    """The parcel will arrive at another time than was said."""
    facts = {"shipping": {"estimated_delivery": event.data["estimated_delivery"]}}
    await hear(services, event, "arrival_estimated", facts)


async def on_route_issue_detected(event: Event[e.RouteIssueDetectedData], services: EventServices) -> None:
    """Something is in the parcel's way, or no longer."""
    issue = event.data["issue"]
    await hear(services, event, "parcel_held_up", {"issues": {issue["issue_id"]: issue}})


async def on_delivery_completed(event: Event[e.DeliveryCompletedData], services: EventServices) -> None:
    """The order is closed."""
    await hear(services, event, "delivery_completed", {"shipping": {"delivered_at": event.data["delivered_at"]}})


async def on_user_deleted(event: Event[e.UserDeletedData], services: EventServices) -> None:
    """Takes the person out of the orders of a deleted user; where one is under way, once it has ended.

    May be done twice.
    """
    user_id = event.data["user_id"]
    async for order in store.of_user(services.store, user_id):
        if order.get("anonymised_at") is None and not order.get("forget"):
            await _forget(services, user_id, order["order_id"])


async def _forget(services: EventServices, user_id: str, order_id: str) -> None:
    async def attempt() -> None:
        found = await store.read(services.store, user_id, order_id)
        if found is not None:
            now = timestamp(services.clock.now())
            after = settled({**found.data, "forget": True}, now)
            await services.store.write(store.CONTAINER, Replace(after, if_match=found.etag))

    await retrying(attempt)
