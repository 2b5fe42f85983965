"""The data of the events that payments send, from their documents. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal

from generated import events as e
from handlers.payments import attempts
from handlers.payments.rules import MAX_MESSAGE
from handlers.platform.money import major_units

FailureCode = Literal[
    "card_declined",
    "insufficient_funds",
    "expired_card",
    "authentication_failed",
    "fraud_suspected",
    "processing_error",
    "abandoned",
]

# Stripe documentation: Decline codes. A lost or stolen card is a declined one, for whoever holds it.
_FAILURES: Final[dict[str, FailureCode]] = {
    "insufficient_funds": "insufficient_funds",
    "withdrawal_count_limit_exceeded": "insufficient_funds",
    "expired_card": "expired_card",
    "authentication_required": "authentication_failed",
    "payment_intent_authentication_failure": "authentication_failed",
    "fraudulent": "fraud_suspected",
    "merchant_blacklist": "fraud_suspected",
    "processing_error": "processing_error",
    "issuer_not_available": "processing_error",
    "abandoned": "abandoned",
}


def failure_code(decline: Mapping[str, Any] | None) -> FailureCode:
    """Why a payment failed, in the shop's terms (contract: PaymentFailureCode)."""
    return _FAILURES.get(decline["code"], "card_declined") if decline is not None else "abandoned"


def processed(payment: Mapping[str, Any], paid_at: str) -> e.PaymentProcessedData:
    """The data of `PaymentProcessed`."""
    order = payment["order"]
    data: e.PaymentProcessedData = {
        "order_id": payment["order_id"],
        "order_number": order["order_number"],
        "user_id": payment["user_id"],
        "amount": major_units(payment["amount"], payment["currency"]),
        "currency": payment["currency"],
        "items": order["items"],
        "shipping_address": order["address"],
        "shipping_method": order["shipping_method"],
        "paid_at": paid_at,
    }
    if payment["payment_intent_id"] is not None:
        data["payment_intent_id"] = payment["payment_intent_id"]
    if payment["method"] is not None:
        data["method"] = payment["method"]
    if order["weight"] is not None:
        data["weight"] = order["weight"]
    return data


def failed(payment: Mapping[str, Any], failed_at: str) -> e.PaymentFailedData:
    """The data of `PaymentFailed`."""
    failure = payment["failure"]
    data: e.PaymentFailedData = {
        "order_id": payment["order_id"],
        "user_id": payment["user_id"],
        "amount": major_units(payment["amount"], payment["currency"]),
        "currency": payment["currency"],
        "failure_code": failure_code(failure),
        "items": payment["order"]["items"],
        "failed_at": failed_at,
    }
    if payment["payment_intent_id"] is not None:
        data["payment_intent_id"] = payment["payment_intent_id"]
    if failure is not None and failure["message"]:
        data["failure_message"] = failure["message"][:MAX_MESSAGE]
    return data


def pending(payment: Mapping[str, Any], since: str) -> e.PaymentPendingData:
    """The data of `PaymentPending`."""
    return {
        "order_id": payment["order_id"],
        "user_id": payment["user_id"],
        "payment_intent_id": payment["payment_intent_id"],
        "pending_since": since,
    }


def attempt_failed(payment: Mapping[str, Any], failed_at: str) -> e.PaymentAttemptFailedData:
    """The data of `PaymentAttemptFailed`."""
    failure = payment["failure"]
    data: e.PaymentAttemptFailedData = {
        "order_id": payment["order_id"],
        "user_id": payment["user_id"],
        "payment_intent_id": payment["payment_intent_id"],
        "failure_code": failure_code(failure),
        "attempts": payment["attempts"],
        "attempts_left": attempts.left(payment),
        "failed_at": failed_at,
    }
    if failure["message"]:
        data["failure_message"] = failure["message"][:MAX_MESSAGE]
    return data


def refund_processed(payment: Mapping[str, Any], refund: Mapping[str, Any], at: str) -> e.RefundProcessedData:
    """The data of `RefundProcessed`."""
    data: e.RefundProcessedData = {
        "refund_id": refund["refund_id"],
        "order_id": refund["order_id"],
        "user_id": refund["user_id"],
        "payment_intent_id": refund["payment_intent_id"],
        "amount": major_units(refund["amount"], refund["currency"]),
        "currency": refund["currency"],
        "reason": refund["reason"],
        "amount_refunded": major_units(payment["refunded"], refund["currency"]),
        "fully_refunded": payment["refunded"] >= payment["amount"],
        "refunded_at": at,
    }
    if refund["return_id"] is not None:
        data["return_id"] = refund["return_id"]
    return data


def refund_failed(payment: Mapping[str, Any], refund: Mapping[str, Any], at: str) -> e.RefundFailedData:
    """The data of `RefundFailed`."""
    return {
        "refund_id": refund["refund_id"],
        "order_id": refund["order_id"],
        "user_id": refund["user_id"],
        "payment_intent_id": refund["payment_intent_id"],
        "amount": major_units(refund["amount"], refund["currency"]),
        "currency": refund["currency"],
        "amount_refunded": major_units(payment["refunded"], refund["currency"]),
        "failed_at": at,
    }
