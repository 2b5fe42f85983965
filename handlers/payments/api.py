"""Operations of the tag `payments`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import MISSING

from generated import models as m
from generated import params as p
from generated import views as v
from handlers.contract.acting import actor_of
from handlers.contract.call import Call
from handlers.orders import store as orders
from handlers.partners.breaker import PartnerUnavailable
from handlers.partners.payments import Intent, PaymentRefused
from handlers.payment_methods import store as payment_methods
from handlers.payments import process, refunds, rules, store, views
from handlers.payments.events import payable_of
from handlers.payments.hook import receive_stripe_webhook
from handlers.payments.owners import find_own, own_order, payable_order
from handlers.payments.rules import Cause, RefundRequest
from handlers.platform.audit import audit_row
from handlers.platform.errors import Problem, not_found, unprocessable
from handlers.platform.idempotency import Once, Replayed
from handlers.platform.money import AmountNotExact, minor_units
from handlers.platform.store.port import Operation

__all__ = ["confirm_payment", "create_payment_intent", "receive_stripe_webhook", "refund_payment"]

_TOO_MUCH: Final = 10**12


async def create_payment_intent(
    _: p.CreatePaymentIntentParameters, body: m.PaymentIntentCreate, call: Call
) -> v.PaymentIntent:
    """The payment intent of an order, the same one however often it is asked for."""
    email = body.email if body.email is not MISSING else None
    order = await payable_order(call, body.order_id, email, body.amount)
    payable = payable_of(order)
    rules.check_costs(payable.amount)
    once = await _begun(call, body.order_id)
    customer = await payment_methods.customer_of(call.services.store, order["user_id"])
    try:
        result = await process.prepare(call.services, payable, Cause(call.request_id), customer=customer)
    except PartnerUnavailable as error:
        raise rules.provider_away(error.retry_after) from None
    except PaymentRefused as refused:
        raise rules.refused_by_provider(refused) from None
    if result.client_secret is None:
        # It was paid, or has ended, since the order was looked at.
        raise rules.not_payable(result.payment)
    if once is not None:
        # That it was done is kept, and not the client secret: a repetition reads that again.
        await _remember(call, body.order_id, once, {"payment_intent_id": result.payment["id"]})
    return views.intent_view(result.payment, result.client_secret, order.get("payment_due_at"))


async def confirm_payment(body: m.PaymentConfirm, call: Call) -> v.Payment:
    """Confirms a payment, or reads what the browser has confirmed. Safe to repeat."""
    email = body.email if body.email is not MISSING else None
    try:
        intent = await _intent(body.payment_intent_id, call)
        order_id = intent.order_id or ""
        order = await find_own(call, order_id, email)
        if order is None:
            raise _no_intent(intent.id)
        method_id = await _method_of(body, order, call)
        result = await process.confirm(
            call.services, order_id, intent.id, Cause(call.request_id), method_id=method_id, seen=intent
        )
    except PartnerUnavailable as error:
        raise rules.provider_away(error.retry_after) from None
    rules.check_result(result.payment, decline=result.decline, in_doubt=result.in_doubt)
    return views.payment_view(result.payment, (await own_order(call, order_id, email))["status"])


async def refund_payment(_: p.RefundPaymentParameters, body: m.RefundCreate, call: Call) -> v.Refund:
    """Returns money, audited, one refund for each key. What the provider does not say is answered as pending."""
    if await orders.owner_of(call.services.store, body.order_id) is None:
        raise not_found("Order", order_id=body.order_id)
    once = await call.once(store.CONTAINER, body.order_id)
    assert call.key is not None  # noqa: S101 - the contract requires the header
    refund_id = f"refund-{call.key.row_id[-28:]}"
    payment = await store.payment_of(call.services.store, body.order_id)
    if payment is None:
        raise rules.nothing_paid()
    amount = _units(body.amount, payment["currency"]) if body.amount is not MISSING else None
    rules.check_refundable(amount or 0, payment["currency"])
    request = RefundRequest(
        refund_id=refund_id,
        order_id=body.order_id,
        reason=body.reason,
        amount=amount,
        note=body.note if body.note is not MISSING else None,
        created_by=call.principal.id,
        digest=call.key.digest,
    )
    audit = audit_row(
        store.CONTAINER,
        payment,
        actor_of(call),
        entity_type="payment",
        entity_id=payment["id"],
        action="payment_refunded",
        changes={
            "refund_id": (None, refund_id),
            "reason": (None, body.reason),
            **({"amount": (None, body.amount)} if body.amount is not MISSING else {}),
            **({"note": (None, body.note)} if body.note is not MISSING else {}),
        },
        clock=call.services.clock,
    )
    try:
        made = await refunds.refund(call.services, request, Cause(call.request_id), audit)
    except PartnerUnavailable as error:
        # Begun, and `reconcile` goes on with it. The key stays free, so that a repetition goes on with it as well.
        begun = await store.read(call.services.store, body.order_id, refund_id)
        if begun is None:
            raise rules.provider_away(error.retry_after) from None
        return views.refund_view(begun)
    if made["status"] == "failed":
        raise rules.refund_has_failed(refund_id)
    view = views.refund_view(made)
    await _remember(call, body.order_id, once, view)
    return view


async def _method_of(body: m.PaymentConfirm, order: Mapping[str, Any], call: Call) -> str | None:
    """The method to confirm with, by its id at Stripe. Raises `Problem` 422 unless a saved one is the caller's."""
    given = body.payment_method if body.payment_method is not MISSING else None
    if body.payment_method_id is MISSING:
        return given
    saved = None
    if given is None and call.principal.id == order["user_id"]:
        saved = await payment_methods.find(call.services.store, order["user_id"], body.payment_method_id)
    if saved is None:
        raise unprocessable("This payment method cannot be used", "payment_method_invalid")
    return str(saved[0]["stripe_id"])


async def _intent(intent_id: str, call: Call) -> Intent:
    try:
        return await call.services.gateway.retrieve(intent_id)
    except PaymentRefused:
        raise _no_intent(intent_id) from None


def _no_intent(intent_id: str) -> Problem:
    """404, the same for one that is not there and one of somebody else's."""
    return not_found("Payment intent", payment_intent_id=intent_id)


async def _begun(call: Call, order_id: str) -> Once | None:
    """The request under way; None when it was answered before, and is to be answered again."""
    try:
        return await call.once(store.CONTAINER, order_id)
    except Replayed:
        return None


async def _remember(call: Call, order_id: str, once: Once, answer: object) -> None:
    operations: list[Operation] = once.remember(answer)
    if operations:
        await call.services.store.batch(store.CONTAINER, order_id, operations)


def _units(amount: float, currency: str) -> int:
    """The amount in minor units. One that does not come out even is more than can be left of anything."""
    try:
        return minor_units(amount, currency)
    except AmountNotExact:
        return _TOO_MUCH
