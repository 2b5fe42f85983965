"""Shipments as documents, events and answers. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from generated import views as v
from handlers.orders.rules import without_person
from handlers.partners.carriers import tracking_url

Json = dict[str, Any]

# Where parcels leave from. ILLUSTRATIVE, like the tariff.
ORIGIN: Final[Json] = {
    "name": "Holiday Peak Warehouse",
    "line1": "500 Industrial Blvd",
    "city": "Memphis",
    "state": "TN",
    "postal_code": "38125",
    "country": "US",
}
_PLACE: Final = ("line1", "line2", "city", "state", "postal_code", "country")
_SHOWN: Final = (
    "shipment_id",
    "order_id",
    "order_number",
    "user_id",
    "carrier",
    "service_level",
    "tracking_number",
    "status",
    "origin",
    "destination",
    "estimated_delivery",
    "actual_delivery",
    "weight",
    "dimensions",
    "events",
    "current_location",
    "issues",
    "notes",
    "created_at",
    "updated_at",
)
_SUMMARY: Final = (
    "shipment_id",
    "order_id",
    "order_number",
    "carrier",
    "service_level",
    "tracking_number",
    "status",
    "estimated_delivery",
    "created_at",
    "updated_at",
)


def new_shipment(booking: Mapping[str, Any], order: Mapping[str, Any], now: str) -> Json:
    """The shipment of an order, from what the agent booked and the order it is for."""
    shipment_id = booking["shipment_id"]
    shipment: Json = {
        "shipment_id": shipment_id,
        "order_id": order["order_id"],
        "order_number": order["order_number"],
        "user_id": order["user_id"],
        "carrier": booking["carrier"],
        "service_level": booking["service_level"],
        "tracking_number": booking["tracking_number"],
        "status": "label_created",
        "origin": ORIGIN,
        "destination": order["shipping_address"],
        "estimated_delivery": booking["estimated_delivery"],
        "events": [],
        "issues": [],
        "called_off": False,
        "created_at": now,
        "updated_at": now,
    }
    shipment |= {name: booking[name] for name in ("weight", "dimensions") if name in booking}
    first = {
        "event_id": f"event-{shipment_id}"[:64],
        "status": "label_created",
        "location": written(ORIGIN),
        "timestamp": now,
        "description": "Shipping label created",
    }
    return {**shipment, "events": [first]}


def written(place: Mapping[str, Any]) -> str:
    """A town as people write it, such as `Memphis, TN`."""
    return ", ".join(place[name] for name in ("city", "state") if name in place)


def erased(shipment: Mapping[str, Any]) -> Json:
    """The shipment without the person: region and country stay, for statistics."""
    after = {**shipment, "destination": without_person(shipment["destination"]), "forget": False}
    after.pop("notes", None)
    return after


# --- events
def status_updated(after: Mapping[str, Any], before: Mapping[str, Any]) -> Json:
    """The data of `ShipmentStatusUpdated`."""
    data = {
        **{name: after[name] for name in ("shipment_id", "order_id", "user_id", "carrier", "service_level")},
        "tracking_number": after["tracking_number"],
        "status": after["status"],
        "previous_status": before["status"],
        "destination": {name: after["destination"][name] for name in _PLACE if name in after["destination"]},
        "estimated_delivery": after["estimated_delivery"],
        "occurred_at": after["events"][-1]["timestamp"],
    }
    if after.get("current_location") != before.get("current_location"):
        data["location"] = after["current_location"]
    return data


def delivery_completed(after: Mapping[str, Any]) -> Json:
    """The data of `DeliveryCompleted`."""
    names = ("shipment_id", "order_id", "user_id", "carrier", "tracking_number", "estimated_delivery")
    return {**{name: after[name] for name in names}, "delivered_at": after["actual_delivery"]}


# --- answers
def shipment_view(shipment: Mapping[str, Any]) -> v.Shipment:
    """A shipment as staff see it."""
    view: v.Shipment = {name: shipment[name] for name in _SHOWN if name in shipment}  # type: ignore[assignment]  # the document has the contract's names
    view["tracking_url"] = tracking_url(shipment["carrier"], shipment["tracking_number"])
    return view


def summary_view(shipment: Mapping[str, Any]) -> v.ShipmentSummary:
    """A shipment in a list."""
    destination = shipment["destination"]
    view: v.ShipmentSummary = {name: shipment[name] for name in _SUMMARY}  # type: ignore[assignment]  # as above
    view["recipient"] = destination["name"]
    view["destination_city"] = destination["city"]
    view["destination_country"] = destination["country"]
    view["open_issues"] = sum("resolved_at" not in issue for issue in shipment["issues"])
    return view
