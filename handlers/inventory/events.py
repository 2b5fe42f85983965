"""What the stock does when it hears of products and of orders.

Of products: the work behind a change, in case the process that began it ended. Of orders: it plays the agent
inventory-reservation-validation while that is not deployed (decision 39).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from generated import events as e
from handlers.contract.services import EventServices
from handlers.inventory import reservations, store
from handlers.platform.events import Event


async def on_product_created(event: Event[e.ProductCreatedData], services: EventServices) -> None:
    """Opens the stock of a new product, unless it is open."""
    product = event.data["product"]
    known = await store.read_card(services.store, product["product_id"])
    if known is not None:
        return
    stocks = [
        store.stock(product["product_id"], each["variant_id"], each["sku"], each["stock"], product["updated_at"])
        for each in product["variants"]
    ]
    await store.open_stocks(services.store, _card(product), stocks)


async def on_product_updated(event: Event[e.ProductUpdatedData], services: EventServices) -> None:
    """Brings card and stocks in line with the product, unless they know a newer one."""
    product = event.data["product"]
    known = await store.read_card(services.store, product["product_id"])
    if known is not None and known.data["as_of"] < product["updated_at"]:
        await store.settle(services.store, _card(product))


async def on_product_deleted(event: Event[e.ProductDeletedData], services: EventServices) -> None:
    """Closes the stock."""
    await store.close(services.store, event.data["product_id"])


async def on_order_created(event: Event[e.OrderCreatedData], services: EventServices) -> None:
    """Holds every line of a new order, or none."""
    await reservations.reserve(services, event, event.data["items"])


async def on_order_cancelled(event: Event[e.OrderCancelledData], services: EventServices) -> None:
    """Sets free what is held for an order, and puts back what its parcel had taken."""
    expired = event.data["reason"] in ("payment_timeout", "process_timeout")
    reason: reservations.ReleaseReason = "reservation_expired" if expired else "order_cancelled"
    await reservations.release(services, event, event.data["items"], reason)


async def on_payment_failed(event: Event[e.PaymentFailedData], services: EventServices) -> None:
    """Sets free what is held for an order that will not be paid."""
    await reservations.release(services, event, event.data["items"], "payment_failed")


async def on_shipment_scheduled(event: Event[e.ShipmentScheduledData], services: EventServices) -> None:
    """Takes what is held for an order off the stock: its parcel is booked."""
    await reservations.ship(services, event, event.data["items"])


async def on_order_completed(event: Event[e.OrderCompletedData], services: EventServices) -> None:
    """Removes what is held for an order: it has arrived, and nothing of it comes back this way."""
    await reservations.complete(services, event, event.data["items"])


def _card(product: Mapping[str, Any]) -> dict[str, Any]:
    variant_ids = [variant["variant_id"] for variant in product["variants"]]
    return store.card(product["product_id"], product["status"], variant_ids, as_of=product["updated_at"])
