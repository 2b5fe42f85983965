"""Customers are written to about their parcels, at the address or number of the order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.contract.services import EventServices
from handlers.orders import store as orders
from handlers.partners.breaker import PartnerUnavailable
from handlers.platform.errors import not_found, unprocessable
from handlers.shipments import letters


async def mailed(services: EventServices, shipment: Mapping[str, Any], kind: letters.Kind, message: str | None) -> str:
    """Sends a mail; answers where it went, partly hidden. Raises `Problem` 404 for a customer who has left."""
    order = await orders.read(services.store, shipment["user_id"], shipment["order_id"])
    if order is None or order.data.get("anonymised_at") is not None:
        raise not_found("Customer", shipment_id=shipment["shipment_id"])
    to = order.data["email"]
    await services.mailer.send(letters.mail(to, shipment, kind, message))
    return letters.masked_mail(to)


async def texted(services: EventServices, shipment: Mapping[str, Any], kind: letters.Kind, message: str | None) -> str:
    """Sends a text message; answers where it went, partly hidden. Raises `Problem` 422 `phone_missing`."""
    to = shipment["destination"].get("phone")
    if to is None:
        raise unprocessable("This customer has given no telephone number", "phone_missing")
    if services.texter is None:
        raise PartnerUnavailable("Text messages are not set up")
    await services.texter.send(letters.text(to, shipment, kind, message))
    return letters.masked_phone(to)
