"""What checkout does when it hears of orders."""

from __future__ import annotations

from generated import events as e
from handlers.contract.services import EventServices
from handlers.platform.events import Event
from handlers.pricing import promotions


async def on_order_cancelled(event: Event[e.OrderCancelledData], services: EventServices) -> None:
    """Gives the promo code of an order that ended back. May be done twice."""
    code = event.data.get("promo_code")
    if code is not None:
        await promotions.release(services.store, code, event.data["order_id"])
