"""The built-in participants switched off, each by its own name: then the agents' own events move the order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from handlers import worker
from handlers.orders import watchdog
from handlers.platform.clock import timestamp
from handlers.platform.events import EventContract, message_of
from handlers.platform.store.port import Query
from handlers.settings import BUILT_IN_AGENTS
from handlers.shipments import store as shipments
from handlers.users import loyalty
from handlers.users import store as users
from tests.flows.test_journey import bought
from tests.orders.test_process import document, levels, units, until
from tests.support.app import time_passes
from tests.support.shop import Shop, running_shop
from tests.support.wait import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

Json = dict[str, Any]
PLAYED = {"inventory-reservation-validation", "logistics-carrier-selection", "crm-profile-aggregation"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def without(tmp_path_factory: pytest.TempPathFactory, redis_url: str) -> AsyncIterator[Shop]:
    """A shop in which the agents are deployed, so that nobody plays them."""
    folder: Path = tmp_path_factory.mktemp("agents")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(watchdog, "EVERY", 0.1)
        async with running_shop(folder, redis_url, BUILT_IN_AGENTS="none") as shop:
            yield shop


async def says(shop: Shop, agent: str, event_type: str, data: Json) -> None:
    """An agent publishes an event on the bus, as it would from its own process."""
    contract = EventContract.load()
    envelope = {
        "event_id": f"event-{uuid4().hex}",
        "event_type": event_type,
        "event_version": "1.0",
        "timestamp": timestamp(shop.services.clock.now()),
        "source": agent,
        "data": data,
        "correlation_id": "request-1",
        "causation_id": "event-1",
    }
    contract.check(envelope)
    message = message_of({"envelope": envelope, "partition_key": contract.key(event_type, data), "sequence": 1})
    assert shop.services.bus is not None
    await shop.services.bus.publish(contract.events[event_type].topic, [message])


async def test_each_can_be_switched_off_by_itself() -> None:
    for agent in PLAYED:
        others = tuple(name for name in BUILT_IN_AGENTS if name != agent)
        assert PLAYED & {*worker.find_handlers(others)} == PLAYED - {agent}
        assert PLAYED & {*worker.find_handlers((agent,))} == {agent}


async def test_the_agents_move_the_order(without: Shop) -> None:
    shop = without
    shopper, product, order = await bought(shop, "pm_card_visa")
    order_id = order["order_id"]
    assert (await document(shop, order))["status"] == "pending"
    await says(
        shop,
        "inventory-reservation-validation",
        "InventoryReserved",
        {"order_id": order_id, "reservations": units(order)},
    )
    # A saved card is charged by ourselves; then it is the carrier agent's turn.
    await until(shop, order, "paid")
    shipment = {
        "shipment_id": f"dhl-parcel-{order_id[-8:]}",
        "order_id": order_id,
        "carrier": "DHL",
        "service_level": "standard",
        "tracking_number": "JD0001",
        "items": units(order),
        "estimated_delivery": "2027-01-30T23:59:59.000Z",
    }
    await says(shop, "logistics-carrier-selection", "ShipmentScheduled", shipment)
    await until(shop, order, "processing")

    async def there() -> bool:
        return await shipments.find(shop.services.store, shipment["shipment_id"]) is not None

    await eventually(there)
    profile = {"user_id": shopper.user_id, "order_id": order_id, "orders_count": 4, "segments": ["vip"]}
    await says(shop, "crm-profile-aggregation", "ProfileUpdated", profile)

    async def known() -> bool:
        found = await users.read(shop.services.store, shopper.user_id)
        return found is not None and loyalty.orders_count(found.data) == 4

    await eventually(known)
    # Nobody here has held stock, booked a parcel, or spoken for an agent.
    assert (await levels(shop, product))[1] == 0
    for container, partition in (("users", shopper.user_id), ("shipments", order_id)):
        rows = await shop.services.store.query(Query(container, partition=partition, kind="outbox"))
        assert {row.data["envelope"]["source"] for row in rows.items if "envelope" in row.data} <= {"crud-service"}


async def test_a_carrier_agent_that_is_silent_is_stood_in_for_and_the_money_stays(without: Shop) -> None:
    shop = without
    _, _, order = await bought(shop, "pm_card_visa")
    held = {"order_id": order["order_id"], "reservations": units(order)}
    await says(shop, "inventory-reservation-validation", "InventoryReserved", held)
    await until(shop, order, "paid")
    # The clock of this shop never goes back: this test is the last.
    time_passes(shop.running, minutes=31)
    await until(shop, order, "processing")
    assert (await document(shop, order))["payment_status"] == "paid"
