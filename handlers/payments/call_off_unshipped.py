"""A refund of everything ends an order that has not left: its parcel is called off before money moves (decision 75)."""

from __future__ import annotations

from typing import Any

from handlers.contract.parcels import CallOff
from handlers.contract.services import EventServices
from handlers.orders import store as orders
from handlers.orders.saga import CANCELLABLE
from handlers.payments import store
from handlers.payments.rules import Cause

Json = dict[str, Any]


async def call_off_unshipped(services: EventServices, refund: Json, cause: Cause) -> None:
    """Calls the parcel off where a refund of staff, held by now, leaves nothing of the payment.

    The order ends by `ShipmentCancelled` then. A parcel that is with the carrier goes on, and its order is refunded all
    the same: that is for staff to decide.
    """
    if refund.get("created_by") is None:
        return
    payment = await store.read(services.store, refund["order_id"], refund["payment_intent_id"])
    if payment is None or payment["refund_held"] < payment["amount"]:
        return
    order = await orders.find(services.store, refund["order_id"])
    if order is None or order.data["status"] not in CANCELLABLE:
        return
    wanted = CallOff(
        order_id=refund["order_id"],
        user_id=order.data["user_id"],
        reason="staff_request",
        cancelled_by="staff",
        correlation_id=cause.correlation_id,
        causation_id=cause.causation_id,
    )
    await services.call_off(services, wanted)
