"""Stripe's objects as ours: intents, payment methods, refunds, declines. Pure."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

import stripe

from handlers.partners.payable_amounts import AS_HUNDREDTHS, payable_unit
from handlers.partners.payments import (
    Decline,
    Intent,
    IntentStatus,
    Method,
    PaymentRefused,
    ProviderRefund,
    Reason,
    RefundStatus,
    SavedMethod,
)

Json = Mapping[str, Any]

log = logging.getLogger(__name__)

_BRANDS: Final = {
    "amex": "American Express",
    "diners": "Diners Club",
    "discover": "Discover",
    "eftpos_au": "eftpos",
    "jcb": "JCB",
    "link": "Link",
    "mastercard": "Mastercard",
    "unionpay": "UnionPay",
    "visa": "Visa",
}
_INTENTS: Final[dict[str, IntentStatus]] = {
    "requires_payment_method": "requires_payment_method",
    "requires_confirmation": "requires_confirmation",
    "requires_action": "requires_action",
    "processing": "processing",
    "requires_capture": "processing",
    "succeeded": "succeeded",
    "canceled": "cancelled",
}
_REFUNDS: Final[dict[str, RefundStatus]] = {
    "pending": "pending",
    "requires_action": "pending",
    "succeeded": "succeeded",
    "failed": "failed",
    "canceled": "failed",
}
_REASONS: Final[dict[str, Reason]] = {
    "charge_already_refunded": "exceeds",
    "payment_intent_unexpected_state": "state",
    "resource_already_exists": "taken",
}


class AmountNotPayable(ValueError):
    """Stripe cannot take this amount."""


def stripe_amount(units: int, currency: str) -> int:
    """Our minor units as Stripe counts them. Raises `AmountNotPayable` (three decimals: the last must be 0)."""
    if units % payable_unit(currency):
        raise AmountNotPayable(f"{units} {currency}")
    return units * 100 if currency in AS_HUNDREDTHS else units


def our_amount(units: int, currency: str) -> int:
    """Stripe's amount in our minor units."""
    return units // 100 if currency in AS_HUNDREDTHS else units


def intent_of(found: Json) -> Intent:
    """A payment intent, whose `latest_charge` may be expanded."""
    currency = found["currency"].upper()
    error = found.get("last_payment_error")
    charge = found.get("latest_charge")
    return Intent(
        id=found["id"],
        status=_status(found["status"]),
        amount=our_amount(found["amount"], currency),
        currency=currency,
        metadata=dict(found["metadata"]),
        client_secret=found["client_secret"] or "",
        decline=decline_of(error) if error else None,
        method=_charged(charge) if isinstance(charge, Mapping) and charge["paid"] else None,
    )


def _status(name: str) -> IntentStatus:
    """A status of Stripe's. One that is new to us is `processing`: neither paid nor over, so it is asked again."""
    status = _INTENTS.get(name)
    if status is None:
        log.error("a payment intent has a status that is not known here", extra={"status": name})
    return status or "processing"


def decline_of(error: Json) -> Decline:
    """Why an attempt failed, from an error object."""
    code = error.get("decline_code") or error.get("code") or "card_declined"
    return Decline(code, error.get("message") or "Your payment was declined.", error.get("charge"))


def saved_method(found: Json) -> SavedMethod:
    """A payment method. Raises `PaymentRefused` for a kind that we do not take."""
    kind = found["type"]
    customer = found.get("customer")
    if kind == "paypal":
        payer = found["paypal"].get("payer_id")
        return SavedMethod(found["id"], Method("paypal"), None, None, payer, customer)
    if kind != "card":
        raise PaymentRefused("invalid", "payment_method_unsupported", "This kind of payment method is not accepted.")
    card = found["card"]
    return SavedMethod(
        id=found["id"],
        method=_card(card),
        exp_month=card["exp_month"],
        exp_year=card["exp_year"],
        fingerprint=card.get("fingerprint"),
        customer=customer,
    )


def refund_of(found: Json) -> ProviderRefund:
    """A refund."""
    currency = found["currency"].upper()
    metadata = found.get("metadata") or {}
    return ProviderRefund(
        id=found["id"],
        refund_id=metadata.get("refund_id"),
        order_id=metadata.get("order_id"),
        intent_id=found.get("payment_intent"),
        amount=our_amount(found["amount"], currency),
        status=_REFUNDS.get(found["status"] or "pending", "pending"),
    )


def refused(error: stripe.StripeError) -> PaymentRefused:
    """What Stripe refused for good. The texts of card errors are made for customers, those of others are not."""
    code = error.code or "invalid_request"
    if isinstance(error, stripe.CardError):
        decline = decline_of(_error_object(error))
        return PaymentRefused("declined", decline.code, decline.message, decline.attempt)
    if "amount" in (getattr(error, "param", None) or ""):
        return PaymentRefused("exceeds", code, "More than is left of the payment.")
    return PaymentRefused(_REASONS.get(code, "invalid"), code, "The payment provider did not accept this.")


def declined_intent(error: stripe.CardError) -> Intent | None:
    """The payment intent that a card error is about."""
    found = _error_object(error).get("payment_intent")
    return intent_of(found) if isinstance(found, Mapping) else None


def _error_object(error: stripe.StripeError) -> Json:
    body = error.json_body
    found = body.get("error") if isinstance(body, dict) else None
    return found if isinstance(found, Mapping) else {}


def _charged(charge: Json) -> Method | None:
    details = charge.get("payment_method_details") or {}
    if details.get("type") == "paypal":
        return Method("paypal")
    return _card(details["card"]) if details.get("type") == "card" else None


def _card(card: Json) -> Method:
    brand = _BRANDS.get(card["brand"] or "", "Card")
    return Method("debit_card" if card.get("funding") == "debit" else "credit_card", brand, card["last4"])
