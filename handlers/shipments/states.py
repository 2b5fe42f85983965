"""The way of a parcel as one table, and what a step on it makes of the shipment. Pure.

Published in the contract as `x-transitions` of ShipmentStatus. A shipment gets `cancelled` with its order, and only
while the parcel is not with the carrier: whoever writes first, hand-over or call-off, refuses the other.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal, get_args

from handlers.orders.rules import ISSUES_KEPT, PARCEL_WORDS
from handlers.platform.clock import moment, timestamp
from handlers.platform.errors import DocumentNewer

Status = Literal[
    "label_created", "picked_up", "in_transit", "out_for_delivery", "delivered", "exception", "returned", "cancelled"
]
Json = dict[str, Any]

STATUSES: Final[tuple[Status, ...]] = get_args(Status)
MOVES: Final[dict[Status, tuple[Status, ...]]] = {
    "label_created": ("picked_up", "in_transit", "exception", "cancelled"),
    "picked_up": ("in_transit", "out_for_delivery", "delivered", "exception"),
    "in_transit": ("in_transit", "out_for_delivery", "delivered", "exception", "returned"),
    "out_for_delivery": ("in_transit", "delivered", "exception", "returned"),
    "exception": ("in_transit", "out_for_delivery", "delivered", "returned", "cancelled"),
    "delivered": (),
    "returned": (),
    "cancelled": (),
}
FINAL: Final[frozenset[Status]] = frozenset(status for status in STATUSES if not MOVES[status])
# What a parcel gets into in the hands of its carrier. A held-up one may not have left yet.
_WITH_CARRIER: Final[frozenset[Status]] = frozenset(STATUSES) - {"label_created", "exception", "cancelled"}
# "Dallas, TX" or "Toronto, ON, CA".
_PLACE: Final = re.compile(r"([^,]{1,120}), ?([^,]{1,64})(?:, ?([A-Z]{2}))?")


def may_move(shipment: Mapping[str, Any], status: Status) -> bool:
    """Whether the table lets a report of the carrier or of staff take the shipment into a status.

    Nobody reports `cancelled`: that follows from the end of the order.
    """
    return status != "cancelled" and not is_held_back(shipment) and status in _moves_of(shipment)


def _moves_of(shipment: Mapping[str, Any]) -> tuple[Status, ...]:
    """Raises `DocumentNewer` for a status that the table does not have."""
    try:
        return MOVES[shipment["status"]]
    except KeyError:
        raise DocumentNewer("The shipment's status") from None


def is_held_back(shipment: Mapping[str, Any]) -> bool:
    """Whether the parcel is not to be handed over. Before contract 2.0 its status did not say so."""
    # Until the migration shipments-called-off-to-cancelled finds nothing more; then the status alone decides.
    return bool(shipment["called_off"] and not is_handed_over(shipment))


def is_handed_over(shipment: Mapping[str, Any]) -> bool:
    """Whether the parcel is or was with the carrier. Before contract 2.0 the events alone said so."""
    return "handed_over_at" in shipment or any(event["status"] in _WITH_CARRIER for event in shipment["events"])


def may_be_called_off(shipment: Mapping[str, Any]) -> bool:
    """Whether the shipment can still be cancelled."""
    return "cancelled" in _moves_of(shipment) and not is_handed_over(shipment)


def cancelled(shipment: Mapping[str, Any], *, event_id: str, now: datetime) -> Json:
    """The shipment of an order that ended before hand-over."""
    return {**moved(shipment, "cancelled", event_id=event_id, occurred=now, now=now), "called_off": True}


def fits_in_time(shipment: Mapping[str, Any], occurred: datetime, now: datetime) -> bool:
    """Whether something can have happened then: not in the future, not before what is known."""
    return moment(shipment["events"][-1]["timestamp"]) <= occurred <= now


def moved(
    shipment: Mapping[str, Any],
    status: Status,
    *,
    event_id: str,
    occurred: datetime,
    now: datetime,
    location: str | None = None,
    words: str | None = None,
) -> Json:
    """The shipment after a step that the table allows."""
    event: Json = {"event_id": event_id, "status": status}
    if location is not None:
        event["location"] = location
    event |= {"timestamp": timestamp(occurred), "description": words or PARCEL_WORDS[status]}
    after: Json = {
        **shipment,
        "status": status,
        "events": [*shipment["events"], event],
        "updated_at": max(timestamp(now), shipment["updated_at"]),
    }
    place = place_of(location, shipment) if location is not None else None
    if place is not None:
        after["current_location"] = {**place, "updated_at": timestamp(occurred)}
    if status in _WITH_CARRIER or is_handed_over(shipment):
        after.setdefault("handed_over_at", timestamp(occurred))
    if status == "delivered":
        after["actual_delivery"] = timestamp(occurred)
    return after


def place_of(location: str, shipment: Mapping[str, Any]) -> Json | None:
    """Town, region and country of a written place; None where that would be a guess.

    Without a country it is that of the parcel's way, where that stays in one.
    """
    found = _PLACE.fullmatch(location.strip())
    if found is None:
        return None
    here, there = shipment["origin"]["country"], shipment["destination"]["country"]
    country = found[3] or (here if here == there else None)
    if country is None:
        return None
    return {"city": found[1].strip(), "state": found[2].strip(), "country": country}


def with_issue(shipment: Mapping[str, Any], issue: Mapping[str, Any], now: datetime) -> Json:
    """The shipment with an issue: a new one, or one it has with what is known now."""
    others = [each for each in shipment["issues"] if each["issue_id"] != issue["issue_id"]]
    return {
        **shipment,
        "issues": [*others, dict(issue)][-ISSUES_KEPT:],
        "updated_at": max(timestamp(now), shipment["updated_at"]),
    }
