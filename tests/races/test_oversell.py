"""Parallel orders never sell more than there is: 50 on stock 10 sell exactly 10, one unit each."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from handlers.inventory import store as inventory
from handlers.platform.store.port import Query
from tests.orders.test_orders import placed
from tests.support.shop import Shop
from tests.support.shopper import customer, guest, priced
from tests.support.wait import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

Json = dict[str, Any]

SHOPPERS, STOCK = 50, 10


async def stock_of(shop: Shop, product: Json, variant: int = 0) -> Json:
    """The stock document of a variant."""
    variant_id = product["variants"][variant]["variant_id"]
    found = await inventory.read_stock(shop.services.store, product["product_id"], variant_id)
    assert found is not None
    return found.data


async def test_fifty_orders_on_ten_units(shop: Shop) -> None:
    product = await priced(shop, 25.0, on_hand=STOCK)
    shoppers = [await (guest if number % 2 else customer)(shop) for number in range(SHOPPERS)]
    for shopper in shoppers:
        await shopper.has(product, 1)
    orders = await asyncio.gather(*(placed(each, email="race@example.com") for each in shoppers))

    async def statuses() -> list[str]:
        answers = await asyncio.gather(
            *(
                each.call("GET", f"/api/orders/{order['order_id']}")
                for each, order in zip(shoppers, orders, strict=True)
            )
        )
        return [answer.json()["status"] for answer in answers]

    async def decided() -> bool:
        return "pending" not in await statuses()

    await eventually(decided, 60)
    found = await statuses()
    assert (found.count("awaiting_payment"), found.count("cancelled")) == (STOCK, SHOPPERS - STOCK)
    stock = await stock_of(shop, product)
    assert (stock["on_hand"], stock["reserved"]) == (STOCK, STOCK)
    rows = await shop.services.store.query(Query("inventory", partition=product["product_id"], kind="hold", limit=200))
    held = [row.data for row in rows.items if row.data.get("quantity")]
    assert len(held) == STOCK
    assert {row["state"] for row in held} == {"held"}
