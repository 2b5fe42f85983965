"""Documents and refusals of payments and refunds. Pure. Amounts are in minor units until they leave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from handlers.orders.rules import without_person
from handlers.partners.payable_amounts import payable_unit
from handlers.partners.payments import Decline, Intent, IntentOrder, PaymentRefused, tellable_code
from handlers.payments import attempts
from handlers.payments.states import State, is_open, is_paid
from handlers.platform.errors import Problem, conflict, unavailable, unprocessable
from handlers.platform.events import Event
from handlers.platform.money import AmountNotExact, major_units, minor_units

Json = dict[str, Any]
ABANDONED: Final = Decline("abandoned", "The order was not paid in time.")
STOPPED: Final = Decline("abandoned", "The payment was ended at the payment provider.")
MAX_MESSAGE: Final = 300

_PAID_ORDERS: Final = frozenset({"paid", "processing", "shipped", "delivered", "completed", "refunded"})
# Stripe documentation: Error codes.
_BOUNDS: Final[dict[str, Literal["total_too_small", "total_too_large"]]] = {
    "amount_too_small": "total_too_small",
    "amount_too_large": "total_too_large",
}
_PLACE: Final = ("line1", "line2", "city", "state", "postal_code", "country")


@dataclass(frozen=True, slots=True, kw_only=True)
class Payable:
    """An order, as far as paying it and telling of it needs to know. It never changes while the order is unpaid.

    `amount`: the total in minor units. `items`: product_id, variant_id, sku, quantity. `address`: the contract's, with
    the name. `email`: for Stripe's receipt.
    """

    order_id: str
    order_number: str
    user_id: str
    amount: int
    currency: str
    items: Sequence[Mapping[str, Any]]
    address: Mapping[str, Any]
    shipping_method: Literal["standard", "express", "overnight"]
    weight: Mapping[str, Any] | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Cause:
    """What something is done for: the request's id, and the event or message that it follows from."""

    correlation_id: str
    causation_id: str | None = None

    @classmethod
    def of(cls, event: Event[Any]) -> Cause:
        """An event as the cause."""
        return cls(event.correlation_id, event.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundRequest:
    """A refund to make, once for each `refund_id`. Without `amount` (minor units): all that is left.

    `digest`: of the request that asked for it; one with another digest is not the same refund.
    """

    refund_id: str
    order_id: str
    reason: str
    amount: int | None = None
    note: str | None = None
    return_id: str | None = None
    created_by: str | None = None
    digest: str | None = None


def intent_order(payable: Payable, customer: str | None) -> IntentOrder:
    """What the provider is told of an order."""
    return IntentOrder(
        order_id=payable.order_id,
        order_number=payable.order_number,
        amount=payable.amount,
        currency=payable.currency,
        email=payable.email,
        customer=customer,
        address=payable.address,
    )


def unprepared(payable: Payable, cause: Cause, now: str) -> Json:
    """The document that stands in the place of a payment which the provider never hears of; it has no intent."""
    return new_payment(payable, f"unpaid-{payable.order_id}", cause, now) | {"payment_intent_id": None}


def new_payment(payable: Payable, intent_id: str, cause: Cause, now: str, state: State = "created") -> Json:
    """The document of a payment that has been prepared. `attempts`: how many have had an outcome."""
    return {
        "id": intent_id,
        "type": "payment",
        "payment_intent_id": intent_id,
        "order_id": payable.order_id,
        "user_id": payable.user_id,
        "status": state,
        "amount": payable.amount,
        "currency": payable.currency,
        "refund_held": 0,
        "refunded": 0,
        "attempts": 0,
        "failure": None,
        "method": None,
        "brand": None,
        "last4": None,
        "order": {
            "order_number": payable.order_number,
            "items": [dict(each) for each in payable.items],
            "address": {name: payable.address[name] for name in _PLACE if payable.address.get(name)},
            "shipping_method": payable.shipping_method,
            "weight": dict(payable.weight) if payable.weight is not None else None,
        },
        "correlation_id": cause.correlation_id,
        "created_at": now,
        "updated_at": now,
    }


def forgotten(payment: Mapping[str, Any]) -> Json:
    """A payment without the person, once that was asked for and nothing is to be told of it any more."""
    if not payment.get("forget") or is_open(payment["status"]):
        return dict(payment)
    order = {**payment["order"], "address": without_person(payment["order"]["address"])}
    return {**payment, "order": order, "brand": None, "last4": None, "failure": None}


def new_refund(request: RefundRequest, payment: Mapping[str, Any], amount: int, cause: Cause, now: str) -> Json:
    """The document of a refund that the provider has not been asked for yet."""
    return {
        "id": request.refund_id,
        "type": "refund",
        "refund_id": request.refund_id,
        "order_id": payment["order_id"],
        "user_id": payment["user_id"],
        "payment_intent_id": payment["payment_intent_id"],
        "stripe_id": None,
        "status": "requested",
        "amount": amount,
        "currency": payment["currency"],
        "reason": request.reason,
        "note": request.note,
        "return_id": request.return_id,
        "created_by": request.created_by,
        "digest": request.digest,
        "correlation_id": cause.correlation_id,
        "created_at": now,
        "updated_at": now,
    }


def paid_with(payment: Json, intent: Intent) -> None:
    """Notes what a payment was made with."""
    if intent.method is not None:
        payment |= {"method": intent.method.type, "brand": intent.method.brand, "last4": intent.method.last4}


# --- refusals
def check_amount(totals: Mapping[str, Any], amount: float) -> None:
    """Raises `Problem` 422 unless the amount is the total (decision 34)."""
    currency = totals["currency"]
    try:
        same = minor_units(amount, currency) == minor_units(totals["total"], currency)
    except AmountNotExact:
        same = False
    if not same:
        raise unprocessable("The amount is not the order's total", "amount_mismatch", total=totals["total"])


def check_payable(order_status: str) -> None:
    """Raises `Problem` unless an order waits for its payment: 409, and 422 when it was declined too often."""
    if order_status in _PAID_ORDERS:
        raise conflict("This order is paid", "payment_already_made", status=order_status)
    if order_status == "payment_failed":
        raise too_often()
    if order_status != "awaiting_payment":
        raise conflict("This order cannot be paid", "order_state_invalid", status=order_status)


def not_payable(payment: Mapping[str, Any]) -> Problem:
    """409: the payment has ended; 422 when that is because it was declined too often."""
    if is_paid(payment["status"]):
        return conflict("This order is paid", "payment_already_made")
    if not attempts.left(payment):
        return too_often()
    return conflict("This order cannot be paid any more", "order_state_invalid")


def check_refundable(amount: int, currency: str) -> None:
    """Raises `Problem` 422 for an amount that the provider cannot return in this currency."""
    unit = payable_unit(currency)
    if amount % unit:
        multiple = major_units(unit, currency)
        raise unprocessable("Amounts in this currency are rounder", "amount_not_payable", multiple_of=multiple)


def refused_by_provider(refused: PaymentRefused) -> Problem:
    """422: the provider does not take the total, by a bound that only it knows. Raises what it refused for else."""
    rule = _BOUNDS.get(refused.code)
    if rule is None:
        raise refused
    return unprocessable("The payment provider does not take this total", rule)


def check_costs(amount: int) -> None:
    """Raises `Problem` 409 for an order that costs nothing: it is paid without a payment provider."""
    if amount == 0:
        raise conflict("This order costs nothing", "payment_already_made")


def check_same_refund(refund: Mapping[str, Any], request: RefundRequest) -> None:
    """Raises `Problem` 422 when a refund was begun by another request under the same key.

    Kept on the refund itself: the row of the key goes when its request fails, the money may have moved all the same.
    """
    known = refund.get("digest")
    if known is not None and request.digest is not None and known != request.digest:
        raise unprocessable("This key was used with another request", "idempotency_key_reused")


def nothing_paid() -> Problem:
    """409: there is nothing to refund."""
    return conflict("This order was not paid", "order_state_invalid")


def refund_has_failed(refund_id: str) -> Problem:
    """409: this refund was refused or its money came back; its key makes no other."""
    return conflict("This refund has failed; ask again under a new key", "order_state_invalid", refund_id=refund_id)


def too_often() -> Problem:
    """422: so many attempts to pay this order have failed that it has ended."""
    return unprocessable(
        "Too many attempts to pay this order have failed", "payment_attempts_exceeded", limit=attempts.MAX_FAILED
    )


def declined(payment: Mapping[str, Any], decline: Decline) -> Problem:
    """422: this attempt was declined; others may be left."""
    return unprocessable(
        decline.message[:MAX_MESSAGE],
        "payment_declined",
        decline_code=tellable_code(decline.code),
        attempts_left=attempts.left(payment),
    )


def check_result(payment: Mapping[str, Any], *, decline: Decline | None, in_doubt: bool) -> None:
    """Raises what a confirmation that did not succeed is answered with."""
    if decline is not None:
        raise declined(payment, decline)
    if in_doubt:
        raise provider_away()
    if payment["status"] == "requires_action":
        raise unprocessable("The customer must authenticate", "payment_authentication_required")
    if payment["status"] in ("failed", "cancelled"):
        raise not_payable(payment)


def provider_away(retry_after: int = 1) -> Problem:
    """503: the provider cannot be reached, or nobody can tell yet what has become of a request."""
    return unavailable("The payment provider cannot be reached", retry_after=retry_after)
