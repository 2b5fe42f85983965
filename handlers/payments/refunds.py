"""Returning money: held here first, then asked of the provider, then written with its event.

    requested   held: it counts against what may be refunded; the provider may or may not know of it
    pending     the provider has accepted it (`RefundProcessed`) and has not settled it
    succeeded   settled
    failed      refused, or come back from the customer's bank (`RefundFailed`); it counts no more

Every function may be called again. All raise `PartnerUnavailable` when the provider cannot tell; the refund then stays
`requested`, and the same call again, or `resume`, goes on with it without paying twice (decision 67).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Literal

from handlers.contract.services import EventServices
from handlers.partners.breaker import PartnerUnavailable
from handlers.partners.payments import PaymentRefused, ProviderRefund, RefundOrder
from handlers.payments import messages, rules, store
from handlers.payments.call_off_unshipped import call_off_unshipped
from handlers.payments.rules import Cause, RefundRequest
from handlers.payments.states import is_paid, refunds_happened, step
from handlers.platform.audit import Actor, Changes, audit_row
from handlers.platform.clock import timestamp
from handlers.platform.concurrency import retrying
from handlers.platform.errors import Problem, conflict, not_found, unprocessable
from handlers.platform.money import major_units
from handlers.platform.store.port import Create, DocumentExists, Operation, VersionConflict

log = logging.getLogger(__name__)

EventName = Literal["RefundProcessed", "RefundFailed"]

Json = dict[str, Any]


async def refund(services: EventServices, request: RefundRequest, cause: Cause, *rows: Operation) -> Json:
    """Returns money, once for each refund id; answers the refund's document. `rows` are written with its beginning.

    Raises `Problem`: 404 no payment, 409 `order_state_invalid` nothing was paid, 422 `refund_exceeds_payment`,
    `idempotency_key_reused`.
    """
    known = await store.read(services.store, request.order_id, request.refund_id)
    if known is not None:
        rules.check_same_refund(known, request)
        return await resume(services, known, cause)
    await _take_in_foreign(services, request, cause)
    held = await _held(services, request, cause, rows)
    await call_off_unshipped(services, held, cause)
    return await _asked(services, held, cause, resumed=False)


async def _take_in_foreign(services: EventServices, request: RefundRequest, cause: Cause) -> None:
    """Before staff return all that is left: refunds made at the provider's own pages, of which nothing was heard yet.

    For then the parcel is called off before the provider is asked, and a refusal would come too late to change nothing.
    """
    payment = await store.payment_of(services.store, request.order_id)
    if request.created_by is None or payment is None or not is_paid(payment["status"]) or payment["amount"] == 0:
        return
    if request.amount is not None and request.amount < payment["amount"] - payment["refund_held"]:
        return
    # Without the provider the refund is held and goes on later, as it would without this look.
    with suppress(PartnerUnavailable):
        await sync(services, payment, cause)


async def resume(services: EventServices, refund: Json, cause: Cause) -> Json:
    """Goes on with a refund that was begun before."""
    if refund["status"] != "requested":
        return refund
    return await _asked(services, refund, cause, resumed=True)


async def sync(services: EventServices, payment: Json, cause: Cause, *rows: Operation) -> None:
    """Reads the refunds of a payment at the provider and writes what is new; `rows` go into the first batch.

    One that was made at the provider's own pages is taken in: the money has left.
    """
    found = await services.gateway.refunds_of(payment["payment_intent_id"])
    for each in reversed(found):
        refund_id = each.refund_id or each.id
        known = await store.read(services.store, payment["order_id"], refund_id)
        if known is None:
            known = await _adopt(services, payment, each, refund_id, cause)
        await _settle(services, known, each, cause, rows)
        rows = ()
    if rows:
        await store.change(services.store, payment["order_id"], payment["id"], lambda *_: ((), rows))


async def _held(services: EventServices, request: RefundRequest, cause: Cause, rows: Sequence[Operation]) -> Json:
    """Holds the amount and writes the refund as requested."""

    async def attempt() -> Json:
        payment = await store.payment_of(services.store, request.order_id)
        amount = _amount(payment, request)
        assert payment is not None  # noqa: S101 - else there is no amount
        wanted = rules.new_refund(request, payment, amount, cause, timestamp(services.clock.now()))
        if not await store.hold(services.store, payment, wanted, rows):
            # Another refund was faster; what is left now decides.
            raise VersionConflict("held by another refund")
        return wanted

    try:
        return await retrying(attempt)
    except DocumentExists:
        known = await store.read(services.store, request.order_id, request.refund_id)
        if known is None:
            raise
        rules.check_same_refund(known, request)
        return known


def _amount(payment: Json | None, request: RefundRequest) -> int:
    """How much to return, in minor units. Raises `Problem`."""
    if payment is None:
        raise not_found("Payment", order_id=request.order_id)
    if not is_paid(payment["status"]) or payment["amount"] == 0:
        raise rules.nothing_paid()
    left = payment["amount"] - payment["refund_held"]
    amount = left if request.amount is None else request.amount
    if not 0 < amount <= left:
        raise _exceeds(left, payment["currency"])
    return amount


def _exceeds(left: int, currency: str) -> Problem:
    return unprocessable(
        "More than is left of the payment", "refund_exceeds_payment", refundable=major_units(left, currency)
    )


async def _asked(services: EventServices, refund: Json, cause: Cause, *, resumed: bool) -> Json:
    order = RefundOrder(
        refund_id=refund["refund_id"],
        order_id=refund["order_id"],
        intent_id=refund["payment_intent_id"],
        amount=refund["amount"],
        currency=refund["currency"],
        reason=refund["reason"],
        resumed=resumed,
    )
    try:
        found = await services.gateway.refund(order)
    except PaymentRefused as refused:
        await _settle(services, refund, None, cause)
        # The provider may know of refunds that we do not: made at its own pages, their message late or lost.
        payment = await store.read(services.store, refund["order_id"], refund["payment_intent_id"])
        assert payment is not None  # noqa: S101 - the refund was written beside it
        await sync(services, payment, cause)
        if refused.reason == "exceeds":
            payment = await store.read(services.store, refund["order_id"], refund["payment_intent_id"]) or payment
            raise _exceeds(payment["amount"] - payment["refund_held"], refund["currency"]) from None
        raise conflict("The payment provider refuses this refund", "order_state_invalid", code=refused.code) from None
    return await _settle(services, refund, found, cause)


async def _settle(
    services: EventServices,
    refund: Json,
    found: ProviderRefund | None,
    cause: Cause,
    rows: Sequence[Operation] = (),
) -> Json:
    """Writes what became of a refund; None: the provider refused it."""
    now, refund_id = timestamp(services.clock.now()), refund["refund_id"]

    def edit(payment: Json, others: dict[str, Json]) -> tuple[Sequence[str], Sequence[Operation]]:
        refund = others[refund_id]
        status = found.status if found is not None else "failed"
        before = refund["status"]
        if before in (status, "failed") or (before, status) == ("succeeded", "pending"):
            return (), rows
        refund |= {"status": status, "updated_at": now}
        if found is not None:
            refund["stripe_id"] = found.id
        _count(payment, refund, before)
        payment["updated_at"] = now
        return (payment["id"], refund_id), (*rows, *_told(services, payment, refund, before, cause))

    order_id, payment_id = refund["order_id"], refund["payment_intent_id"]
    _, others = await store.change(services.store, order_id, payment_id, edit, also=(refund_id,))
    if others[refund_id]["status"] == "failed" and refund["status"] not in ("requested", "failed"):
        log.warning("a refund has come back", extra={"order_id": order_id, "refund": refund_id})
    return others[refund_id]


def _told(services: EventServices, payment: Json, refund: Json, before: str, cause: Cause) -> Sequence[Operation]:
    """The rows that tell of a refund: once it is accepted, and when its money has come back to us, people too."""
    if refund["status"] != "failed":
        return [_event(services, payment, refund, "RefundProcessed", cause)] if before == "requested" else []
    if before == "requested":
        return []
    changes: Changes = {"refund_id": (None, refund["id"]), "status": (before, "failed")}
    return [
        _event(services, payment, refund, "RefundFailed", cause),
        audited(services, payment, "refund_failed", changes),
    ]


def audited(services: EventServices, payment: Json, action: str, changes: Changes) -> Create:
    """The row of the audit log for something that has happened at the provider."""
    return audit_row(
        store.CONTAINER,
        payment,
        Actor("system"),
        entity_type="payment",
        entity_id=payment["id"],
        action=action,
        changes=changes,
        clock=services.clock,
    )


def _count(payment: Json, refund: Json, before: str) -> None:
    """Counts a refund that was accepted, and counts one back that failed; in place."""
    amount, failed = refund["amount"], refund["status"] == "failed"
    if failed:
        payment["refund_held"] -= amount
    if before == "requested" and not failed:
        payment["refunded"] += amount
    elif before != "requested" and failed:
        payment["refunded"] -= amount
    found = step(payment["status"], refunds_happened(payment["amount"], payment["refunded"]))
    if found is not None:
        payment["status"] = found.state


def _event(services: EventServices, payment: Json, refund: Json, name: EventName, cause: Cause) -> Create:
    data = messages.refund_failed if name == "RefundFailed" else messages.refund_processed
    return services.outbox.row(
        store.CONTAINER,
        payment,
        event_type=name,
        data=data(payment, refund, payment["updated_at"]),
        correlation_id=cause.correlation_id,
        causation_id=cause.causation_id,
    )


async def _adopt(services: EventServices, payment: Json, found: ProviderRefund, refund_id: str, cause: Cause) -> Json:
    """Writes a refund that the provider knows and we do not. It is held whatever is left: the money is gone."""
    request = RefundRequest(refund_id=refund_id, order_id=payment["order_id"], reason="requested_by_customer")
    adopted = rules.new_refund(request, payment, found.amount, cause, timestamp(services.clock.now()))

    def edit(current: Json, _: dict[str, Json]) -> tuple[Sequence[str], Sequence[Operation]]:
        current["refund_held"] += found.amount
        return (current["id"],), (Create(adopted),)

    with suppress(DocumentExists):
        await store.change(services.store, payment["order_id"], payment["id"], edit)
    return adopted
