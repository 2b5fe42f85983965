"""Orders as documents, events and views; who may see one. Pure. Amounts are in minor units until they leave."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from generated import views as v
from handlers.orders import saga
from handlers.orders.saga import Step, Trigger
from handlers.platform.access import RANK, Principal
from handlers.platform.clock import moment, timestamp

Json = dict[str, Any]

_PLACE: Final = ("line1", "line2", "city", "state", "postal_code", "country")
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
_PAYMENT_SHOWN: Final = ("choice", "method", "brand", "last4", "payment_intent_id", "failure_message")
# What the timeline says when an order gets into a status.
_STAGES: Final[dict[str, tuple[str, str]]] = {
    "payment_failed": ("payment_failed", "Payment failed"),
    "processing": ("label_created", "Shipping label created"),
    "shipped": ("picked_up", "Package picked up by carrier"),
    "delivered": ("delivered", "Package delivered"),
    "cancelled": ("cancelled", "Order cancelled"),
    "refunded": ("refunded", "Payment refunded"),
}


def may_see(order: Mapping[str, Any], principal: Principal, email: str | None) -> bool:
    """The owner and staff may; anyone else with the order's e-mail address (normalised; decision 16)."""
    if principal.id and principal.id == order["user_id"]:
        return True
    if RANK[principal.role] >= RANK["staff"]:
        return True
    return email is not None and hmac.compare_digest(order["email"].encode(), email.encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """Something that an order is moved by. `causation_id`: the event; a command has none.

    `facts`: what is now known, by field of the order; a dict is merged into the one that is there.
    """

    trigger: Trigger
    correlation_id: str
    causation_id: str | None = None
    actor: str = "system"
    reason: str | None = None
    comment: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


def moved(order: Mapping[str, Any], news: News, now: str) -> tuple[Json, Step] | None:
    """The order after some news, and the step of the table; None when nothing happens to it."""
    found = saga.step(order["status"], order["payment_status"], news.trigger)
    if not saga.changes(order["status"], found):
        return None
    after: Json = {
        **order,
        **_merged(order, news.facts),
        "status": found.status,
        "payment_status": found.payment or order["payment_status"],
        "fulfillment_status": found.fulfillment or order["fulfillment_status"],
        "updated_at": max(now, order["updated_at"]),
        "revision": order["revision"] + 1,
    }
    if after["payment_status"] == "paid":
        after.setdefault("paid_at", now)
    after["timeline"] = [*order["timeline"], *_points(order, after, news, now)]
    if found.status != order["status"]:
        _enter(after, found, news, now)
    return after, found


def _merged(order: Mapping[str, Any], facts: Mapping[str, Any]) -> Json:
    return {
        name: {**order.get(name, {}), **value} if isinstance(value, Mapping) else value for name, value in facts.items()
    }


def _enter(order: Json, found: Step, news: News, now: str) -> None:
    """What else changes with the status."""
    order.pop("payment_due_at", None)
    deadline = saga.DEADLINES.get(found.status)
    order["deadline_at"] = timestamp(moment(now) + deadline.after) if deadline is not None else None
    if found.status == "awaiting_payment":
        order["payment_due_at"] = order["deadline_at"]
    elif found.status == "completed":
        order["completed_at"] = now
    elif found.status == "cancelled":
        end = {"reason": news.reason or found.reason, "cancelled_by": news.actor, "cancelled_at": now}
        order["cancellation"] = {**end, "comment": news.comment} if news.comment is not None else end


def _points(before: Mapping[str, Any], after: Mapping[str, Any], news: News, now: str) -> list[Json]:
    """New points of the timeline. A payment may be known by what followed from it."""
    stages: list[tuple[str, str]] = []
    if "paid_at" in after and "paid_at" not in before:
        stages.append(("payment_confirmed", "Payment received"))
    if after["status"] != before["status"] and after["status"] in _STAGES:
        stages.append(_STAGES[after["status"]])
    source = news.causation_id or news.correlation_id
    return [entry(f"{source}-{stage}", stage, words, now) for stage, words in stages]


def entry(event_id: str, stage: str, description: str, now: str) -> Json:
    """A point of the timeline."""
    return {"event_id": event_id[-64:].lstrip("_.-"), "stage": stage, "description": description, "timestamp": now}


# --- events
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
        "amount_paid": order["totals"]["total"] if "paid_at" in order else 0.0,
        "currency": order["totals"]["currency"],
        "cancelled_at": end["cancelled_at"],
    }
    if "payment_intent_id" in order["payment"]:
        data["payment_intent_id"] = order["payment"]["payment_intent_id"]
    return {**data, "promo_code": order["promo_code"]} if "promo_code" in order else data


def updated(order: Mapping[str, Any], previous: Mapping[str, Any]) -> Json:
    """The data of `OrderUpdated`."""
    data = {
        **_names(order),
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


# --- answers
def order_view(order: Mapping[str, Any]) -> v.Order:
    """An order as its owner and staff see it."""
    view: v.Order = {name: order[name] for name in _SHOWN if name in order}  # type: ignore[assignment]  # the document has the contract's names
    view["payment"] = {name: order["payment"][name] for name in _PAYMENT_SHOWN if name in order["payment"]}  # type: ignore[typeddict-item]  # as above
    return view


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
    return view


def tracking_view(order: Mapping[str, Any]) -> v.OrderTracking:
    """Where an order is and how it got there."""
    view: v.OrderTracking = {
        "order_id": order["order_id"],
        "order_number": order["order_number"],
        "status": order["status"],
        "fulfillment_status": order["fulfillment_status"],
        "timeline": order["timeline"],
        "issues": [],
        "updated_at": order["updated_at"],
    }
    for name in ("carrier", "tracking_number", "estimated_delivery", "delivered_at"):
        if name in order["shipping"]:
            view[name] = order["shipping"][name]
    return view
