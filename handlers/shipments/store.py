"""The shipment documents: container `shipments`, partition `/order_id`, one for each order.

Before there is a shipment its place may be taken by a row of kind `booking`: what the built-in agent has booked, or the
note that no parcel is to be booked any more (`called_off`). All three have the same id, so that an order's end and its
parcel see each other, whichever comes first.
"""

from __future__ import annotations

from typing import Any, Final

from handlers.platform.store.claims import get_lookup, put_lookup
from handlers.platform.store.port import Document, DocumentStore
from handlers.shipments.rules import order_id_of, shipment_id_of

CONTAINER: Final = "shipments"
BOOKING: Final = "booking"
LOOKUP: Final = "shipment"

Json = dict[str, Any]


async def of_order(store: DocumentStore, order_id: str) -> Document | None:
    """What stands in the place of an order's shipment: the shipment, or a row of kind `booking`. One point read."""
    return await store.read(CONTAINER, order_id, shipment_id_of(order_id))


def is_shipment(found: Document | None) -> bool:
    """Whether it is a shipment by now."""
    return found is not None and "kind" not in found.data


async def find(store: DocumentStore, shipment_id: str) -> Document | None:
    """A shipment by its id. One point read for one that we have named, three for one of an agent's."""
    found = await of_order(store, order_id_of(shipment_id))
    if found is None:
        target = await get_lookup(store, LOOKUP, shipment_id)
        found = await of_order(store, target["order_id"]) if target is not None else None
    return found if found is not None and is_shipment(found) and found.data["shipment_id"] == shipment_id else None


async def note_whereabouts(store: DocumentStore, shipment_id: str, order_id: str) -> None:
    """Writes the look-up of a shipment whose id does not say its order. Before the shipment; may be done twice."""
    if shipment_id != shipment_id_of(order_id):
        await put_lookup(store, LOOKUP, shipment_id, {"order_id": order_id})


def place_taken(order_id: str, **more: Any) -> Json:
    """A row that stands in the place of an order's shipment."""
    return {"id": shipment_id_of(order_id), "kind": BOOKING, "order_id": order_id, **more}
