"""The data of the events that tell of orders. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from handlers.platform.money import major_units, minor_units

Json = dict[str, Any]

_PLACE: Final = ("line1", "line2", "city", "state", "postal_code", "country")


def created(order: Mapping[str, Any]) -> Json:
    """The data of `OrderCreated`."""
    data = {
        **_names(order),
        "items": order["items"],
        "totals": order["totals"],
        "shipping_address": place_of(order["shipping_address"]),
        "shipping_method": order["shipping"]["method"],
        "payment_choice": order["payment"]["choice"],
    }
    return {**data, "promo_code": order["promo_code"]} if "promo_code" in order else data


def cancelled(order: Mapping[str, Any], previous: Mapping[str, Any]) -> Json:
    """The data of `OrderCancelled`."""
    end = order["cancellation"]
    data = {
        **_names(order),
        "reason": end["reason"],
        "cancelled_by": end["cancelled_by"],
        "previous_status": previous["status"],
        "items": units(order),
        "amount_paid": _left(order),
        "currency": order["totals"]["currency"],
        "cancelled_at": end["cancelled_at"],
    }
    if "payment_intent_id" in order["payment"]:
        data["payment_intent_id"] = order["payment"]["payment_intent_id"]
    return {**data, "promo_code": order["promo_code"]} if "promo_code" in order else data


def _left(order: Mapping[str, Any]) -> float:
    """What was paid and has not gone back, in major units."""
    if "paid_at" not in order:
        return 0.0
    total, currency = order["totals"]["total"], order["totals"]["currency"]
    returned = order.get("amount_refunded", 0.0)
    return major_units(minor_units(total, currency) - minor_units(returned, currency), currency)


def updated(order: Mapping[str, Any], previous: Mapping[str, Any]) -> Json:
    """The data of `OrderUpdated`."""
    data = {
        **_names(order),
        "revision": order["revision"],
        "status": order["status"],
        "previous_status": previous["status"],
        "payment_status": order["payment_status"],
        "fulfillment_status": order["fulfillment_status"],
    }
    arrival = order["shipping"].get("estimated_delivery")
    return {**data, "estimated_delivery": arrival} if arrival is not None else data


def completed(order: Mapping[str, Any]) -> Json:
    """The data of `OrderCompleted`."""
    return {
        **_names(order),
        "items": order["items"],
        "totals": order["totals"],
        "completed_at": order["completed_at"],
    }


def shipment_overdue(order: Mapping[str, Any]) -> Json:
    """The data of `ShipmentOverdue`."""
    return {**_names(order), "paid_at": order["paid_at"], "shipping_method": order["shipping"]["method"]}


def refund_requested(order: Mapping[str, Any]) -> Json:
    """The data of `RefundRequested`: everything that was paid."""
    data = {**_names(order), "amount": order["totals"]["total"], "currency": order["totals"]["currency"]}
    if "payment_intent_id" in order["payment"]:
        data["payment_intent_id"] = order["payment"]["payment_intent_id"]
    return data


def _names(order: Mapping[str, Any]) -> Json:
    return {name: order[name] for name in ("order_id", "order_number", "user_id")}


def units(order: Mapping[str, Any]) -> list[Json]:
    """The goods of an order: product, variant, SKU, quantity."""
    names = ("product_id", "variant_id", "sku", "quantity")
    return [{name: item[name] for name in names} for item in order["items"]]


def place_of(address: Mapping[str, Any]) -> Json:
    """An address without the person."""
    return {name: address[name] for name in _PLACE if name in address}
