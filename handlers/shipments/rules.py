"""Days and names of a parcel. Pure. Which carrier takes it the tariff says (`pricing/shipping.py`)."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta


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
