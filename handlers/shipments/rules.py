"""Which carrier takes a parcel: a table by method, destination and weight. Pure. ILLUSTRATIVE, like the tariff."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Literal

CarrierName = Literal["FedEx", "UPS", "USPS", "DHL"]
Method = Literal["standard", "express", "overnight"]
Rejection = Literal["too_heavy", "destination_not_served"]

HOME: Final = "US"
_GRAMS: Final = {"kg": Decimal(1000), "lbs": Decimal("453.59237")}


@dataclass(frozen=True, slots=True)
class Rate:
    """What a carrier takes: up to so many grams, in so many days."""

    carrier: CarrierName
    heaviest: int
    days: int


# By method and whether it stays in the country; the first that takes the weight gets it.
CARRIERS: Final[dict[tuple[Method, bool], tuple[Rate, ...]]] = {
    ("standard", True): (Rate("USPS", 10_000, 5), Rate("UPS", 70_000, 5), Rate("FedEx", 1_000_000, 7)),
    ("express", True): (Rate("UPS", 70_000, 2),),
    ("overnight", True): (Rate("FedEx", 30_000, 1),),
    ("standard", False): (Rate("DHL", 70_000, 12), Rate("FedEx", 1_000_000, 15)),
    ("express", False): (Rate("DHL", 70_000, 5),),
    ("overnight", False): (),
}


def choose(method: Method, country: str, grams: int) -> Rate | Rejection:
    """The carrier of a parcel, or why none takes it."""
    rates = CARRIERS[method, country == HOME]
    if not rates:
        return "destination_not_served"
    return next((rate for rate in rates if grams <= rate.heaviest), "too_heavy")


def grams_of(weight: Mapping[str, Any] | None) -> int:
    """A weight in whole grams, rounded; nothing known weighs nothing."""
    if weight is None:
        return 0
    return int((Decimal(repr(weight["value"])) * _GRAMS[weight["unit"]]).to_integral_value())


def arrival(now: datetime, days: int) -> datetime:
    """The end of the day on which it should arrive."""
    return (now + timedelta(days=days)).replace(hour=23, minute=59, second=59, microsecond=0)


def shipment_id_of(order_id: str) -> str:
    """The id of the one shipment of an order."""
    return f"shipment-{order_id.removeprefix('order-')}"


def order_id_of(shipment_id: str) -> str:
    """The order whose one shipment has this id, where we have named it."""
    return f"order-{shipment_id.removeprefix('shipment-')}"


def tracking_number_of(shipment_id: str) -> str:
    """The tracking number that we give, until carriers give theirs."""
    return f"HPH{hashlib.sha256(shipment_id.encode()).hexdigest()[:15].upper()}"
