"""The shipment documents: container `shipments`, partition `/order_id`, one for each order."""

from __future__ import annotations

from typing import Final

from handlers.platform.store.port import Document, DocumentStore
from handlers.shipments.rules import shipment_id_of

CONTAINER: Final = "shipments"


async def of_order(store: DocumentStore, order_id: str) -> Document | None:
    """The shipment of an order, or the note that there will be none (`called_off`). One point read."""
    return await store.read(CONTAINER, order_id, shipment_id_of(order_id))
