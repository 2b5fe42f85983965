"""Payments and refunds as callers see them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from generated import views as v
from handlers.payments.states import shown
from handlers.platform.money import major_units


def intent_view(payment: Mapping[str, Any], client_secret: str, expires_at: str | None = None) -> v.PaymentIntent:
    """A payment to make, for the customer's browser."""
    view: v.PaymentIntent = {
        "payment_intent_id": payment["payment_intent_id"],
        "order_id": payment["order_id"],
        "client_secret": client_secret,
        "status": shown(payment["status"]),
        "amount": major_units(payment["amount"], payment["currency"]),
        "currency": payment["currency"],
    }
    if expires_at is not None:
        view["expires_at"] = expires_at
    return view


def refund_view(refund: Mapping[str, Any]) -> v.Refund:
    """A refund, for staff."""
    view: v.Refund = {
        "refund_id": refund["refund_id"],
        "order_id": refund["order_id"],
        "payment_intent_id": refund["payment_intent_id"],
        "amount": major_units(refund["amount"], refund["currency"]),
        "currency": refund["currency"],
        "reason": refund["reason"],
        "status": "pending" if refund["status"] == "requested" else refund["status"],
        "created_at": refund["created_at"],
    }
    for name in ("return_id", "note", "created_by"):
        if refund[name] is not None:
            view[name] = refund[name]
    return view


def payment_view(payment: Mapping[str, Any], order_status: Any) -> v.Payment:
    """A payment, for who pays. `order_status`: where its order stands."""
    currency = payment["currency"]
    view: v.Payment = {
        "payment_intent_id": payment["payment_intent_id"],
        "order_id": payment["order_id"],
        "status": shown(payment["status"]),
        "order_status": order_status,
        "amount": major_units(payment["amount"], currency),
        "amount_refunded": major_units(payment["refunded"], currency),
        "currency": currency,
        "created_at": payment["created_at"],
    }
    for name in ("method", "brand", "last4", "paid_at"):
        if payment.get(name) is not None:
            view[name] = payment[name]
    return view
