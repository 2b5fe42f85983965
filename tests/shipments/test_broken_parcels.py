"""A parcel that breaks the code does not stop the scan of the others."""

from __future__ import annotations

from typing import Any

import pytest

from handlers.shipments import tracking
from tests.shipments.test_operations import shipped_order
from tests.support.shop import Shop

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_one_parcel_stops_no_scan(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    parcels = [(await shipped_order(shop))[2] for _ in range(2)]
    parcel_of, asked = tracking.parcel_of, []

    def breaking(shipment: dict[str, Any]) -> Any:
        if shipment["shipment_id"] == parcels[1]:
            raise KeyError("what no parcel lacks")
        asked.append(shipment["shipment_id"])
        return parcel_of(shipment)

    monkeypatch.setattr(tracking, "parcel_of", breaking)
    assert await tracking.ask_all(shop.services, "job-1") == len(asked)
    assert parcels[0] in asked
    assert "a parcel cannot be followed" in caplog.messages
