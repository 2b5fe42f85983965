"""The choice of a carrier."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from handlers.shipments import rules
from handlers.shipments.rules import Method, Rate


@pytest.mark.parametrize(
    ("method", "country", "grams", "carrier"),
    [
        ("standard", "US", 0, "USPS"),
        ("standard", "US", 10_001, "UPS"),
        ("standard", "US", 70_001, "FedEx"),
        ("express", "US", 500, "UPS"),
        ("overnight", "US", 500, "FedEx"),
        ("standard", "DE", 500, "DHL"),
    ],
)
def test_the_first_that_takes_the_weight(method: Method, country: str, grams: int, carrier: str) -> None:
    rate = rules.choose(method, country, grams)
    assert isinstance(rate, Rate)
    assert rate.carrier == carrier


def test_what_nobody_takes() -> None:
    assert rules.choose("overnight", "US", 30_001) == "too_heavy"
    assert rules.choose("overnight", "DE", 1) == "destination_not_served"


def test_weights_and_days() -> None:
    assert rules.grams_of(None) == 0
    assert rules.grams_of({"value": 2.7, "unit": "lbs"}) == 1225
    assert rules.grams_of({"value": 1.5, "unit": "kg"}) == 1500
    moment = datetime(2026, 1, 25, 10, 45, 0, 5, UTC)
    assert rules.arrival(moment, 5) == datetime(2026, 1, 30, 23, 59, 59, tzinfo=UTC)
    assert rules.shipment_id_of("order-1") == "shipment-1"
    assert rules.tracking_number_of("shipment-1").startswith("HPH")
