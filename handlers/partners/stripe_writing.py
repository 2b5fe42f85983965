"""What is sent to Stripe, typed by its library: parameters of an order's payment intent and of a refund. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from handlers.partners.payments import IntentOrder, RefundOrder
from handlers.partners.stripe_reading import stripe_amount

if TYPE_CHECKING:
    from stripe.params import PaymentIntentCreateParams, PaymentIntentCreateParamsShipping, RefundCreateParams

# Reference, Create a PaymentIntent, statement_descriptor_suffix: at most 22 signs with the account's prefix.
_MAX_SUFFIX: Final = 18
_NOT_IN_SUFFIX: Final = re.compile(r"[^A-Za-z0-9 .-]")
_ADDRESS: Final = ("line1", "line2", "city", "state", "postal_code", "country")
_REASONS: Final = frozenset({"duplicate", "fraudulent", "requested_by_customer"})


def intent_params(order: IntentOrder) -> PaymentIntentCreateParams:
    """A payment intent that any method of the shop's dashboard may pay, PayPal too. Raises `AmountNotPayable`."""
    params: PaymentIntentCreateParams = {
        "amount": stripe_amount(order.amount, order.currency),
        "currency": order.currency.lower(),
        "automatic_payment_methods": {"enabled": True},
        "description": f"Order {order.order_number}",
        "metadata": {"order_id": order.order_id, "order_number": order.order_number},
        "statement_descriptor_suffix": _NOT_IN_SUFFIX.sub("", order.order_number)[-_MAX_SUFFIX:],
    }
    if order.email is not None:
        params["receipt_email"] = order.email
    if order.customer is not None:
        params["customer"] = order.customer
    if order.address is not None:
        params["shipping"] = _shipping(order.address)
    return params


def refund_params(order: RefundOrder) -> RefundCreateParams:
    """A refund that can be recognised by our id. Stripe knows three reasons only; ours is in the metadata."""
    params: RefundCreateParams = {
        "payment_intent": order.intent_id,
        "amount": stripe_amount(order.amount, order.currency),
        "metadata": {"refund_id": order.refund_id, "order_id": order.order_id, "reason": order.reason},
    }
    params["reason"] = order.reason if order.reason in _REASONS else "requested_by_customer"
    return params


def _shipping(address: Mapping[str, Any]) -> PaymentIntentCreateParamsShipping:
    shipping: PaymentIntentCreateParamsShipping = {
        "name": address["name"],
        "address": {name: address[name] for name in _ADDRESS if address.get(name)},  # type: ignore[typeddict-item]  # keys are from a table
    }
    if address.get("phone"):
        shipping["phone"] = address["phone"]
    return shipping
