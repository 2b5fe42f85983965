"""Cancelling an order while its parcel is picked up, in two processes: never both refunded and delivered."""

from __future__ import annotations

import asyncio
import os
from random import Random
from typing import Any, Final

import pytest

from handlers.inventory import store as inventory
from handlers.orders import store as orders
from handlers.shipments import store as shipments
from tests.orders.test_orders import ordered
from tests.support.callers import sign_in
from tests.support.people import rule_of
from tests.support.shop import Shop
from tests.support.shopper import Shopper, customer, priced
from tests.support.wait import eventually

pytestmark = [pytest.mark.asyncio(loop_scope="package"), pytest.mark.timeout(1800)]

Json = dict[str, Any]

# `make flows` asks for 200.
ROUNDS: Final = int(os.environ.get("CANCEL_ROUNDS", "6"))
STOCK: Final = 10_000


async def buyer(shop: Shop) -> tuple[Shopper, Json]:
    """Somebody with a saved card."""
    shopper = await customer(shop)
    saved = await shopper.call("POST", "/api/users/me/payment-methods", {"stripe_token": "pm_card_visa"})
    assert saved.status_code == 201, saved.text
    return shopper, {"type": "saved_method", "payment_method_id": saved.json()["payment_method_id"]}


async def parcel_of(shop: Shop, shopper: Shopper, method: Json, product: Json) -> tuple[Json, str]:
    """A paid order and its parcel, ready to leave."""
    await shopper.has(product, 1)
    answer = await ordered(shopper, payment_method=method)
    assert answer.status_code == 201, answer.text
    order = answer.json()

    async def ready() -> bool:
        found = await orders.find(shop.services.store, order["order_id"])
        parcel = await shipments.of_order(shop.services.store, order["order_id"])
        return found is not None and found.data["status"] == "processing" and shipments.is_shipment(parcel)

    await eventually(ready, 60)
    parcel = await shipments.of_order(shop.services.store, order["order_id"])
    assert parcel is not None
    return order, parcel.data["shipment_id"]


async def test_no_order_is_both_refunded_and_delivered(pair: Shop) -> None:
    random = Random(20261)
    product = await priced(pair, 20.0, on_hand=STOCK)
    staff = (await sign_in(pair.running))["staff"].by_bearer
    shopper, method = await buyer(pair)
    every_order: list[str] = []
    cancelled_orders: list[str] = []
    for number in range(ROUNDS):
        order, shipment_id = await parcel_of(pair, shopper, method, product)
        every_order.append(order["order_id"])
        if number % 4 == 3:
            held_up = await _reported(pair, staff, shipment_id, "exception")
            assert held_up.status_code == 200, held_up.text
        pause, moves = random.uniform(-0.02, 0.02), "in_transit" if number % 4 == 3 else "picked_up"

        async def cancelled(order: Json = order, pause: float = pause) -> Any:
            await asyncio.sleep(max(0.0, pause))
            return await shopper.call("POST", f"/api/orders/{order['order_id']}/cancel")

        async def handed_over(shipment_id: str = shipment_id, pause: float = pause, status: str = moves) -> Any:
            await asyncio.sleep(max(0.0, -pause))
            return await _reported(pair, staff, shipment_id, status)

        end, hand_over = await asyncio.gather(cancelled(), handed_over())
        if end.status_code == 200:
            cancelled_orders.append(order["order_id"])
        # One of the two, and never both.
        assert {end.status_code, hand_over.status_code} == {200, 409}, (end.text, hand_over.text)
        refused = end if end.status_code == 409 else hand_over
        assert rule_of(refused) in ("order_not_cancellable", "shipment_state_invalid")
        await _ends_as(pair, order, "cancelled" if end.status_code == 200 else "shipped")
    kept = len(cancelled_orders)
    stock = await inventory.read_stock(pair.services.store, product["product_id"], product["variants"][0]["variant_id"])
    assert stock is not None
    assert (stock.data["on_hand"], stock.data["reserved"]) == (STOCK - (ROUNDS - kept), 0)
    state = pair.stripe.account.state
    paid_back = {each["payment_intent"] for each in state.all("refund")}
    back = {each["metadata"]["order_id"] for each in state.all("payment_intent") if each["id"] in paid_back}
    assert back & set(every_order) == set(cancelled_orders)
    # Over so many rounds each is the faster one sometimes.
    assert ROUNDS < 50 or 0 < kept < ROUNDS


async def _reported(shop: Shop, staff: dict[str, str], shipment_id: str, status: str) -> Any:
    path = f"/api/staff/shipments/{shipment_id}/status"
    return await shop.client.request("PUT", path, json={"new_status": status}, headers=staff)


async def _ends_as(shop: Shop, order: Json, status: str) -> None:
    """Waits for the end, and looks whether order, parcel and money agree."""

    async def there() -> bool:
        found = await orders.find(shop.services.store, order["order_id"])
        assert found is not None
        settled = found.data["payment_status"] == ("refunded" if status == "cancelled" else "paid")
        return bool(found.data["status"] == status and settled)

    await eventually(there, 60)
    parcel = await shipments.of_order(shop.services.store, order["order_id"])
    assert parcel is not None
    assert (parcel.data["status"] == "cancelled") == (status == "cancelled")
