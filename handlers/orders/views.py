"""Orders as callers see them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

from generated import views as v
from handlers.orders.rules import is_settled
from handlers.partners.carriers import tracking_url

_SHOWN: Final = (
    "order_id",
    "order_number",
    "user_id",
    "status",
    "payment_status",
    "fulfillment_status",
    "email",
    "items",
    "totals",
    "shipping_address",
    "billing_address",
    "shipping",
    "promo_code",
    "notes",
    "cancellation",
    "payment_due_at",
    "created_at",
    "updated_at",
    "paid_at",
    "completed_at",
)
_STATUS_SHOWN: Final = (
    "order_id",
    "order_number",
    "status",
    "payment_status",
    "fulfillment_status",
    "created_at",
    "updated_at",
)
_PAYMENT_SHOWN: Final = ("choice", "method", "brand", "last4", "payment_intent_id", "failure_message")


def order_view(order: Mapping[str, Any]) -> v.Order:
    """An order as its owner and staff see it."""
    view: v.Order = {name: order[name] for name in _SHOWN if name in order}  # type: ignore[assignment]  # the document has the contract's names
    view["payment"] = {name: order["payment"][name] for name in _PAYMENT_SHOWN if name in order["payment"]}  # type: ignore[typeddict-item]  # as above
    return view


def lookup_view(order: Mapping[str, Any], *, whole: bool) -> v.OrderLookup:
    """An order as `getOrder` answers it: `order_view`, or status and timeline alone."""
    if whole:
        return cast("v.OrderLookup", order_view(order))
    view: v.OrderLookup = {name: order[name] for name in _STATUS_SHOWN}  # type: ignore[assignment]  # the document has the contract's names
    view["timeline"] = _placeless(order["timeline"])
    return view


def without_places(view: v.OrderTracking) -> v.OrderTracking:
    """What is told of a parcel to who only knows the order's e-mail address: not where it goes, nor its number."""
    return {
        "order_id": view["order_id"],
        "order_number": view["order_number"],
        "status": view["status"],
        "fulfillment_status": view["fulfillment_status"],
        "timeline": _placeless(view["timeline"]),
        "issues": [],
        "updated_at": view["updated_at"],
    }


def _placeless(points: Iterable[Mapping[str, Any]]) -> Any:
    return [{name: value for name, value in point.items() if name != "location"} for point in points]


def summary_view(order: Mapping[str, Any]) -> v.OrderSummary:
    """An order in a list."""
    first, shipping = order["items"][0], order["shipping"]
    view: v.OrderSummary = {
        "order_id": order["order_id"],
        "order_number": order["order_number"],
        "status": order["status"],
        "payment_status": order["payment_status"],
        "fulfillment_status": order["fulfillment_status"],
        "total": order["totals"]["total"],
        "currency": order["totals"]["currency"],
        "item_count": sum(item["quantity"] for item in order["items"]),
        "first_item_name": first["name"],
        "created_at": order["created_at"],
        "updated_at": order["updated_at"],
    }
    if "image_url" in first:
        view["first_item_image_url"] = first["image_url"]
    if "estimated_delivery" in shipping:
        view["estimated_delivery"] = shipping["estimated_delivery"]
    return view


def staff_view(order: Mapping[str, Any]) -> v.StaffOrderSummary:
    """An order in a list for staff."""
    summary = summary_view(order)
    summary.pop("first_item_image_url", None)
    summary.pop("estimated_delivery", None)
    view: v.StaffOrderSummary = {
        **summary,  # type: ignore[typeddict-item]  # its names are among those of this one
        "user_id": order["user_id"],
        "email": order["email"],
        "customer_name": order["shipping_address"]["name"],
    }
    for name in ("carrier", "tracking_number"):
        if name in order["shipping"]:
            view[name] = order["shipping"][name]
    if "attention" in order:
        view["attention"] = order["attention"]
    return view


def tracking_view(order: Mapping[str, Any], timeline: list[dict[str, Any]]) -> v.OrderTracking:
    """Where an order is and how it got there."""
    view: v.OrderTracking = {
        "order_id": order["order_id"],
        "order_number": order["order_number"],
        "status": order["status"],
        "fulfillment_status": order["fulfillment_status"],
        "timeline": timeline,  # type: ignore[typeddict-item]  # as above
        "issues": [issue for issue in order.get("issues", {}).values() if "resolved_at" not in issue],
        "updated_at": order["updated_at"],
    }
    shipping = order["shipping"]
    for name in ("carrier", "tracking_number", "estimated_delivery", "delivered_at"):
        if name in shipping:
            view[name] = shipping[name]
    if "tracking_number" in shipping:
        view["tracking_url"] = tracking_url(shipping["carrier"], shipping["tracking_number"])
    if "current_location" in order:
        view["current_location"] = order["current_location"]
    return view


def stream_view(order_id: str, change: Mapping[str, Any]) -> v.OrderStreamEvent:
    """A change as followers see it."""
    view: v.OrderStreamEvent = {
        "order_id": order_id,
        "status": change["status"],
        "payment_status": change["payment_status"],
        "fulfillment_status": change["fulfillment_status"],
        "final": is_settled(change),
        "updated_at": change["updated_at"],
    }
    if "estimated_delivery" in change:
        view["estimated_delivery"] = change["estimated_delivery"]
    return view
