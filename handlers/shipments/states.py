"""The way of a parcel as one table, and what a step on it makes of the shipment. Pure.

Published in the contract as `x-transitions` of ShipmentStatus. A parcel whose order was cancelled before it left is not
handed over; one that had left by then goes on, and comes back or arrives.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal, get_args

from handlers.orders.rules import PARCEL_WORDS
from handlers.platform.clock import moment, timestamp

Status = Literal["label_created", "picked_up", "in_transit", "out_for_delivery", "delivered", "exception", "returned"]
Json = dict[str, Any]

STATUSES: Final[tuple[Status, ...]] = get_args(Status)
MOVES: Final[dict[Status, tuple[Status, ...]]] = {
    "label_created": ("picked_up", "in_transit", "exception"),
    "picked_up": ("in_transit", "out_for_delivery", "delivered", "exception"),
    "in_transit": ("in_transit", "out_for_delivery", "delivered", "exception", "returned"),
    "out_for_delivery": ("in_transit", "delivered", "exception", "returned"),
    "exception": ("in_transit", "out_for_delivery", "delivered", "returned"),
    "delivered": (),
    "returned": (),
}
FINAL: Final[frozenset[Status]] = frozenset(status for status in STATUSES if not MOVES[status])
# "Dallas, TX" or "Toronto, ON, CA".
_PLACE: Final = re.compile(r"([^,]{1,120}), ?([^,]{1,64})(?:, ?([A-Z]{2}))?")


def may_move(shipment: Mapping[str, Any], status: Status) -> bool:
    """Whether the table lets the shipment get into a status."""
    held_back = shipment["called_off"] and shipment["status"] == "label_created"
    return not held_back and status in MOVES[shipment["status"]]


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
    return {**shipment, "issues": [*others, dict(issue)], "updated_at": max(timestamp(now), shipment["updated_at"])}
