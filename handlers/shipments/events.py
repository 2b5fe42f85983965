"""What shipments do when they hear of orders and payments.

They play the agent logistics-carrier-selection while that is not deployed (decision 39): a paid order gets a carrier
from the table, or is rejected.
"""

from __future__ import annotations

from typing import Any, Final

from generated import events as e
from handlers.contract.services import EventServices
from handlers.orders import store as orders
from handlers.orders.saga import FINAL
from handlers.platform.clock import timestamp
from handlers.platform.events import Event
from handlers.platform.store.port import Create, Operation, Replace
from handlers.shipments import rules, store
from handlers.shipments.rules import Rate

AGENT: Final = "logistics-carrier-selection"

Json = dict[str, Any]


async def on_payment_processed(event: Event[e.PaymentProcessedData], services: EventServices) -> None:
    """Books a parcel for a paid order, once. An order that has ended meanwhile gets none."""
    data = event.data
    order_id = data["order_id"]

    async def build() -> list[Operation]:
        order = await orders.read(services.store, data["user_id"], order_id)
        ended = order is not None and order.data["status"] in FINAL
        if ended or await store.of_order(services.store, order_id) is not None:
            return []
        rate = rules.choose(
            data["shipping_method"], data["shipping_address"]["country"], rules.grams_of(data.get("weight"))
        )
        if isinstance(rate, Rate):
            return _booked(services, event, rate)
        return _rejected(services, event, rate)

    await services.inbox.once(event, store.CONTAINER, order_id, build)


async def on_order_cancelled(event: Event[e.OrderCancelledData], services: EventServices) -> None:
    """Calls the parcel off, or notes that none is to be booked any more."""
    order_id = event.data["order_id"]

    async def build() -> list[Operation]:
        found = await store.of_order(services.store, order_id)
        if found is None:
            return [Create(_nothing(order_id))]
        if found.data.get("called_off"):
            return []
        now = timestamp(services.clock.now())
        return [Replace({**found.data, "called_off": True, "updated_at": now}, if_match=found.etag)]

    await services.inbox.once(event, store.CONTAINER, order_id, build)


def _booked(services: EventServices, event: Event[e.PaymentProcessedData], rate: Rate) -> list[Operation]:
    data, now = event.data, services.clock.now()
    shipment_id = rules.shipment_id_of(data["order_id"])
    booking: Json = {
        "shipment_id": shipment_id,
        "order_id": data["order_id"],
        "carrier": rate.carrier,
        "service_level": data["shipping_method"],
        "tracking_number": rules.tracking_number_of(shipment_id),
        "items": data["items"],
        "estimated_delivery": timestamp(rules.arrival(now, rate.days)),
        **({"weight": data["weight"]} if "weight" in data else {}),
    }
    shipment = {
        **booking,
        "id": shipment_id,
        "order_number": data["order_number"],
        "user_id": data["user_id"],
        "status": "label_created",
        "called_off": False,
        "created_at": timestamp(now),
        "updated_at": timestamp(now),
    }
    return _with_event(services, event, shipment, "ShipmentScheduled", booking)


def _rejected(
    services: EventServices, event: Event[e.PaymentProcessedData], reason: rules.Rejection
) -> list[Operation]:
    order_id = event.data["order_id"]
    return _with_event(
        services, event, _nothing(order_id), "ShipmentRejected", {"order_id": order_id, "reason": reason}
    )


def _with_event(
    services: EventServices, event: Event[Any], document: Json, event_type: str, data: Json
) -> list[Operation]:
    row = services.outbox.follow(event, store.CONTAINER, document, event_type=event_type, data=data, source=AGENT)
    return [Create(document), row]


def _nothing(order_id: str) -> Json:
    """Says that an order has no parcel and will have none."""
    return {"id": rules.shipment_id_of(order_id), "order_id": order_id, "called_off": True}
