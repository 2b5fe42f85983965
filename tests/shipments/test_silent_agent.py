"""The carrier agent is silent past its deadline: people hear of it, the built-in choice takes over, the money stays."""

from __future__ import annotations

from typing import Any

import pytest

from handlers.orders import events as order_events
from handlers.orders.watchdog import Watchdog
from handlers.shipments import events, store
from tests.orders.test_process import document, event, levels, paid, reserved_order, sent, until
from tests.support.app import time_passes
from tests.support.callers import sign_in
from tests.support.shop import Shop
from tests.support.shopper import priced
from tests.support.wait import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

Json = dict[str, Any]


async def waiting_order(shop: Shop) -> tuple[Json, Json]:
    """A paid order of which no carrier has heard, and its product."""
    product = await priced(shop, 20.0, on_hand=5)
    _, order = await reserved_order(shop, product)
    await order_events.on_payment_processed(paid(order), shop.services)
    return order, product


async def overdue(shop: Shop, order: Json) -> Watchdog:
    """The deadline of an order passes."""
    dog = Watchdog(shop.services)
    row = {"order_id": order["order_id"], "user_id": order["user_id"], "promo_code": None}
    clock = shop.running.clock
    before = clock.shift
    time_passes(shop.running, minutes=31)
    try:
        await dog.look(row)
    finally:
        clock.shift = before
    return dog


async def listed(shop: Shop, **query: str) -> list[Json]:
    bearer = (await sign_in(shop.running))["staff"].by_bearer
    answer = await shop.client.get("/api/staff/orders", params={**query, "limit": "100"}, headers=bearer)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def test_the_built_in_choice_takes_over_and_the_money_stays(shop: Shop) -> None:
    order, product = await waiting_order(shop)
    dog = await overdue(shop, order)
    assert dog.shipments_overdue == 1
    found = await until(shop, order, "processing")
    assert (found["payment_status"], found["shipping"]["carrier"]) == ("paid", "USPS")
    assert "attention" not in found

    async def taken() -> bool:
        return await levels(shop, product) == (3, 0)

    await eventually(taken)
    names = [each["event_type"] for each in await sent(shop, order)]
    assert "ShipmentOverdue" in names
    assert not {"OrderCancelled", "RefundRequested"} & set(names)


async def test_where_that_is_switched_off_the_order_is_on_the_list_of_staff(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = shop.services.settings
    monkeypatch.setattr(shop.services, "settings", chosen.model_copy(update={"take_over_silent_agents": False}))
    order, product = await waiting_order(shop)
    for _ in range(2):
        await overdue(shop, order)
    found = await document(shop, order)
    assert (found["status"], found["payment_status"], found["attention"]) == ("paid", "paid", "carrier_silent")
    assert await levels(shop, product) == (5, 2)
    data = {name: order[name] for name in ("order_id", "user_id")}
    await events.on_shipment_overdue(event("ShipmentOverdue", data, "crud-shipments"), shop.services)
    assert await store.of_order(shop.services.store, order["order_id"]) is None
    mine = [each for each in await listed(shop, attention="carrier_silent") if each["order_id"] == order["order_id"]]
    assert [each["attention"] for each in mine] == ["carrier_silent"]
    numbered = {"order_number": order["order_number"], "attention": "carrier_silent"}
    assert [each["order_id"] for each in await listed(shop, **numbered)] == [order["order_id"]]
    # The agent that answers at last ends it.
    monkeypatch.setattr(shop.services, "settings", chosen)
    await events.on_shipment_overdue(event("ShipmentOverdue", data, "crud-shipments"), shop.services)
    assert "attention" not in await until(shop, order, "processing")
    assert await listed(shop, **numbered) == []
