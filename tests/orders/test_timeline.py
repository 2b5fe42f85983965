"""The agent is asked for an order's timeline first; what makes no sense is ours to tell."""

from __future__ import annotations

from typing import Any

import pytest

from handlers.orders import timeline
from tests.orders.test_orders import placed
from tests.orders.test_process import until
from tests.support.contract import document
from tests.support.shop import Shop
from tests.support.shopper import customer, priced
from tests.support.stage import Stage, on_stage

pytestmark = pytest.mark.asyncio(loop_scope="session")

Json = dict[str, Any]

PLACED = {"stage": "order_placed", "description": "We have your order", "timestamp": "2026-01-25T10:45:00Z"}
PAID = {
    "stage": "payment_confirmed",
    "description": "Paid",
    "timestamp": "2026-01-25T11:46:30+01:00",
    "location": "Web",
}


async def test_the_stages_are_the_contracts() -> None:
    assert sorted(timeline.STAGES) == sorted(document()["components"]["schemas"]["TrackingStage"]["enum"])


async def test_the_agent_tells_and_ours_stands_in(shop: Shop) -> None:
    shopper = await customer(shop)
    await shopper.has(await priced(shop, 20.0))
    order = await placed(shopper)
    await until(shop, order, "awaiting_payment")
    path = f"/api/orders/{order['order_id']}/tracking"
    stage = Stage()
    stage.answer = lambda: {"timeline": [PAID, PLACED], "status": "delivered"}
    async with on_stage(shop.services, stage):
        told = (await shopper.call("GET", path)).json()
    assert [(each["stage"], each["timestamp"]) for each in told["timeline"]] == [
        ("order_placed", "2026-01-25T10:45:00.000Z"),
        ("payment_confirmed", "2026-01-25T10:46:30.000Z"),
    ]
    assert told["timeline"][1]["location"] == "Web"
    # The agent has a say in the timeline only, and hears nothing of the person.
    assert told["status"] == "awaiting_payment"
    asked, question = stage.asked[0]
    assert asked == "/ecommerce-order-status/order/timeline"
    assert set(question) == {"order_id", "revision", "status", "timeline"}
    own = (await shopper.call("GET", path)).json()
    assert [each["description"] for each in own["timeline"]] == ["Order placed"]


@pytest.mark.parametrize(
    "points",
    [
        None,
        [],
        ["text"],
        [PLACED] * 101,
        [PLACED, {**PLACED, "stage": "lost"}],
        [{**PLACED, "stage": ["order_placed"]}],
        [{**PLACED, "timestamp": "yesterday"}],
        [{**PLACED, "timestamp": "2026-01-25T10:45:00"}],
        [{**PLACED, "timestamp": 7}],
        [{**PLACED, "description": " "}],
        [{**PLACED, "description": "x" * 301}],
    ],
)
async def test_what_makes_no_sense(points: Any) -> None:
    assert timeline.understood({"timeline": points}, "order-1") is None


async def test_a_place_that_makes_no_sense_is_left_out() -> None:
    assert timeline.understood({"timeline": [{**PLACED, "location": 7}]}, "order-1") == [
        {**PLACED, "timestamp": "2026-01-25T10:45:00.000Z", "event_id": "order-1-agent-0"}
    ]
