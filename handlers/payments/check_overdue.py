"""What the payment of an order says before the order ends unpaid: own document first, then the provider (decision 74).

The intent is closed at the provider before the order ends, so nobody can pay an order that is about to be cancelled.
"""

from __future__ import annotations

import logging
from typing import Any

from handlers.contract.services import EventServices
from handlers.orders.rules import Finding
from handlers.partners.breaker import PartnerUnavailable
from handlers.partners.payments import PaymentRefused
from handlers.payments import process, store
from handlers.payments.events import payable_of
from handlers.payments.process import Result
from handlers.payments.rules import Cause
from handlers.payments.states import is_open, is_paid
from handlers.platform.ids import new_id

log = logging.getLogger(__name__)

Json = dict[str, Any]


async def check_overdue(services: EventServices, order: Json) -> Finding | None:
    """What follows for an order whose payment is overdue. None: nobody can tell now, ask again.

    `payment_received`: it is paid, and the order has not heard of it. `payment_pending`: the provider has accepted it
    and not settled it yet. `payment_overdue`: it was not paid, and no longer can be.
    """
    payment = await store.payment_of(services.store, order["order_id"])
    if payment is not None and is_paid(payment["status"]):
        return _received(payment)
    try:
        result = await _closed(services, order, payment)
    except PartnerUnavailable as error:
        log.warning("an overdue payment cannot be looked at", extra={"reason": type(error).__name__})
        return None
    except PaymentRefused as refused:
        # The provider knows nothing of it, so nobody can have paid it.
        log.error("an overdue payment is not known", extra={"order_id": order["order_id"], "code": refused.code})  # noqa: TRY400 - the type and code alone: texts may hold what logs must not
        return Finding("payment_overdue")
    if result.in_doubt:
        return None
    if result.paid:
        return _received(result.payment)
    return Finding("payment_pending" if result.status == "processing" else "payment_overdue")


async def _closed(services: EventServices, order: Json, payment: Json | None) -> Result:
    """The payment as the provider knows it, closed where it is still open and nothing is on its way."""
    cause = Cause(new_id("overdue"))
    if payment is not None and is_open(payment["status"]):
        seen = await process.refresh(services, payment, cause)
        if seen.in_doubt or seen.paid or seen.status == "processing":
            return seen
    return await process.cancel(services, payable_of(order), cause)


def _received(payment: Json) -> Finding:
    """The order hears what `PaymentProcessed` says, or that the money has gone back already."""
    if payment["status"] == "refunded":
        return Finding("refunded_in_full")
    told = {"payment_intent_id": payment["payment_intent_id"], "method": payment["method"]}
    known = {name: value for name, value in told.items() if value is not None}
    return Finding("payment_received", {"payment": known, "paid_at": payment["paid_at"]})
