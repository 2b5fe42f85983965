"""An order's parcel is called off before the order ends: the shipment's document decides who was faster.

What the call-off writes, it writes with `ShipmentCancelled` in one batch, guarded by the etag of what was read. So a
hand-over that comes first refuses the call-off, one that comes later is refused; and an order whose end was not written
any more (its process died in between) ends by the event. Where nothing is booked yet, the place is taken.
"""

from __future__ import annotations

from typing import Any

from handlers.contract.parcels import CallOff
from handlers.contract.services import EventServices
from handlers.platform.clock import moment, timestamp
from handlers.platform.concurrency import retrying, settled
from handlers.platform.ids import new_id
from handlers.platform.store.port import Create, Document, DocumentExists, Operation, Replace, VersionConflict
from handlers.shipments import changes, states, store

Json = dict[str, Any]


async def call_off_parcel(services: EventServices, wanted: CallOff) -> bool:
    """Has no parcel leave for an order any more; False when it is with the carrier. May be asked again.

    Raises what the store raises; nothing is half done then.
    """

    async def attempt() -> bool:
        found = await store.of_order(services.store, wanted.order_id)
        if found is not None and found.data["called_off"]:
            return not store.is_shipment(found) or not states.is_handed_over(found.data)
        if found is not None and store.is_shipment(found) and not states.may_be_called_off(found.data):
            return False
        await settled(services.store, store.CONTAINER, wanted.order_id, _batch(services, found, wanted))
        return True

    return await retrying(attempt, on=(VersionConflict, DocumentExists))


def _batch(services: EventServices, found: Document | None, wanted: CallOff) -> list[Operation]:
    after = _called_off(services, found, wanted.order_id)
    row = services.outbox.row(
        store.CONTAINER,
        after,
        event_type="ShipmentCancelled",
        data=_data(after, wanted, timestamp(services.clock.now())),
        correlation_id=wanted.correlation_id,
        causation_id=wanted.causation_id,
    )
    return [Create(after) if found is None else Replace(after, if_match=found.etag), row]


def _called_off(services: EventServices, found: Document | None, order_id: str) -> Json:
    if found is None:
        return store.place_taken(order_id, called_off=True)
    if not store.is_shipment(found):
        return {**found.data, "called_off": True}
    # The clocks of two machines differ, and events follow each other all the same.
    now = max(services.clock.now(), moment(found.data["events"][-1]["timestamp"]))
    return changes.settle(states.cancelled(found.data, event_id=new_id("event"), now=now))


def _data(after: Json, wanted: CallOff, now: str) -> Json:
    data = {
        "order_id": wanted.order_id,
        "user_id": wanted.user_id,
        "reason": wanted.reason,
        "cancelled_by": wanted.cancelled_by,
        "cancelled_at": now,
    }
    names = ("shipment_id", "carrier", "tracking_number")
    return {**data, **{name: after[name] for name in names if name in after}}
