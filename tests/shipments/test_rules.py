"""Days and names of a parcel."""

from __future__ import annotations

from datetime import UTC, datetime

from handlers.shipments import rules


def test_days_and_names() -> None:
    moment = datetime(2026, 1, 25, 10, 45, 0, 5, UTC)
    assert rules.arrival(moment, 5) == datetime(2026, 1, 30, 23, 59, 59, tzinfo=UTC)
    assert rules.shipment_id_of("order-1") == "shipment-1"
    assert rules.tracking_number_of("shipment-1").startswith("HPH")
