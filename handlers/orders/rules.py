"""What becomes of orders: how one moves, what its followers are told of, what is left without the person. Pure."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from handlers.orders import saga
from handlers.orders.saga import Step, Trigger
from handlers.platform.access import RANK, Principal, is_guest_id
from handlers.platform.clock import moment, timestamp
from handlers.platform.errors import unprocessable
from handlers.platform.money import AmountNotExact, minor_units

Json = dict[str, Any]
Sight = Literal["nothing", "status", "whole"]

_FOLLOWED: Final = ("revision", "status", "payment_status", "fulfillment_status", "updated_at")
# So many changes can be resumed from; a parcel that is scanned often has more than an order.
CHANGES_KEPT: Final = 50
# An agent that finds a new one again and again does not make the document grow.
ISSUES_KEPT: Final = 50
# What people read about a parcel, by its status.
PARCEL_WORDS: Final[dict[str, str]] = {
    "label_created": "Shipping label created",
    "picked_up": "Package picked up by carrier",
    "in_transit": "Package in transit",
    "out_for_delivery": "Out for delivery",
    "delivered": "Package delivered",
    "exception": "Delivery is held up",
    "returned": "Package goes back to the sender",
    "cancelled": "Shipment called off",
}
# What the timeline says when an order gets into a status. The way of the parcel is told by its own news.
_STAGES: Final[dict[str, tuple[str, str]]] = {
    "payment_failed": ("payment_failed", "Payment failed"),
    "processing": ("label_created", PARCEL_WORDS["label_created"]),
    "cancelled": ("cancelled", "Order cancelled"),
    "refunded": ("refunded", "Payment refunded"),
}
# What stands where a person was.
NOBODY: Final = "Deleted customer"
_NO_ADDRESS: Final = "deleted@deleted.invalid"
_NO_PLACE: Final[Json] = {"name": NOBODY, "line1": "Deleted", "city": "Deleted", "postal_code": "00000"}
_CARD: Final = ("brand", "last4", "failure_message", "payment_method_id")


def sight_of(order: Mapping[str, Any], principal: Principal, email: str | None) -> Sight:
    """How much of an order a caller may see (decision 72). `email`: what the caller gives, normalised.

    The owner and staff see it whole; with the order's address anyone sees a guest's order whole, for nobody could sign
    in to it, and of a member's order status and timeline: the address is no secret. Who sees it whole may cancel it.
    """
    if principal.id and principal.id == order["user_id"]:
        return "whole"
    if RANK[principal.role] >= RANK["staff"]:
        return "whole"
    if email is None or order.get("anonymised_at") is not None:
        return "nothing"
    if not hmac.compare_digest(order["email"].encode(), email.encode()):
        return "nothing"
    return "whole" if is_guest_id(order["user_id"]) else "status"


def check_expected(choice: str, expected: float | None) -> None:
    """Raises `Problem` 422 when a saved method would be charged without the shopper's word on the total."""
    if choice == "saved_method" and expected is None:
        raise unprocessable("With a saved payment method the expected total is needed", "expected_total_required")


def is_total(expected: float, total: int, currency: str) -> bool:
    """Whether an amount that a shopper expects is a total (in minor units), exactly."""
    try:
        return minor_units(expected, currency) == total
    except AmountNotExact:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """Something that an order is moved by. `causation_id`: the event; a command has none.

    `facts`: what is now known, by field of the order; a dict is merged into the one that is there. `stage`: where the
    parcel is, for the timeline; `location`: the town.
    """

    trigger: Trigger
    correlation_id: str
    causation_id: str | None = None
    actor: str = "system"
    reason: str | None = None
    comment: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    stage: str | None = None
    location: str | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What a look at the payment of an order has come to: the trigger that follows, and what is now known."""

    trigger: Trigger
    facts: Mapping[str, Any] = field(default_factory=dict)


def ends_by(order: Mapping[str, Any], news: News) -> str | None:
    """Why an order would be cancelled by some news, so that its parcel has to be called off first; None: it is not."""
    found = saga.step(order["status"], order["payment_status"], news.trigger)
    if found.status != "cancelled" or order["status"] == "cancelled":
        return None
    return news.reason or found.reason


def moved(order: Mapping[str, Any], news: News, now: str, *, handed_over: bool = False) -> tuple[Json, Step] | None:
    """The order after some news, and the step of the table; None when nothing happens to it.

    `handed_over`: its parcel could not be called off any more.
    """
    step = saga.step_of_handed_over if handed_over else saga.step
    found = step(order["status"], order["payment_status"], news.trigger)
    if order["totals"]["total"] == 0:
        found = saga.step_without_money(found)
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
        after["payment"] = {name: value for name, value in after["payment"].items() if name != "failure_message"}
    after["timeline"] = [*order["timeline"], *_points(order, after, news, now)]
    if "issues" in after:
        after["issues"] = dict([*after["issues"].items()][-ISSUES_KEPT:])
    if found.attention is not None:
        after["attention"] = found.attention
    if found.status != order["status"]:
        _enter(after, found, news, now)
    elif found.recount or "processing" == order["payment_status"] != after["payment_status"]:
        # What a delayed payment may take ends with it: who was declined then has the usual time for another method.
        _wait(after, now)
    after["changes"] = [*order.get("changes", ()), snapshot(after)][-CHANGES_KEPT:]
    return settled(after, now), found


def snapshot(order: Mapping[str, Any]) -> Json:
    """What followers of an order are told of it at a revision."""
    kept = {name: order[name] for name in _FOLLOWED}
    arrival = order["shipping"].get("estimated_delivery")
    return {**kept, "estimated_delivery": arrival} if arrival is not None else kept


def revision_before(order: Mapping[str, Any], last_id: str | None) -> int:
    """The revision that a follower has: by the id of the last message, else the one before the current state."""
    if last_id is not None and last_id.isascii() and last_id.isdigit() and int(last_id) < order["revision"]:
        return int(last_id)
    if last_id == str(order["revision"]) and not is_settled(order):
        return int(order["revision"])
    return int(order["revision"]) - 1


def changes_since(order: Mapping[str, Any], revision: int) -> list[Json]:
    """Every change after a revision, oldest first; the current state alone where they are not known any more."""
    if order["revision"] <= revision:
        return []
    known: list[Json] = [each for each in order.get("changes", ()) if each["revision"] > revision]
    return known or [snapshot(order)]


def is_settled(order: Mapping[str, Any]) -> bool:
    """Whether nothing more happens to an order by itself: it has ended, and no money is on its way back."""
    return order["status"] in saga.FINAL and order["payment_status"] != "refund_pending"


def uses(order: Mapping[str, Any], code: str) -> bool:
    """Whether an order has a promo code, and has not ended in a way that gives it back."""
    return order.get("promo_code") == code and order["status"] not in saga.CODE_FREED


def settled(order: Json, now: str) -> Json:
    """The order without the person, once that was asked for and the order has ended."""
    return anonymised(order, now) if order.get("forget") and order["status"] in saga.FINAL else order


def anonymised(order: Mapping[str, Any], now: str) -> Json:
    """An order without the person: goods, sums, region and country stay (decision 17)."""
    after: Json = {**order, "email": _NO_ADDRESS, "anonymised_at": now, "updated_at": max(now, order["updated_at"])}
    for name in ("shipping_address", "billing_address"):
        after[name] = without_person(order[name])
    for name in ("notes", "forget"):
        after.pop(name, None)
    after["payment"] = {name: value for name, value in order["payment"].items() if name not in _CARD}
    if "cancellation" in order:
        after["cancellation"] = {name: value for name, value in order["cancellation"].items() if name != "comment"}
    return after


def without_person(address: Mapping[str, Any]) -> Json:
    """An address of which only region and country are left."""
    return {**_NO_PLACE, **{name: address[name] for name in ("state", "country") if name in address}}


def _merged(order: Mapping[str, Any], facts: Mapping[str, Any]) -> Json:
    return {
        name: {**order.get(name, {}), **value} if isinstance(value, Mapping) else value for name, value in facts.items()
    }


def _enter(order: Json, found: Step, news: News, now: str) -> None:
    """What else changes with the status."""
    order.pop("attention", None)
    _wait(order, now)
    if found.status == "completed":
        order["completed_at"] = now
    elif found.status == "cancelled":
        end = {"reason": news.reason or found.reason, "cancelled_by": news.actor, "cancelled_at": now}
        order["cancellation"] = {**end, "comment": news.comment} if news.comment is not None else end


def _wait(order: Json, now: str) -> None:
    """Counts the deadline from now. Of a customer whose payment is under way nothing is due."""
    order.pop("payment_due_at", None)
    wait = saga.wait_of(order["status"], order["payment_status"])
    order["deadline_at"] = timestamp(moment(now) + wait) if wait is not None else None
    if order["status"] == "awaiting_payment" and order["payment_status"] != "processing":
        order["payment_due_at"] = order["deadline_at"]


def _points(before: Mapping[str, Any], after: Mapping[str, Any], news: News, now: str) -> list[Json]:
    """New points of the timeline. A payment may be known by what followed from it."""
    stages: list[tuple[str, str]] = []
    if news.stage is not None:
        stages.append((news.stage, PARCEL_WORDS[news.stage]))
    if "paid_at" in after and "paid_at" not in before:
        stages.append(("payment_confirmed", "Payment received"))
    if after["status"] != before["status"] and after["status"] in _STAGES:
        stages.append(_STAGES[after["status"]])
    source = news.causation_id or news.correlation_id
    return [
        entry(f"{source}-{stage}", stage, words, now, news.location if stage == news.stage else None)
        for stage, words in stages
    ]


def entry(event_id: str, stage: str, description: str, now: str, location: str | None = None) -> Json:
    """A point of the timeline."""
    point = {"event_id": event_id[-64:].lstrip("_.-"), "stage": stage, "description": description, "timestamp": now}
    return {**point, "location": location} if location is not None else point
